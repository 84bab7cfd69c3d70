/**
 * The Kubernetes API, spoken over HTTP: https://kubernetes.io/docs/reference/using-api/api-concepts/
 *
 *   kubectl                       gateway                                     API server
 *     │ GET /api/v1/…/pods/web ────▶│  http/ reads the request, as for any API    │
 *     │                             │  api-call.ts: verb, group, resource, name, │
 *     │                             │  as the API server works them out          │
 *     │                             │  body.ts: the object, patch or options     │
 *     │                             │  commands.ts: what is asked; exec.ts: what │
 *     │                             │  would run, by the grammar of shells       │
 *     │                             │  outward.ts: without the client's own word │
 *     │                             │  about who it is; login.ts: the credential │
 *     │                             │───────────────────────────────────────────▶│
 *     │                             │  secret-masks.ts: no value of a Secret     │
 *     │◀── JSON, or events ─────────│◀───────────────────────────────────────────│
 *     │ exec, attach, port-forward ▶│  cleared before the upgrade is asked for   │
 *     │◀── 101 ─────────────────────│◀───────────────────────────────────── 101 ─│
 *     │◀═ streams/: by channel ════▶│◀══════════════════════════════════════════▶│
 *
 * A refusal is a Status (refusals.ts), which kubectl prints as one sentence. dialect.ts has all of this in one place.
 */
import type { Clock } from '../../../base/clock.ts'
import { type Client, createPolls, createPools, openUpstream, type Upstream } from '../http/index.ts'
import type { Protocol } from '../protocol.ts'
import { createShellReader } from '../shell/reader.ts'
import { loginWith } from './login.ts'
import { createProtocol } from './protocol.ts'
import { createSecondTries } from './second-try.ts'

export { abilities } from './protocol.ts'

export interface KubernetesSettings {
  readonly clock: Clock
  /** Longest body that is judged; a longer one counts as unparsed. */
  readonly maxStatementBytes: number
  readonly connectTimeoutMs: number
  /** For the head of an answer; left out: long. */
  readonly answerTimeoutMs?: number
}

export function createKubernetes(settings: KubernetesSettings): Protocol<Client, Upstream> {
  const { clock, maxStatementBytes, connectTimeoutMs, answerTimeoutMs } = settings
  // HTTP/1.1: a person's groups are a line each.
  const pools = createPools(connectTimeoutMs, undefined, answerTimeoutMs, false)
  const shell = createShellReader({ maxBytes: maxStatementBytes })
  // Whoever needs it awaits it; a parser that does not load must not end the process before anybody asks.
  shell.catch(() => undefined)
  return createProtocol({
    clock,
    maxStatementBytes,
    polls: createPolls(),
    shell,
    secondTries: createSecondTries(),
    open: (target, credential) =>
      openUpstream(pools, { target, bearer: credential.bearer, login: loginWith(clock, target, credential) }),
  })
}
