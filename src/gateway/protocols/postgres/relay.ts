/**
 * A whole conversation: welcome, both directions until they are done, and the end. Neither side is destroyed because the
 * other has closed: what the target has said last still reaches the client.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { isHoopError } from '../../../contract/error-codes.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Conversation, Target } from '../protocol.ts'
import { listenToTarget } from './answers.ts'
import { listenToClient } from './asked.ts'
import { type CancelKeys, cancelAtTarget } from './cancel.ts'
import type { Client } from './greeting.ts'
import { Ledger } from './ledger.ts'
import { authenticationOk, backendKey, code, readParameterStatus } from './messages.ts'
import { createOutward } from './outward.ts'
import type { AskImpact, OpenSideConnection, ResultMasker, StatementReader } from './parts.ts'
import { brokenProtocol, refusalResponse } from './refusals.ts'
import { Session } from './session.ts'
import type { Catalogs } from './sql/catalog.ts'
import { type Limits, stopAsking, type Talk } from './talk.ts'
import type { Upstream } from './upstream.ts'

export interface RelayParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly keys: CancelKeys
  readonly connectTimeoutMs: number
  readonly reader: Promise<StatementReader>
  readonly impact: AskImpact
  readonly catalogs: Catalogs
  createMasker(open: OpenSideConnection, database: string): ResultMasker
}

/** For a peer to take what was written to it, and to close. */
const lastWordsMs = 2000

export async function relay(
  parts: RelayParts,
  client: Client,
  upstream: Upstream,
  { checkpoint, signal }: Conversation,
): Promise<void> {
  if (upstream.kind === 'cancel' || client.kind === 'cancel') return cancel(parts, client, upstream.target)
  const { intake, outlet, pid, secret, welcome } = upstream.login
  const ledger = new Ledger()
  const talk: Talk = {
    client,
    outward: createOutward(outlet, `refused by hoop ${randomBytes(12).toString('hex')}`),
    ledger,
    session: new Session(parts.catalogs.of(upstream.loginName, upstream.side.open), ledger),
    reader: await parts.reader,
    masker: parts.createMasker(upstream.side.open, `${upstream.target.name}/${upstream.database}`),
    impact: parts.impact,
    side: upstream.side.open,
    checkpoint,
    clock: parts.clock,
    limits: parts.limits,
    group: 0,
    skipping: false,
    copying: undefined,
    unsettled: undefined,
    asking: new Set(),
    lastMasked: undefined,
    over: false,
    betweenFrames: true,
    asides: [],
  }
  // Logging in again might wait for what the client's own transaction has locked.
  upstream.side.restWhile(() => talk.session.transaction === 'I')
  const key = parts.keys.register(upstream.target.name, pid, async () => {
    stopAsking(talk, 'cancelled')
    // Something runs at the target, before what is asked about here or instead of it.
    if (ledger.head() !== undefined || talk.asking.size === 0)
      await cancelAtTarget(upstream.target, { pid, secret }, AbortSignal.timeout(parts.connectTimeoutMs))
  })

  let failure: unknown
  /** Ends both directions at once, with a last word to the client where it can still be read as one. */
  function stop(lastWord: Buffer): void {
    if (talk.betweenFrames && !talk.over) client.outlet.add(lastWord)
    talk.over = true
    stopAsking(talk, 'failed')
    void client.outlet.end()
    outlet.destroy()
    settleAll(talk)
  }
  function broke(error: unknown): void {
    failure ??= error
    stop(brokenProtocol(isHoopError(error) ? error.message : 'the gateway failed; this connection is ended'))
  }
  const kill = () => stop(refusalResponse(reasonOfKill(signal), 'FATAL'))

  if (signal.aborted) kill()
  else {
    signal.addEventListener('abort', kill, { once: true })
    welcomeClient(talk, welcome, { pid, secret: key.secret })
    // Only the client's going away ends what runs for it; closed is more than ended.
    client.outlet.closed.addEventListener('abort', () => stopAsking(talk, 'failed'), { once: true })
  }
  try {
    const asking = listenToClient(talk)
      .then(() => talk.outward.end())
      .catch(broke)
    await listenToTarget(talk, intake).catch(broke)
    talk.over = true
    stopAsking(talk, 'failed')
    settleAll(talk)
    // A slow client gets all the time it needs for what the target has said; a killed one does not.
    await Promise.race([client.outlet.end(), aborted(signal)])
    await within(lastWordsMs, asking)
  } finally {
    signal.removeEventListener('abort', kill)
    key.forget()
    upstream.side.close()
    outlet.destroy()
    client.outlet.destroy()
    settleAll(talk)
  }
  if (failure !== undefined) throw failure
}

function welcomeClient(talk: Talk, welcome: readonly Buffer[], key: { pid: number; secret: Buffer }): void {
  const { outlet } = talk.client
  outlet.add(authenticationOk)
  for (const bytes of welcome) {
    if (bytes[0] === code('S')) {
      const { name, value } = readParameterStatus(bytes)
      talk.session.reported(name, value)
    }
    outlet.add(bytes[0] === code('K') ? backendKey(key.pid, key.secret) : bytes)
  }
  void outlet.flush()
}

/** What has no answer now gets none: whether the target did it, nobody knows; what it had not begun is not known either. */
function settleAll({ ledger, session }: Talk): void {
  for (const entry of ledger.abandon()) {
    const runs = entry.kind === 'query' ? entry.runs : 'run' in entry ? [entry.run] : []
    for (const run of runs) run?.settle({ status: 'unknown' })
  }
  session.end()
}

async function cancel(parts: RelayParts, client: Client, target: Target): Promise<void> {
  try {
    if (client.kind === 'cancel') await parts.keys.cancel(target.name, client.pid, client.secret)
  } finally {
    await within(lastWordsMs, client.outlet.end())
    client.outlet.destroy()
  }
}

/** Resolves a moment after the signal: what is said then may still be taken. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

function reasonOfKill(signal: AbortSignal): Refusal {
  const reason: unknown = signal.reason
  // The one who aborts gives a Refusal (protocol.ts); anything else is a gateway that stops.
  if (typeof reason === 'object' && reason !== null && 'code' in reason && 'next' in reason) return reason as Refusal
  return { code: 'killed', message: 'the gateway ended this connection', next: 'connect again' }
}

/** Waits for the end of something, but not for ever. */
async function within(milliseconds: number, end: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([end, late])
  clearTimeout(timer)
}
