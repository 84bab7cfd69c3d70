/** Sessions: open, look, end, kill. */
import { z } from 'zod'
import {
  apiErrorSchema,
  createSessionSchema,
  killSchema,
  paths,
  sessionSchema,
  sessionsQuerySchema,
  sessionsSchema,
} from '../../../contract/api.ts'
import { type Api, callerOf, pattern, type RouteContext } from '../context.ts'

const idSchema = z.object({ id: z.string() })

export function sessionRoutes(app: Api, { sessions }: RouteContext): void {
  app.post(
    paths.sessions,
    {
      schema: {
        summary: 'Open a session',
        body: createSessionSchema,
        response: { 200: sessionSchema, default: apiErrorSchema },
      },
    },
    async (request) => sessions.start(callerOf(request), request.body),
  )

  app.get(
    paths.sessions,
    {
      schema: {
        summary: 'Sessions one may see, newest last',
        querystring: sessionsQuerySchema,
        response: { 200: sessionsSchema, default: apiErrorSchema },
      },
    },
    async (request) => {
      const { live, limit } = request.query
      return [...(await sessions.list(callerOf(request), { live: live === 'true', limit }))]
    },
  )

  app.get(
    pattern(paths.session(':id')),
    { schema: { summary: 'One session', params: idSchema, response: { 200: sessionSchema, default: apiErrorSchema } } },
    async (request) => sessions.get(callerOf(request), request.params.id),
  )

  app.post(
    pattern(paths.endSession(':id')),
    {
      schema: {
        summary: 'End an own session and its connections',
        params: idSchema,
        response: { 204: z.null(), default: apiErrorSchema },
      },
    },
    async (request, reply) => {
      await sessions.end(callerOf(request), request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.post(
    pattern(paths.killSession(':id')),
    {
      schema: {
        summary: 'End a session at once, on both sides',
        params: idSchema,
        body: killSchema,
        response: { 204: z.null(), default: apiErrorSchema },
      },
    },
    async (request, reply) => {
      await sessions.kill(callerOf(request), request.params.id, request.body.reason)
      return reply.code(204).send(null)
    },
  )
}
