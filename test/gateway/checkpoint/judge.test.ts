/** What policy says is remembered for as long as no rule could say anything else. */
import { expect, it } from 'vitest'
import type { Command } from '../../../src/contract/command.ts'
import { createJudge } from '../../../src/gateway/checkpoint/judge.ts'
import { readsText } from '../../../src/gateway/policy/conditions.ts'
import { compilePolicy, decide, type Policy } from '../../../src/gateway/policy/decide.ts'
import { command, config, person } from '../../support/commands.ts'

const who = { target: 'pg-prod', person: person('dev', 'engineering'), agent: null }
const allow = { name: 'reads', effect: 'allow', match: { kinds: ['read'] } }
const policyOf = (...rules: readonly unknown[]) => compilePolicy(config({ rules: [allow, ...rules] }))
const noBobby = { name: 'no-bobby', effect: 'deny', match: {}, when: 'command.text.contains("bobby")' }

/** Counts how often rules were looked at. */
function watched(policy: Policy): { readonly policy: Policy; asked(): number } {
  let asked = 0
  const allow = policy.allow.map((rule) => ({
    ...rule,
    covers: (...given: Parameters<typeof rule.covers>) => {
      asked += 1
      return rule.covers(...given)
    },
  }))
  return { policy: { ...policy, allow }, asked: () => asked }
}

it('asks the rules once for a statement that runs again with other values', () => {
  const { policy, asked } = watched(policyOf())
  const judge = createJudge(() => policy, who)
  const statement = command()
  const first = judge({ ...statement, parameters: [{ value: '1' }] })
  const before = asked()
  expect(judge({ ...statement, parameters: [{ value: '2' }] })).toBe(first)
  expect(asked()).toBe(before)
  expect(first.decision.verdict).toBe('allow')
})

it('asks anew when the policy has been replaced', () => {
  let policy = policyOf()
  const judge = createJudge(() => policy, who)
  const statement = command()
  expect(judge(statement).decision.verdict).toBe('allow')
  policy = policyOf({ name: 'never', effect: 'deny', match: {} })
  expect(judge(statement).decision).toMatchObject({ verdict: 'deny', rule: 'never' })
})

it('looks at each text where a rule reads it, also of statements that are one in all else', () => {
  const policy = policyOf(noBobby)
  const judge = createJudge(() => policy, who)
  const statement = command({ text: 'SELECT 1' })
  expect(judge(statement).decision.verdict).toBe('allow')
  expect(judge({ ...statement, text: "SELECT 'bobby'" }).decision.rule).toBe('no-bobby')
  expect(judge(statement).decision.verdict).toBe('allow')
})

it.each<[string, (statement: Command) => Command]>([
  ['verb', (statement) => ({ ...statement, verb: 'DROP' })],
  ['objects', (statement) => ({ ...statement, objects: ['public.salaries'] })],
  ['actions', ({ actions, ...rest }) => ({ ...rest, actions: [...actions, { ...actions[0], kind: 'ddl' } as never] })],
  ['facts', (statement) => ({ ...statement, facts: { ...statement.facts, functions: ['pg_catalog.pg_sleep'] } })],
])('does not take a command with other %s for the same', (_what, change) => {
  const policy = policyOf(
    { name: 'verb', effect: 'deny', match: {}, when: 'command.verb == "DROP"' },
    { name: 'objects', effect: 'deny', match: {}, when: 'command.objects.exists(o, o == "public.salaries")' },
    { name: 'functions', effect: 'deny', match: { functions: ['*.pg_sleep'] } },
  )
  const judge = createJudge(() => policy, who)
  const statement = command()
  expect(judge(statement).decision.verdict).toBe('allow')
  const changed = change(statement)
  expect(judge(changed)).toEqual(decide(policy, { command: changed, ...who }))
  expect(judge(changed).decision.verdict).toBe('deny')
})

it.each([
  ['command.text.contains("x")', true],
  ['command["text"] == "x"', true],
  ['command == command', true],
  ['command . text == "x"', true],
  ['[command].exists(c, c.text == "x")', true],
  ['command.verb == "DROP" && command .objects.size() > 1 && action.kind == "ddl"', false],
  ['command.verbs == "DROP"', true],
  ['facts.dynamic', false],
])('knows whether a condition may look at the text: %s', (source, expected) => {
  expect(readsText(source)).toBe(expected)
})
