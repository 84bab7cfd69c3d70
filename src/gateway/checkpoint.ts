/**
 * Judge, write down, let through: the one door. What is forwarded to any target carries a permit, and permits come from
 * `clear` alone.
 */
import type { Clock } from '../base/clock.ts'
import { reasonOf } from '../base/errors.ts'
import { createId } from '../base/ids.ts'
import type { Command, Impact } from '../contract/command.ts'
import type { Decision, Outcome } from '../contract/record.ts'
import type { Refusal } from '../contract/refusal.ts'
import type { Approvals } from './approvals/approvals.ts'
import type { Audit } from './audit/audit.ts'
import {
  type Asked,
  type Asker,
  about,
  asksTheSame,
  commandRecord,
  holdOf,
  outcomeRecord,
  questionOf,
} from './checkpoint/asked.ts'
import type { Hold } from './checkpoint/hold.ts'
import type { History } from './checkpoint/history.ts'
import { createJudge } from './checkpoint/judge.ts'
import {
  refusedByAbort,
  refusedByAudit,
  refusedByDefect,
  refusedByPeople,
  refusedByPolicy,
} from './checkpoint/refusals.ts'
import type { Metrics } from './metrics.ts'
import type { Judgement, Policy } from './policy/decide.ts'
import type { Masks } from './policy/masking.ts'
import { redactCommand } from './policy/redact-command.ts'
import { redactText } from './policy/redact-text.ts'

export type { Hold } from './checkpoint/hold.ts'
export type { ColumnName, Masks, MaskStyle } from './policy/masking.ts'

declare const issued: unique symbol

/** Leave to forward one command, once, and the duties that come with it. Only checkpoint.ts can make one. */
export interface Permit {
  readonly [issued]: true
  /** The command's id in the audit. */
  readonly command: string
  /** What must not be seen in the answer. */
  readonly masks: Masks
  /** What must not be written down of it, whoever asked. */
  readonly recordMasks: Masks
  /** How many rows of the answer, after masking, the outcome shall carry; 0 for none. */
  readonly sampleRows: number
  /** How many bytes of a body, after masking, the outcome shall carry; 0 for none. */
  readonly sampleBytes: number
}

export type Clearance =
  /** One permit for each command, in the order asked. */
  { readonly permits: readonly Permit[] } | { readonly refusal: Refusal }

export interface Asking {
  /** Aborted when the client goes away or gives up: cancels a hold. */
  readonly signal?: AbortSignal
  /** Called at once when the commands are held and again every 30 s while they wait, so that the client can be told. */
  onHold?(hold: Hold): void
  /** What a held command would touch, asked of the target; called at most once, and only for a held batch. */
  impact?(command: Command, signal: AbortSignal): Promise<Impact>
}

export interface Checkpoint {
  /** What policy says of it now. Writes nothing and permits nothing: for telling a client early. */
  preview(command: Command): Decision
  /**
   * Decides on commands that stand or fall together, writes them down durably, waits for an approval if one is needed.
   * Never rejects: what cannot be judged or written down is a refusal.
   */
  clear(batch: readonly [Command, ...Command[]], asking?: Asking): Promise<Clearance>
  /** Writes down what the protocol itself refuses, whatever policy says of it. Never rejects; returns what to tell. */
  refuse(batch: readonly [Command, ...Command[]], reason: string): Promise<Refusal>
  /** What became of a permitted command; once for every permit. Returns at once: the audit takes it from here. */
  settle(permit: Permit, outcome: Outcome): void
}

/** What is in force now: asked anew for every command, because the configuration may be reloaded under a connection. */
export interface InForce {
  readonly policy: Policy
  /** What this person must not see. */
  readonly masks: Masks
  /** What nobody shall find in the audit or see as a reviewer. */
  readonly recordMasks: Masks
  readonly sampleRows: number
  readonly sampleBytes: number
}

export interface CheckpointOptions {
  readonly asker: Asker
  readonly inForce: () => InForce
  readonly audit: Pick<Audit, 'append' | 'note'>
  readonly approvals: Pick<Approvals, 'ask'>
  readonly history: History
  readonly metrics: Pick<Metrics, 'judged'>
  readonly clock: Clock
  /** The connection's: its abort (kill, gateway stop, client gone) ends every wait. */
  readonly signal: AbortSignal
  /** A defect of ours that the client is only told the outline of. */
  readonly onDefect: (what: string, error: unknown) => void
}

/** A reminder to whoever waits, so that neither a person nor a middle box takes the silence for a hang. */
const holdReminderMs = 30_000
/** Longer than any question to a target takes that is worth asking while a person looks. */
const impactTimeoutMs = 5_000

export function createCheckpoint(options: CheckpointOptions): Checkpoint & {
  /** The connection is over: what was permitted and never settled is settled as unknown. */
  close(): void
} {
  const { asker, inForce, audit, approvals, history, metrics, clock, signal, onDefect } = options
  const { session } = asker
  const who = about(asker)
  /** Permits that were issued and not settled yet, with the moment of their issue. */
  const open = new Map<Permit, number>()

  const judge = createJudge(() => inForce().policy, asker)

  /** Fail closed: what cannot be judged or masked is refused, and what cannot be masked is not shown to anyone. */
  function ask(command: Command): Asked {
    const id = createId('cmd')
    try {
      if (command.actions.length === 0) throw new Error(`a protocol found no action in ${command.verb}`)
      return { id, command, shown: redactCommand(command, inForce().recordMasks), judgement: judge(command) }
    } catch (error) {
      onDefect('a command could not be judged', error)
      return { id, command, shown: withheld(command), judgement: unjudged }
    }
  }

  function permit(asked: Asked): Permit {
    const { masks, recordMasks, sampleRows, sampleBytes } = inForce()
    const unbranded: Omit<Permit, typeof issued> = { command: asked.id, masks, recordMasks, sampleRows, sampleBytes }
    // The only place where a permit is made: the brand exists for the compiler alone.
    const permit = Object.freeze(unbranded) as Permit
    open.set(permit, clock.elapsed())
    return permit
  }

  /** Durable when it resolves; or the refusal that follows from not being so. */
  async function writeDown(
    batch: readonly Asked[],
    approval: string | null,
    refused?: Asked,
  ): Promise<Refusal | undefined> {
    const { sampleBytes } = inForce()
    const drafts = batch.map((asked) => commandRecord(who, asked, approval, sampleBytes))
    if (refused !== undefined)
      for (const { id, judgement } of batch)
        drafts.push(outcomeRecord(who, id, { status: judgement.decision.verdict === 'deny' ? 'refused' : 'not-run' }))
    try {
      await audit.append(drafts)
    } catch (error) {
      return refusedByAudit({ session, command: batch[0]?.id }, reasonOf(error))
    }
    for (const { shown, judgement } of batch) {
      metrics.judged(shown.protocol, judgement.decision.verdict)
      history.add(clock.now(), shown.text, judgement.decision.verdict)
    }
    return undefined
  }

  /** Ends commands that were written down and are not forwarded. `status` is that of the held ones; the others did not run. */
  function abandon(batch: readonly Asked[], status: Outcome['status']): void {
    for (const { id, judgement } of batch)
      audit.note(outcomeRecord(who, id, { status: judgement.decision.verdict === 'hold' ? status : 'not-run' }))
  }

  async function clear(commands: readonly [Command, ...Command[]], asking: Asking = {}): Promise<Clearance> {
    if (signal.aborted) return { refusal: refusedByAbort(signal.reason, { session }) }
    const batch = commands.map(ask)

    const denied = batch.find(({ judgement }) => judgement.decision.verdict === 'deny')
    if (denied !== undefined)
      return { refusal: (await writeDown(batch, null, denied)) ?? refusedByPolicy(denied, session) }

    if (batch.some(({ judgement }) => judgement.decision.verdict === 'hold')) return await waitForPeople(batch, asking)

    const unwritten = await writeDown(batch, null)
    if (unwritten !== undefined) return { refusal: unwritten }
    return forward(batch, signal)
  }

  async function refuse(commands: readonly [Command, ...Command[]], reason: string): Promise<Refusal> {
    const batch = commands.map((command) => {
      const asked = ask(command)
      const decision = { ...asked.judgement.decision, verdict: 'deny' as const, rule: null, reason }
      return { ...asked, judgement: { decision, holds: [], notUnderstood: true } }
    })
    const [first] = batch
    if (first === undefined) throw new Error('nothing to refuse')
    return (await writeDown(batch, null, first)) ?? refusedByPolicy(first, session)
  }

  async function waitForPeople(batch: readonly Asked[], asking: Asking): Promise<Clearance> {
    const approval = createId('apr')
    const where = { session, command: batch[0]?.id, approval }
    const question = questionOf(asker, approval, batch, history.earlier())
    const unwritten = await writeDown(batch, approval)
    if (unwritten !== undefined) return { refusal: unwritten }

    const gone = asking.signal === undefined ? signal : AbortSignal.any([signal, asking.signal])
    const hold = holdOf(question, clock.now())
    const remind = () => {
      try {
        asking.onHold?.(hold)
      } catch (error) {
        // The notice is a courtesy; a client that cannot take it is about to abort the wait itself.
        onDefect('a held client could not be told', error)
      }
    }
    const over = new AbortController()
    const reminder = setInterval(remind, holdReminderMs)
    try {
      if (!gone.aborted) remind()
      const answer = await approvals.ask(question, gone, impactOf(batch, asking, AbortSignal.any([gone, over.signal])))
      if (answer.end !== 'approved') {
        abandon(batch, answer.end === 'cancelled' ? 'cancelled' : 'refused')
        const byUs = signal.aborted && answer.end === 'cancelled'
        return { refusal: byUs ? refusedByAbort(signal.reason, where) : refusedByPeople(answer, hold.rule, where) }
      }
      const changed = whatChanged(batch)
      if (changed === undefined) return forward(batch, gone)
      abandon(batch, 'refused')
      return { refusal: { ...changed, ...where } }
    } catch (error) {
      // Fail closed: an approval that failed is not one.
      onDefect('an approval failed', error)
      abandon(batch, 'refused')
      return { refusal: refusedByDefect(where) }
    } finally {
      clearInterval(reminder)
      over.abort()
    }
  }

  /** The rules may have been reloaded while people were deciding: what they approved must still be what the rules ask for. */
  function whatChanged(batch: readonly Asked[]): Refusal | undefined {
    for (const asked of batch) {
      const judgement = judge(asked.command)
      if (judgement.decision.verdict === 'deny') return refusedByPolicy({ ...asked, judgement }, session)
      if (!asksTheSame(asked.judgement.holds, judgement.holds))
        return {
          code: 'cancelled',
          message: 'not run: the rules changed while it waited, and ask for other reviewers now',
          next: 'ask again',
        }
    }
    return undefined
  }

  /** All of it, unless whoever asked has gone in the meantime. */
  function forward(batch: readonly Asked[], gone: AbortSignal): Clearance {
    if (!gone.aborted) return { permits: batch.map(permit) }
    for (const { id } of batch) audit.note(outcomeRecord(who, id, { status: 'not-run' }))
    return { refusal: refusedByAbort(gone.reason, { session, command: batch[0]?.id }) }
  }

  function settle(permit: Permit, outcome: Outcome): void {
    const issuedAt = open.get(permit)
    if (issuedAt === undefined) {
      onDefect('a permit was settled twice, or was never issued here', new Error(permit.command))
      return
    }
    open.delete(permit)
    const shown = { durationMs: clock.elapsed() - issuedAt, ...outcome, ...redactedError(outcome, permit.recordMasks) }
    audit.note(outcomeRecord(who, permit.command, shown))
  }

  return {
    preview(command) {
      try {
        return judge(command).decision
      } catch (error) {
        onDefect('a command could not be judged', error)
        return unjudged.decision
      }
    },
    async clear(commands, asking) {
      try {
        return await clear(commands, asking)
      } catch (error) {
        onDefect('the checkpoint failed', error)
        return { refusal: refusedByDefect({ session }) }
      }
    },
    async refuse(commands, reason) {
      try {
        return await refuse(commands, reason)
      } catch (error) {
        onDefect('the checkpoint failed', error)
        return refusedByDefect({ session })
      }
    },
    settle,
    close() {
      for (const permit of open.keys()) settle(permit, { status: 'unknown' })
    },
  }
}

/** A target's error repeats values, also to people who may see them; the audit is read by others. */
function redactedError({ error }: Outcome, masks: Masks): Pick<Outcome, 'error'> {
  return error === undefined ? {} : { error: { ...error, message: redactText(error.message, masks) } }
}

const unjudged: Judgement = {
  decision: { verdict: 'deny', rule: null, reason: 'it could not be judged', config: '' },
  holds: [],
  notUnderstood: true,
}

function withheld(command: Command): Command {
  const unknown = { verb: 'UNKNOWN', kind: 'admin' as const, objects: [], unbounded: true }
  return { ...command, text: '', parameters: [], objects: [], actions: [unknown] }
}

/** What a held batch would touch; asked once, of its first held command. */
function impactOf(batch: readonly Asked[], asking: Asking, signal: AbortSignal): Promise<Impact> | undefined {
  const held = batch.find(({ judgement }) => judgement.decision.verdict === 'hold')
  if (held === undefined || asking.impact === undefined || signal.aborted) return undefined
  const { impact } = asking
  const limited = AbortSignal.any([signal, AbortSignal.timeout(impactTimeoutMs)])
  const unknown = (error: unknown): Impact => ({ lines: [], unknown: reasonOf(error) })
  return Promise.resolve()
    .then(() => impact(held.command, limited))
    .catch(unknown)
}
