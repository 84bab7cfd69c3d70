/**
 * One conversation's state, shared by its two directions: what the client asks (asked.ts) and what the target answers
 * (answers.ts). Each direction is one loop, so that order is kept without locks.
 */
import type { Clock } from '../../../base/clock.ts'
import type { Checkpoint, Permit } from '../../checkpoint.ts'
import type { Intake } from '../wire/intake.ts'
import type { Outlet } from '../wire/outlet.ts'
import type { Expected, Ledger } from './ledger.ts'
import { parameterStatus } from './messages.ts'
import type { Outward } from './outward.ts'
import type { AskImpact, OpenSideConnection, ResultMasker, StatementReader } from './parts.ts'
import type { Session } from './session.ts'
import type { Soon } from './soon.ts'

export interface Talk {
  readonly client: { readonly intake: Intake; readonly outlet: Outlet }
  readonly outward: Outward
  readonly ledger: Ledger
  readonly session: Session
  readonly reader: StatementReader
  readonly masker: ResultMasker
  readonly impact: AskImpact
  readonly side: OpenSideConnection
  readonly checkpoint: Checkpoint
  readonly clock: Clock
  readonly limits: Limits
  /** The client's messages up to a Sync (or a Query, or a FunctionCall) are one group. */
  group: number
  /** An error was answered in the current group: everything up to the client's Sync is dropped, as the server does. */
  skipping: boolean
  /** The COPY from the client that the server waits for; undefined again once the client has ended its data. */
  copying: Expected | undefined
  /** What has to be answered before anything else is judged: it changes what statements mean. */
  unsettled: Expected | undefined
  /** What ends the asking (and with it a hold) of each batch that is being cleared now. */
  readonly asking: Set<(why: 'cancelled' | 'failed') => void>
  /** The last permit that came with masks: what the server says outside of a command is masked by it. */
  lastMasked: Permit | undefined
  /** The target has said its last word: nothing more is forwarded. */
  over: boolean
  /** Between two frames to the client: the only place where a notice of ours may go. */
  betweenFrames: boolean
  readonly asides: Buffer[]
}

export interface Limits {
  readonly statementBytes: number
  /** A row or COPY line that has to be looked at (masks, samples) may be this large. */
  readonly rowBytes: number
}

/** Ends the asking of all that is being cleared. */
export function stopAsking(talk: Talk, why: 'cancelled' | 'failed'): void {
  for (const stop of talk.asking) stop(why)
}

/** Says something to the client that nobody asked for, as soon as a frame ends. */
export function sayAside(talk: Talk, frame: Buffer): void {
  talk.asides.push(frame)
  if (talk.betweenFrames) releaseAsides(talk)
  // Nobody waits for a notice to be taken; a client that takes nothing slows its answers down, not us.
  void talk.client.outlet.flush()
}

/**
 * A client whose messages back up here is not read, and so its end is not seen; but writing to one that is gone fails.
 * What is said is nothing new: a parameter that it knows, which servers may repeat at any time.
 */
export function probe(talk: Talk): void {
  const version = talk.session.parameters.get('server_version')
  if (version === undefined || !talk.client.intake.full || !talk.betweenFrames) return
  sayAside(talk, parameterStatus('server_version', version))
}

export function releaseAsides(talk: Talk): void {
  for (const frame of talk.asides.splice(0)) talk.client.outlet.add(frame)
}

/**
 * Before anything is judged: what changes the meaning of statements has been answered, and nothing of earlier groups is
 * on its way that might. Inside a group only asking the server to flush brings answers forward.
 */
export function untilCertain(talk: Talk): Soon<void> {
  if (talk.unsettled !== undefined || !talk.session.certain) return becomeCertain(talk)
}

async function becomeCertain(talk: Talk): Promise<void> {
  const { unsettled, ledger, session } = talk
  if (unsettled !== undefined && ledger.has(unsettled)) {
    await talk.outward.flush()
    if (unsettled.group === talk.group) await askForAnswers(talk)
    await ledger.until(() => !ledger.has(unsettled) || talk.over)
  }
  talk.unsettled = undefined
  if (!session.certain) await untilAnswered(talk, talk.group - 1)
}

/** Lets answers that the server keeps back come. */
export async function askForAnswers(talk: Talk): Promise<void> {
  talk.outward.say('flush')
  await talk.outward.flush()
}

export function untilAnswered(talk: Talk, group: number): Soon<void> {
  if (!talk.ledger.isAnswered(group)) return becomeAnswered(talk, group)
}

async function becomeAnswered(talk: Talk, group: number): Promise<void> {
  await talk.outward.flush()
  await talk.ledger.until(() => talk.ledger.isAnswered(group) || talk.over)
}
