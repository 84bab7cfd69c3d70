/** Sessions: open, look, end, kill. */
import { z } from 'zod'
import {
  apiErrorSchema,
  createSessionSchema,
  killSchema,
  paths,
  type SessionEnd,
  sessionSchema,
  sessionsQuerySchema,
  sessionsSchema,
} from '../../../contract/api.ts'
import { type Api, callerOf, pattern, type RouteContext } from '../context.ts'
import { streamLines } from './stream-lines.ts'

const idSchema = z.object({ id: z.string() })

export function sessionRoutes(app: Api, context: RouteContext): void {
  const { sessions } = context

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

  app.get(
    pattern(paths.endSession(':id')),
    {
      schema: {
        summary: 'Wait for the end of an own session: one line of NDJSON when it comes, empty ones until then',
        params: idSchema,
        produces: ['application/x-ndjson'],
      },
    },
    (request, reply) => {
      const caller = callerOf(request)
      return streamLines(reply, context, '', async (signal) => {
        // Asked once before the answer begins: a session that is not the caller's is not found.
        const { id } = request.params
        await sessions.get(caller, id)
        return endOf(sessions.whenEnded(caller, id, signal))
      })
    },
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

async function* endOf(waiting: ReturnType<RouteContext['sessions']['whenEnded']>): AsyncGenerator<string> {
  const refusal = await waiting
  if (refusal === undefined) return
  const { code, message, next } = refusal
  yield JSON.stringify({ code: code === 'killed' ? code : 'cancelled', message, next } satisfies SessionEnd)
}
