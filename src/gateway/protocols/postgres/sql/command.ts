/** Drafts and what they resolved to, in the shape that the conversation and policy know. */
import type { Action, Command } from '../../../../contract/command.ts'
import type { Effect, Statement } from '../parts.ts'
import type { Draft } from './draft.ts'
import type { Resolved } from './outcome.ts'

export function asStatement(
  { tree, text }: Draft,
  { actions, facts, eager }: Resolved,
  effects: readonly Effect[],
): Statement {
  return { command: commandOf(text, actions, facts), effects, masking: { tree }, eager }
}

/** What cannot be judged: the worst class. It may change anything about the session. */
export function unparsed(text: string): Statement {
  const action: Action = { verb: 'UNPARSED', kind: 'admin', objects: [], unbounded: false }
  const facts = { kind: 'admin' as const, unbounded: false, dynamic: true, parsed: false, functions: [], reaches: [] }
  return {
    command: commandOf(text, [action], facts),
    effects: [{ type: 'set', value: null, local: false }, { type: 'ddl' }],
    masking: { tree: undefined },
    eager: false,
  }
}

function commandOf(text: string, actions: readonly [Action, ...Action[]], facts: Command['facts']): Command {
  const objects = [...new Set(actions.flatMap((action) => action.objects))]
  return { protocol: 'postgres', verb: actions[0].verb, objects, text, parameters: [], actions: [...actions], facts }
}
