/** Takes commands to the checkpoint, tells the client while they are held, and turns permits into runs. */
import type { Command, Parameter } from '../../../contract/command.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Statement } from './parts.ts'
import { holdNotice, notUnderstood } from './refusals.ts'
import { Run } from './run.ts'
import { andThen, type Soon } from './soon.ts'
import { askForAnswers, probe, sayAside, type Talk } from './talk.ts'

export type Cleared =
  | { readonly runs: readonly [Run, ...Run[]] }
  | { readonly refusal: Refusal }
  /** An earlier message of the group has failed meanwhile: it would be skipped anyway. */
  | 'skipped'

/** How often a client is asked for a sign of life while it is held and its own messages fill what is read ahead. */
const probeMs = 1000

export type Some<T> = readonly [T, ...T[]]

/** What is asked, statement for statement. */
export function commandsOf([first, ...others]: Some<Statement>, parameters: readonly Parameter[] = []): Some<Command> {
  return [withParameters(first, parameters), ...others.map((statement) => withParameters(statement, parameters))]
}

/** `commands`: those of the statements, in their order. */
export async function clear(
  talk: Talk,
  statements: Some<Statement>,
  commands: Some<Command> = commandsOf(statements),
): Promise<Cleared> {
  let stopped: 'cancelled' | 'failed' | undefined
  /** Made for a hold alone: hardly any command is held, and a signal with its listeners costs more than the rest here. */
  let asking: AbortController | undefined
  let probing: NodeJS.Timeout | undefined
  const { gone } = talk.client.intake
  const stop = () => asking?.abort()
  const stopAsking = (why: 'cancelled' | 'failed') => {
    stopped ??= why
    stop()
  }
  talk.asking.add(stopAsking)
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
        const statement = statements[commands.indexOf(command)] ?? statements[0]
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
    talk.asking.delete(stopAsking)
  }
}

/** Refuses what the conversation cannot take to policy, or need not: that is written down as well. */
export function refuse(
  talk: Talk,
  statements: Some<Statement>,
  why: string,
  parameters: readonly Parameter[] = [],
): Promise<Refusal> {
  return talk.checkpoint.refuse(commandsOf(statements, parameters), why)
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
  return andThen(objectionTo(talk, runs), (found): Cleared => {
    if (found !== undefined) return objected(runs, found)
    for (const { permit } of runs) if (!permit.masks.empty) talk.lastMasked = permit
    return { runs: [first, ...others] }
  })
}

interface Objection {
  readonly run: Run
  readonly why: string
}

/** The first of them that must not be forwarded for what masks it would undo. They are looked at in their order. */
function objectionTo(talk: Talk, runs: readonly Run[]): Soon<Objection | undefined> {
  const [run, ...others] = runs
  if (run === undefined) return undefined
  if (isHarmless(run)) return objectionTo(talk, others)
  return andThen(talk.masker.before(run.statement, run.permit, talk.session), (why) =>
    why === undefined ? objectionTo(talk, others) : { run, why },
  )
}

/** Who sees everything can still change what names mean for those who do not. */
function isHarmless({ permit, statement }: Run): boolean {
  return permit.masks.empty && !statement.effects.some(({ type }) => type === 'ddl')
}

function objected(runs: readonly Run[], { run, why }: Objection): Cleared {
  const error = { code: '42501', message: why }
  for (const each of runs) each.settle(each === run ? { status: 'refused', error } : { status: 'not-run' })
  return { refusal: notUnderstood(why) }
}

function withParameters({ command }: Statement, parameters: readonly Parameter[]): Command {
  // A copy also without parameters: the checkpoint may tell commands of one batch apart by identity.
  return { ...command, parameters: parameters.length > 0 ? [...parameters] : command.parameters }
}
