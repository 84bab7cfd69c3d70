/**
 * The verdict on one command. Pure: same policy, same question, same answer.
 *
 * Effects are ordered, rules are not: deny over hold over allow. A target is closed to whom no allow rule speaks of there.
 * On an open target every action of a command has to be covered by an allow rule, or by a hold rule (then people decide).
 */
import type { Action, Command } from '../../contract/command.ts'
import type { Decision } from '../../contract/record.ts'
import type { Config, Rule } from '../config/schema.ts'
import { type CompiledRule, compileRule, type RuleTarget, type Subject } from './rules.ts'

export type HoldRule = Extract<Rule, { effect: 'hold' }>
type DenyRule = Extract<Rule, { effect: 'deny' }>
type AllowRule = Extract<Rule, { effect: 'allow' }>

/** The rules of one configuration, compiled. */
export interface Policy {
  /** SHA-256 of the configuration. */
  readonly config: string
  readonly target: (name: string) => (RuleTarget & { readonly access: readonly string[] }) | undefined
  readonly deny: readonly CompiledRule<DenyRule>[]
  readonly hold: readonly CompiledRule<HoldRule>[]
  readonly allow: readonly CompiledRule<AllowRule>[]
  /** Some rule looks at what a command's text says: commands that are alike in all else may be judged differently. */
  readonly readsText: boolean
  /** The same of its named values. */
  readonly readsFields: boolean
}

export interface Judgement {
  readonly decision: Decision
  /** Every hold rule that applies, when the verdict is hold: all of them have to be satisfied. */
  readonly holds: readonly HoldRule[]
  /** Refused because it could not be understood, and not because of a rule. */
  readonly notUnderstood: boolean
}

export interface Question {
  readonly command: Command
  readonly target: string
  readonly person: Subject['person']
  readonly agent: string | null
}

/** Throws a sentence for a rule that does not compile; load.ts has found those before. */
export function compilePolicy(config: Pick<Config, 'hash' | 'targets' | 'rules'>): Policy {
  const targets = new Map(
    config.targets.map(({ name, protocol, labels, access }) => [
      name,
      { name, protocol, labels, access: access.groups },
    ]),
  )
  const deny: CompiledRule<DenyRule>[] = []
  const hold: CompiledRule<HoldRule>[] = []
  const allow: CompiledRule<AllowRule>[] = []
  for (const rule of config.rules) {
    if (rule.effect === 'deny') deny.push(compileRule(rule))
    else if (rule.effect === 'hold') hold.push(compileRule(rule))
    else allow.push(compileRule(rule))
  }
  const rules = [...deny, ...hold, ...allow]
  const readsText = rules.some((rule) => rule.readsText)
  const readsFields = rules.some((rule) => rule.readsFields)
  return { config: config.hash, target: (name) => targets.get(name), deny, hold, allow, readsText, readsFields }
}

export function decide(policy: Policy, { command, ...who }: Question): Judgement {
  return judgeFor(policy, who)(command)
}

/** Says what policy says of any command of one person on one target: what of the rules is about them is found out once. */
export function judgeFor(policy: Policy, who: Omit<Question, 'command'>): (command: Command) => Judgement {
  const { target: name, person, agent } = who
  const target = policy.target(name)
  const always = (judgement: Judgement) => () => judgement
  if (target === undefined)
    return always(denied(policy, null, `there is no target "${name}" in the configuration any more`))
  if (!isAdmitted(target.access, person.groups)) return always(denied(policy, null, `you have no access to "${name}"`))

  const subject: Subject = { target, person, agent }
  const about = <R extends Rule>(rules: readonly CompiledRule<R>[]) => rules.filter((rule) => rule.fitsSubject(subject))
  const rules: Rules = { deny: about(policy.deny), hold: about(policy.hold), allow: about(policy.allow) }
  // Fail closed: a hold alone opens nothing, or a reviewer's yes would be the only thing between anybody and the target.
  if (rules.allow.length === 0)
    return always(denied(policy, null, `"${name}" is closed to you: no rule allows anything there`))
  return (command) => judge(policy, subject, rules, command)
}

/** Those of a policy that are about one subject. */
type Rules = Pick<Policy, 'deny' | 'hold' | 'allow'>

function judge(policy: Policy, subject: Subject, rules: Rules, command: Command): Judgement {
  // A protocol that found nothing in a command to judge has not understood it.
  if (command.actions.length === 0) return notUnderstood(policy, 'it holds no action that could be judged')

  const applies = (rule: CompiledRule) => command.actions.some((action) => rule.touches(subject, command, action))
  const deny = rules.deny.find(applies)
  if (deny !== undefined)
    return denied(
      policy,
      deny.rule.name,
      deny.rule.message ?? `rule "${deny.rule.name}" denies ${firstTouched(deny, subject, command)}`,
    )

  const holds = rules.hold.filter(applies)
  const grants: readonly CompiledRule[] = [...rules.allow, ...holds]
  const uncovered = command.actions.find((action) => !grants.some((rule) => rule.covers(subject, command, action)))
  if (uncovered !== undefined) {
    if (!command.facts.parsed)
      return notUnderstood(policy, 'it is not understood, and no rule allows what is not understood')
    return denied(policy, null, `no rule allows ${describeAction(uncovered)} on "${subject.target.name}"`)
  }

  const [first] = holds
  if (first !== undefined) {
    const { name: rule, message, approvers } = first.rule
    const people = approvers.count === 1 ? 'one of' : `${approvers.count} of`
    return {
      decision: {
        verdict: 'hold',
        rule,
        reason: message ?? `rule "${rule}" asks ${people} ${approvers.groups.join(', ')} to approve it`,
        config: policy.config,
      },
      holds: holds.map(({ rule }) => rule),
      notUnderstood: false,
    }
  }

  const [firstAction] = command.actions
  const allow = rules.allow.find((rule) => firstAction !== undefined && rule.covers(subject, command, firstAction))
  const rule = allow?.rule.name ?? null
  return {
    decision: { verdict: 'allow', rule, reason: `rule "${rule}" allows it`, config: policy.config },
    holds: [],
    notUnderstood: false,
  }
}

/** May someone with these groups open the target at all? */
export function isAdmitted(access: readonly string[], groups: readonly string[]): boolean {
  return groups.some((group) => access.includes(group))
}

/** Is there any allow rule about this person on this target? Without one the target is closed. */
export function isOpen(policy: Policy, subject: Subject): boolean {
  return policy.allow.some((rule) => rule.fitsSubject(subject))
}

function denied(policy: Policy, rule: string | null, reason: string): Judgement {
  return { decision: { verdict: 'deny', rule, reason, config: policy.config }, holds: [], notUnderstood: false }
}

function notUnderstood(policy: Policy, reason: string): Judgement {
  return { ...denied(policy, null, reason), notUnderstood: true }
}

function firstTouched(rule: CompiledRule, subject: Subject, command: Command): string {
  const action = command.actions.find((action) => rule.touches(subject, command, action))
  return action === undefined ? command.verb : describeAction(action)
}

function describeAction({ verb, objects, unbounded }: Action): string {
  const what = objects.length === 0 ? verb : `${verb} ${objects.slice(0, 3).join(', ')}`
  const more = objects.length > 3 ? ` and ${objects.length - 3} more` : ''
  return `${what}${more}${unbounded ? ' without a bound' : ''}`
}
