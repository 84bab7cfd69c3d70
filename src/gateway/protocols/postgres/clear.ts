/** Takes commands to the checkpoint, tells the client while they are held, and turns permits into runs. */
import type { Command, Parameter } from '../../../contract/command.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import { holdNotice, notUnderstood } from './refusals.ts'
import type { Statement } from './parts.ts'
import { createRun, type Run } from './run.ts'
import { askForAnswers, probe, sayAside, type Talk } from './talk.ts'

export type Cleared =
  | { readonly runs: readonly [Run, ...Run[]] }
  | { readonly refusal: Refusal }
  /** An earlier message of the group has failed meanwhile: it would be skipped anyway. */
  | 'skipped'

/** How often a client is asked for a sign of life while it is held and its own messages fill what is read ahead. */
const probeMs = 1000

type Some<T> = readonly [T, ...T[]]

export async function clear(
  talk: Talk,
  statements: Some<Statement>,
  parameters: readonly Parameter[] = [],
): Promise<Cleared> {
  const asking = new AbortController()
  const stop = () => asking.abort()
  let stopped: 'cancelled' | 'failed' | undefined
  talk.stopAsking = (why) => {
    stopped ??= why
    stop()
  }
  let probing: NodeJS.Timeout | undefined
  const { gone } = talk.client.intake
  if (gone.aborted) stop()
  else gone.addEventListener('abort', stop, { once: true })
  try {
    const byCommand = new Map(statements.map((statement) => [withParameters(statement, parameters), statement]))
    const [first, ...others] = byCommand.keys()
    if (first === undefined) throw new Error('nothing to clear')
    const clearance = await talk.checkpoint.clear([first, ...others], {
      signal: asking.signal,
      onHold: (hold) => {
        probing ??= setInterval(() => probe(talk), probeMs)
        sayAside(talk, holdNotice(hold))
        // Answers to what came before in this pipeline must not wait for the reviewers.
        if (talk.ledger.head() !== undefined) void askForAnswers(talk)
      },
      impact: async (command, signal) => {
        const statement = byCommand.get(command) ?? statements[0]
        return talk.impact(command, statement, await talk.side(signal), signal)
      },
    })
    if ('refusal' in clearance) return talk.skipping || stopped === 'failed' ? 'skipped' : clearance
    const runs = clearance.permits.map((permit, index) => {
      const statement = statements[index]
      if (statement === undefined) throw new Error('more permits than statements')
      return createRun(talk.checkpoint, talk.clock, statement, permit)
    })
    return await afterwards(talk, runs, stopped)
  } finally {
    clearInterval(probing)
    gone.removeEventListener('abort', stop)
    talk.stopAsking = undefined
  }
}

/** Refuses what the conversation cannot take to policy, or need not: that is written down as well. */
export function refuse(
  talk: Talk,
  [first, ...others]: Some<Statement>,
  why: string,
  parameters: readonly Parameter[] = [],
): Promise<Refusal> {
  const commands = others.map((statement) => withParameters(statement, parameters))
  return talk.checkpoint.refuse([withParameters(first, parameters), ...commands], why)
}

/** What may have happened, or is known only, after the permits were given. */
async function afterwards(
  talk: Talk,
  runs: readonly Run[],
  stopped: 'cancelled' | 'failed' | undefined,
): Promise<Cleared> {
  const [first, ...others] = runs
  if (first === undefined) throw new Error('no permit for a command')
  if (talk.skipping || talk.over || stopped === 'failed') {
    for (const run of runs) run.settle({ status: 'not-run' })
    return 'skipped'
  }
  if (stopped === 'cancelled') {
    for (const run of runs) run.settle({ status: 'cancelled' })
    return { refusal: { code: 'cancelled', message: 'canceling statement due to user request', next: 'run it again' } }
  }
  for (const run of runs) {
    // Who sees everything can still change what names mean for those who do not.
    if (run.permit.masks.empty && !run.statement.effects.some(({ type }) => type === 'ddl')) continue
    const objection = await talk.masker.before(run.statement, run.permit, talk.session)
    if (objection === undefined) continue
    const error = { code: '42501', message: objection }
    for (const each of runs) each.settle(each === run ? { status: 'refused', error } : { status: 'not-run' })
    return { refusal: notUnderstood(objection) }
  }
  for (const { permit } of runs) if (!permit.masks.empty) talk.lastMasked = permit
  return { runs: [first, ...others] }
}

function withParameters({ command }: Statement, parameters: readonly Parameter[]): Command {
  // A copy also without parameters: the checkpoint may tell commands of one batch apart by identity.
  return { ...command, parameters: parameters.length > 0 ? [...parameters] : command.parameters }
}
