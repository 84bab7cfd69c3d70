/** Where to sign in, who one is, and what one may open. */
import { apiErrorSchema, meSchema, paths, targetsSchema, wellKnownSchema } from '../../../contract/api.ts'
import { type Api, callerOf, type RouteContext } from '../context.ts'

export function generalRoutes(app: Api, { sessions, wellKnown, version }: RouteContext): void {
  app.get(
    paths.wellKnown,
    { config: { open: true }, schema: { summary: 'Where and how to sign in', response: { 200: wellKnownSchema } } },
    async () => wellKnown(),
  )

  app.get(
    paths.me,
    { schema: { summary: 'Who the token speaks for', response: { 200: meSchema, default: apiErrorSchema } } },
    async (request) => {
      const { user, subject, groups, roles, expires } = callerOf(request)
      return { user, subject, groups, roles, version, expires: new Date(expires).toISOString() }
    },
  )

  app.get(
    paths.targets,
    { schema: { summary: 'All targets, with why-not', response: { 200: targetsSchema, default: apiErrorSchema } } },
    async (request) => [...sessions.targets(callerOf(request))],
  )

  app.get('/openapi.json', { config: { open: true }, schema: { hide: true } }, async () => app.swagger())
}
