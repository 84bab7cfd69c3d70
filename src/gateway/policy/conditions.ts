/**
 * `when:` of a rule: a CEL expression (https://cel.dev) over what a rule may look at. It is checked against the types
 * below when the config is loaded, so a misspelt fact is a mistake in the file and not a rule that silently never applies.
 */
import { Environment } from '@marcbachmann/cel-js'
import type { Action, Command } from '../../contract/command.ts'
import type { Person } from '../../contract/record.ts'
import { fieldMap } from './field-map.ts'

interface ConditionInput {
  readonly command: Command
  readonly action: Action
  readonly target: {
    readonly name: string
    readonly protocol: string
    readonly labels: Readonly<Record<string, string>>
  }
  readonly person: Person
  readonly agent: string | null
}

/** `undefined`: it could not be worked out (a label that the target does not have); the rule decides what that means. */
export type Condition = (input: ConditionInput) => boolean | undefined

/** What a condition may name, with its type; docs/rules.md explains each. */
const variables = {
  command: {
    protocol: 'string',
    verb: 'string',
    objects: 'list<string>',
    text: 'string',
    fields: 'map<string, list<string>>',
  },
  action: { verb: 'string', kind: 'string', objects: 'list<string>', unbounded: 'bool', arguments: 'list<string>' },
  facts: {
    kind: 'string',
    unbounded: 'bool',
    dynamic: 'bool',
    parsed: 'bool',
    functions: 'list<string>',
    reaches: 'list<string>',
  },
  target: { name: 'string', protocol: 'string', labels: 'map<string, string>' },
  user: { name: 'string', subject: 'string', groups: 'list<string>' },
} as const

const environment = new Environment()
for (const [name, schema] of Object.entries(variables)) environment.registerVariable({ name, schema: { ...schema } })
environment.registerVariable('agent', 'string')

/** Throws a sentence with the place in the expression for one that does not compile or is no yes-or-no question. */
export function compileCondition(source: string): Condition {
  const checked = environment.check(source)
  if (!checked.valid) throw new Error(sentence(checked.error))
  if (String(checked.type) !== 'bool' && String(checked.type) !== 'dyn')
    throw new Error(`the condition gives a ${String(checked.type)}, where a rule needs true or false`)
  const expression = environment.parse(source)
  return (input) => {
    try {
      const result: unknown = expression(contextOf(input))
      return typeof result === 'boolean' ? result : undefined
    } catch {
      return undefined
    }
  }
}

/** May a condition look at a command's text? Only where each `command` goes on with another of its fields it does not. */
export function readsText(source: string): boolean {
  return /command(?!\s*\.\s*(?:protocol|verb|objects|fields)\b)/.test(source)
}

/** The same of its named values. */
export function readsFields(source: string): boolean {
  return /command(?!\s*\.\s*(?:protocol|verb|objects|text)\b)/.test(source)
}

function contextOf({ command, action, target, person, agent }: ConditionInput): Record<string, unknown> {
  return {
    command: {
      protocol: command.protocol,
      verb: command.verb,
      objects: command.objects,
      text: command.text,
      fields: fieldMap(command.fields),
    },
    action: { ...action, arguments: action.arguments ?? [] },
    facts: command.facts,
    target: { name: target.name, protocol: target.protocol, labels: target.labels },
    user: { name: person.user, subject: person.subject, groups: person.groups },
    // CEL has no comfortable null: a person without an agent is the empty string.
    agent: agent ?? '',
  }
}

/** The library draws the place with a caret over several lines; a config mistake is one line. */
function sentence(error: unknown): string {
  const [first = 'it is not understood'] = (error instanceof Error ? error.message : String(error)).split('\n')
  const range: unknown = error instanceof Error && 'range' in error ? error.range : undefined
  if (typeof range !== 'object' || range === null || !('start' in range) || typeof range.start !== 'number')
    return first
  const known = first.startsWith('Unknown variable')
    ? `; known: ${[...Object.keys(variables), 'agent'].join(', ')}`
    : ''
  return `${first} (at character ${range.start + 1} of the condition)${known}`
}
