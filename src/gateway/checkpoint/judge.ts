/**
 * What policy says, remembered: the same statement runs a thousand times, and 200 rules asked each time would be most of
 * what it costs. A judgement is good while policy and everything that rules may look at are the same: actions, facts and
 * objects by identity (a protocol hands out the same ones for the same statement, and nobody alters them), and text and named
 * values where a rule reads them. Parameters are nothing that rules see.
 */
import type { Command, Facts } from '../../contract/command.ts'
import { type Judgement, judgeFor, type Policy, type Question } from '../policy/decide.ts'

/** What a judgement hangs on besides the facts, by which it is kept. Parameters may be large, and are not among it. */
interface Remembered extends Pick<Command, 'protocol' | 'verb' | 'objects' | 'actions'> {
  /** undefined: no rule reads it. */
  readonly text: string | undefined
  readonly fields: Command['fields']
  readonly judgement: Judgement
}

/** `policy` is what is in force now; it is asked for every command, because it may be reloaded. */
export function createJudge(policy: () => Policy, who: Omit<Question, 'command'>): (command: Command) => Judgement {
  let current: { readonly policy: Policy; readonly judge: (command: Command) => Judgement } | undefined
  return (command) => {
    const now = policy()
    if (current?.policy !== now) current = { policy: now, judge: remembering(now, judgeFor(now, who)) }
    return current.judge(command)
  }
}

function remembering(
  { readsText, readsFields }: Policy,
  judge: (command: Command) => Judgement,
): (command: Command) => Judgement {
  const remembered = new WeakMap<Facts, Remembered>()
  return (command) => {
    const { protocol, verb, objects, actions } = command
    const text = readsText ? command.text : undefined
    const fields = readsFields ? command.fields : undefined
    const known = remembered.get(command.facts)
    if (
      known !== undefined &&
      known.actions === actions &&
      known.objects === objects &&
      known.fields === fields &&
      known.verb === verb &&
      known.protocol === protocol &&
      known.text === text
    )
      return known.judgement
    const judgement = judge(command)
    remembered.set(command.facts, { protocol, verb, objects, actions, text, fields, judgement })
    return judgement
  }
}
