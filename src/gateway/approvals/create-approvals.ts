/**
 * Keeps held commands until people decide, time runs out or the asker gives up. Each step is durable in the audit before
 * anyone is told of it. What is pending lives in memory: it belongs to a live client, and ends with the gateway.
 */
import type { Approval, Decide } from '../../contract/api.ts'
import type { Impact } from '../../contract/command.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { RecordDraft } from '../../contract/record.ts'
import type { Clock } from '../../base/clock.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../identity/caller.ts'
import type { Metrics } from '../metrics.ts'
import type { Answer, Approvals, Question } from './approvals.ts'
import { approvalFor, type End, type Held, hindrance, isGranted, maySee } from './held.ts'
import { createWatchers } from './watchers.ts'

/** Ended ones are kept this long for lists; the audit keeps them for good. */
const recentEnded = 200

interface Options {
  readonly audit: Pick<Audit, 'append' | 'note'>
  readonly clock: Clock
  readonly metrics?: Metrics
}

interface Entry {
  held: Held
  /** Set synchronously by whatever ends it first; everything later is too late. */
  ending: boolean
  readonly answer: PromiseWithResolvers<Answer>
  /** Decisions on one approval are taken one after the other: each is durable before the next is looked at. */
  turn: Promise<unknown>
}

export function createApprovals({ audit, clock, metrics }: Options): Approvals {
  const entries = new Map<string, Entry>()
  const watchers = createWatchers()
  metrics?.watch(
    'hoop_pending_approvals',
    'Held commands that wait for people',
    () => [...entries.values()].filter(({ held }) => held.ended === undefined).length,
  )
  let closed = false

  function update(entry: Entry, change: Partial<Held>): void {
    entry.held = { ...entry.held, ...change }
    watchers.changed(entry.held.question.id)
  }

  async function end(entry: Entry, state: End, why: string): Promise<void> {
    if (entry.ending) return
    entry.ending = true
    const { question, impact } = entry.held
    const draft: RecordDraft = {
      ...about(question),
      user: question.user,
      subject: question.subject,
      groups: [...question.groups],
      agent: question.agent,
      type: 'approval.end',
      approval: question.id,
      end: state,
      why,
      ...(impact !== null && { impact }),
    }
    let answer: Answer = { end: state, why }
    try {
      await audit.append([draft])
    } catch (error) {
      // Fail closed: a yes that cannot be written down is not given. The end is noted, to be written when that is possible.
      const reason = `its end could not be written down (${reasonOf(error)})`
      answer = { end: 'cancelled', why: reason }
      audit.note({ ...draft, end: 'cancelled', why: reason })
    }
    update(entry, { ended: { state: answer.end, at: new Date(clock.now()).toISOString() } })
    entry.answer.resolve(answer)
    forgetOldest()
  }

  function forgetOldest(): void {
    const ended = [...entries.values()].filter(({ held }) => held.ended !== undefined)
    for (const { held } of ended.slice(0, Math.max(0, ended.length - recentEnded))) entries.delete(held.question.id)
  }

  async function ask(question: Question, signal: AbortSignal, impact: Promise<Impact> | undefined): Promise<Answer> {
    const created = clock.now()
    const entry: Entry = {
      held: {
        question,
        created,
        expires: created + question.expiresIn,
        decisions: [],
        impact: null,
        ended: undefined,
      },
      ending: false,
      answer: Promise.withResolvers(),
      turn: Promise.resolve(),
    }
    entries.set(question.id, entry)
    if (closed) await end(entry, 'cancelled', 'the gateway is stopping')
    watchers.changed(question.id)
    impact?.then(
      (found) => entry.held.ended === undefined && update(entry, { impact: found }),
      (error: unknown) =>
        entry.held.ended === undefined && update(entry, { impact: { lines: [], unknown: reasonOf(error) } }),
    )

    const onAbort = () => void end(entry, 'cancelled', whyAborted(signal))
    const timer = setTimeout(() => void end(entry, 'expired', 'nobody decided in time'), question.expiresIn)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort)
    try {
      return await entry.answer.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  function find(caller: Caller, id: string): Entry {
    const entry = entries.get(id)
    // The same answer for what is not there and what may not be seen.
    if (entry === undefined || !maySee(entry.held, caller))
      throw hoopError('not-found', `there is no approval ${id} that you may see`, {
        hint: 'see "hoop approve --list"; ended ones are in "hoop logs"',
      })
    return entry
  }

  async function decideInTurn(entry: Entry, caller: Caller, wish: Decide): Promise<Approval> {
    const { question } = entry.held
    const refused = hindrance(entry.held, caller)
    if (refused !== undefined) throw refused
    if (wish.digest !== question.digest)
      throw hoopError('conflict', `${question.id} is not what you looked at: the digest differs`, {
        hint: 'look at it again and decide then',
      })
    if (entry.ending) throw hoopError('conflict', `${question.id} has just ended`)

    const { user, subject, groups } = caller
    await audit.append([
      {
        ...about(question),
        user,
        subject,
        groups,
        agent: null,
        type: 'approval.decision',
        approval: question.id,
        decision: wish.decision,
        reason: wish.reason,
        digest: question.digest,
      },
    ])
    if (entry.ending) throw hoopError('conflict', `${question.id} ended while your decision was being written down`)

    const { decision, reason } = wish
    const at = new Date(clock.now()).toISOString()
    const decisions = [...entry.held.decisions, { person: { user, subject, groups }, decision, reason, at }]
    update(entry, { decisions })
    const names = decisions.filter((one) => one.decision === decision).map(({ person }) => person.user)
    const because = reason === null ? '' : `: ${reason}`
    if (decision === 'deny') await end(entry, 'denied', `denied by ${user}${because}`)
    else if (isGranted(entry.held)) await end(entry, 'approved', `approved by ${names.join(', ')}${because}`)
    return approvalFor(entry.held, caller)
  }

  return {
    ask,
    list(caller, state) {
      return [...entries.values()]
        .filter(({ held }) => maySee(held, caller))
        .map(({ held }) => approvalFor(held, caller))
        .filter((approval) => state === 'all' || approval.state === state)
        .toReversed()
    },
    get: (caller, id) => approvalFor(find(caller, id).held, caller),
    async decide(caller, id, wish) {
      const entry = find(caller, id)
      const mine = entry.turn.then(() => decideInTurn(entry, caller, wish))
      entry.turn = mine.catch(() => undefined)
      return await mine
    },
    watch(caller, signal) {
      const view = (id: string) => {
        const held = entries.get(id)?.held
        return held !== undefined && maySee(held, caller) ? approvalFor(held, caller) : undefined
      }
      const pending = () =>
        [...entries.keys()].map(view).filter((approval): approval is Approval => approval?.state === 'pending')
      return watchers.watch(pending, view, signal)
    },
    async close() {
      closed = true
      await Promise.all(
        [...entries.values()].map(async (entry) => {
          await end(entry, 'cancelled', 'the gateway is stopping')
          // Also those that were about to end by themselves: their end has to be written before the audit closes.
          await entry.answer.promise
        }),
      )
      watchers.close()
    },
  }
}

function about(question: Question) {
  return { session: question.session, target: question.target, connection: null }
}

function whyAborted(signal: AbortSignal): string {
  const reason: unknown = signal.reason
  if (typeof reason === 'object' && reason !== null && 'message' in reason && typeof reason.message === 'string')
    return reason instanceof DOMException ? 'the client went away' : reason.message
  return 'the client went away'
}
