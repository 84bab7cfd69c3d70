/** Takes commands to the checkpoint, tells the client while they are held, and turns permits into runs. */
import type { Command, Parameter } from '../../../contract/command.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Statement } from './parts.ts'
import { holdNotice, notUnderstood } from './refusals.ts'
import { Run } from './run.ts'
import type { Soon } from './soon.ts'
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
  const [first, ...others] = statements
  const commands: Some<Command> = [
    withParameters(first, parameters),
    ...others.map((statement) => withParameters(statement, parameters)),
  ]
  let stopped: 'cancelled' | 'failed' | undefined
  /** Made for a hold alone: hardly any command is held, and a signal with its listeners costs more than the rest here. */
  let asking: AbortController | undefined
  let probing: NodeJS.Timeout | undefined
  const { gone } = talk.client.intake
  const stop = () => asking?.abort()
  talk.stopAsking = (why) => {
    stopped ??= why
    stop()
  }
  try {
    const clearance = await talk.checkpoint.clear(commands, {
      get signal() {
        if (asking !== undefined) return asking.signal
        asking = new AbortController()
        if (stopped !== undefined || gone.aborted) stop()
        else gone.addEventListener('abort', stop, { once: true })
        return asking.signal
      },
      onHold: (hold) => {
        probing ??= setInterval(() => probe(talk), probeMs)
        sayAside(talk, holdNotice(hold))
        // Answers to what came before in this pipeline must not wait for the reviewers.
        if (talk.ledger.head() !== undefined) void askForAnswers(talk)
      },
      impact: async (command, signal) => {
        const statement = statements[commands.indexOf(command)] ?? first
        return talk.impact(command, statement, await talk.side(signal), signal)
      },
    })
    if ('refusal' in clearance) return talk.skipping || stopped === 'failed' ? 'skipped' : clearance
    const runs = clearance.permits.map((permit, index) => {
      const statement = statements[index]
      if (statement === undefined) throw new Error('more permits than statements')
      return new Run(talk.checkpoint, talk.clock, statement, permit)
    })
    const cleared = afterwards(talk, runs, stopped)
    return cleared instanceof Promise ? await cleared : cleared
  } finally {
    if (probing !== undefined) clearInterval(probing)
    if (asking !== undefined) gone.removeEventListener('abort', stop)
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
function afterwards(talk: Talk, runs: readonly Run[], stopped: 'cancelled' | 'failed' | undefined): Soon<Cleared> {
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
  const all: Some<Run> = [first, ...others]
  return runs.every(isHarmless) ? { runs: all } : unlessObjected(talk, all)
}

/** Who sees everything can still change what names mean for those who do not. */
function isHarmless({ permit, statement }: Run): boolean {
  return permit.masks.empty && !statement.effects.some(({ type }) => type === 'ddl')
}

async function unlessObjected(talk: Talk, runs: Some<Run>): Promise<Cleared> {
  for (const run of runs) {
    if (isHarmless(run)) continue
    const objection = await talk.masker.before(run.statement, run.permit, talk.session)
    if (objection === undefined) continue
    const error = { code: '42501', message: objection }
    for (const each of runs) each.settle(each === run ? { status: 'refused', error } : { status: 'not-run' })
    return { refusal: notUnderstood(objection) }
  }
  for (const { permit } of runs) if (!permit.masks.empty) talk.lastMasked = permit
  return { runs }
}

function withParameters({ command }: Statement, parameters: readonly Parameter[]): Command {
  // A copy also without parameters: the checkpoint may tell commands of one batch apart by identity.
  return { ...command, parameters: parameters.length > 0 ? [...parameters] : command.parameters }
}
