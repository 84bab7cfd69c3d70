/** The API as a fastify instance without a port of its own: who asks, what may be sent, how errors look, and the routes. */
import swagger from '@fastify/swagger'
import fastify, { type FastifyRequest } from 'fastify'
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { createServer } from 'node:http'
import { paths } from '../../contract/api.ts'
import { linkProtocol } from '../../contract/link.ts'
import { type Answer, answer, answerTo } from './answers.ts'
import { bearerIn } from './bearer.ts'
import type { Api, RouteContext } from './context.ts'
import { approvalRoutes } from './routes/approvals.ts'
import { generalRoutes } from './routes/general.ts'
import { healthRoutes } from './routes/health.ts'
import { recordRoutes } from './routes/records.ts'
import { recordingRoutes } from './routes/recordings.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { type Doorway, foreign } from './visitors.ts'

/** Larger than any request the API knows. */
const bodyLimit = 256 * 1024

export async function createApp(context: RouteContext, doorway: Doorway): Promise<Api> {
  const { log, metrics, identity, turnedAway } = context
  const app = fastify({
    bodyLimit,
    logger: false,
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, _request, reply) => {
      send(reply as unknown as Reply, answerTo(error, log))
    },
    serverFactory: (handler) =>
      createServer({ requestTimeout: 60_000, headersTimeout: 30_000, keepAliveTimeout: 65_000 }, handler),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(swagger, {
    openapi: {
      info: { title: 'hoop gateway', version: context.version },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
  })

  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    const why = foreign(request.headers.host ?? authorityOf(request), request.headers.origin, doorway)
    if (why !== undefined) return send(reply, answer('not-allowed', why))
    if (isLink(pathOf(request)))
      return send(reply, answer('usage', `a link needs an upgrade to ${linkProtocol} or a WebSocket`, undefined, 426))
    // Fail closed: a route is open only where it says so.
    if (request.is404 || request.routeOptions.config.open === true) return undefined
    const { authorization } = request.headers
    try {
      request.caller = await identity.verify(bearerIn(authorization))
    } catch (error) {
      turnedAway.note(request.socket?.remoteAddress, authorization, error)
      throw error
    }
    return undefined
  })
  app.addHook('onResponse', async (_request, reply) => metrics.answered(reply.statusCode))
  app.setErrorHandler((error, _request, reply) =>
    send(reply, hasZodFastifySchemaValidationErrors(error) ? misunderstood(error) : answerTo(error, log)),
  )
  app.setNotFoundHandler((request, reply) =>
    send(reply, answer('not-found', `there is no ${request.method} ${pathOf(request)}`, 'see /openapi.json')),
  )

  generalRoutes(app, context)
  sessionRoutes(app, context)
  approvalRoutes(app, context)
  recordRoutes(app, context)
  recordingRoutes(app, context)
  healthRoutes(app, context)
  await app.ready()
  return app
}

/** The part of a reply that every kind of reply has. */
interface Reply {
  code(status: number): unknown
  headers(values: Record<string, string>): unknown
  send(body: string): unknown
}

function send<R extends Reply>(reply: R, { status, body, headers }: Answer): R {
  reply.code(status)
  reply.headers({ ...headers })
  reply.send(JSON.stringify(body))
  return reply
}

function misunderstood(error: { validation: readonly { instancePath: string; message?: string }[] }): Answer {
  const mistakes = error.validation.map(({ instancePath, message }) => {
    const where = instancePath.replace(/^\//, '').replaceAll('/', '.')
    return where === '' ? (message ?? 'is wrong') : `${where}: ${message ?? 'is wrong'}`
  })
  return answer('usage', `the request is not understood: ${mistakes.join('; ')}`, 'see /openapi.json')
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url
}

function isLink(path: string): boolean {
  return path === paths.links || path.startsWith(paths.link(''))
}

/** HTTP/2 names the host in a pseudo header. */
function authorityOf(request: FastifyRequest): string | undefined {
  const authority: unknown = Reflect.get(request.headers, ':authority')
  return typeof authority === 'string' ? authority : undefined
}
