/** For load balancers and Prometheus: alive, ready, numbers. Open to everyone; nothing in them names a person or a secret. */
import { z } from 'zod'
import type { Api, RouteContext } from '../context.ts'

const readySchema = z.object({
  ready: z.boolean(),
  /** `ok`, or the sentence why not. */
  checks: z.record(z.string(), z.string()),
})

export function healthRoutes(app: Api, { audit, identity, metrics, version, closing }: RouteContext): void {
  const config = { open: true }

  app.get(
    '/healthz',
    { config, schema: { summary: 'Alive', response: { 200: z.object({ ok: z.literal(true), version: z.string() }) } } },
    async () => ({ ok: true as const, version }),
  )

  app.get(
    '/readyz',
    {
      config,
      schema: { summary: 'Able to verify tokens and to write down', response: { 200: readySchema, 503: readySchema } },
    },
    async (_request, reply) => {
      const written = audit.health()
      const verified = await identity.health()
      const checks = {
        audit: written.ok ? 'ok' : written.reason,
        identity: verified.ok ? 'ok' : verified.reason,
        ...(closing.aborted ? { gateway: 'is stopping' } : {}),
      }
      const ready = written.ok && verified.ok && !closing.aborted
      return reply.code(ready ? 200 : 503).send({ ready, checks })
    },
  )

  app.get('/metrics', { config, schema: { summary: 'Numbers for Prometheus' } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
}
