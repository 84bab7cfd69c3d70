/**
 * One rule, compiled: whom and what it is about. Pure. How several rules add up to a verdict is decide.ts.
 *
 * A rule that restricts (deny, hold) errs towards applying, a rule that allows errs towards not applying: one object of
 * several is enough to be restricted, every object has to be covered to be allowed; a condition that cannot be worked out
 * restricts and does not allow.
 */
import { type Action, type Command, unknownName } from '../../contract/command.ts'
import type { Person } from '../../contract/record.ts'
import type { Match, Rule } from '../config/schema.ts'
import { type Condition, compileCondition, readsFields, readsText } from './conditions.ts'
import { compileFieldRule } from './field-rules.ts'
import {
  compileExactVerbs,
  compileGlob,
  compileGlobs,
  compileLooseNames,
  compileLoosePaths,
  compileVerbs,
  type Fits,
} from './patterns.ts'

/** A target as rules see it. */
export interface RuleTarget {
  readonly name: string
  readonly protocol: string
  readonly labels: Readonly<Record<string, string>>
}

/** Who asks, and where. */
export interface Subject {
  readonly target: RuleTarget
  readonly person: Person
  readonly agent: string | null
}

export interface CompiledRule<R extends Rule = Rule> {
  readonly rule: R
  /** Its condition looks at the command's text, or may do so. */
  readonly readsText: boolean
  /** The same of its named values. */
  readonly readsFields: boolean
  /** Is it about this person, agent and target at all? */
  fitsSubject(subject: Subject): boolean
  /** Does it concern this action, or might it? For restricting. */
  touches(subject: Subject, command: Command, action: Action): boolean
  /** Does it speak of the whole of this action for certain? For allowing. */
  covers(subject: Subject, command: Command, action: Action): boolean
}

/** Throws a sentence for a pattern or condition that is not one. */
export function compileRule<R extends Rule>(rule: R): CompiledRule<R> {
  const fitsSubject = compileSubject(rule.match)
  const condition = rule.when === undefined ? undefined : compileCondition(rule.when)
  const touches = compileAction(rule.match, condition, 'touches')
  const covers = compileAction(rule.match, condition, 'covers')
  return {
    rule,
    readsText: rule.when !== undefined && readsText(rule.when),
    readsFields: rule.match.fields !== undefined || (rule.when !== undefined && readsFields(rule.when)),
    fitsSubject,
    touches,
    covers,
  }
}

/** The part of a match that is about who and where; masks use the same. */
export function compileSubject(
  match: Pick<Match, 'targets' | 'labels' | 'protocols' | 'users' | 'groups' | 'agents'>,
): (subject: Subject) => boolean {
  const fitsTarget = compileTarget(match)
  const users = optional(match.users, compileGlobs)
  const groups = optional(match.groups, compileGlobs)
  const agents = optional(match.agents, compileGlobs)
  const withoutAgent = match.agents?.includes('none') ?? true
  return ({ target, person, agent }) =>
    fitsTarget(target) &&
    (users === undefined || users(person.user)) &&
    (groups === undefined || person.groups.some(groups)) &&
    (agents === undefined || (agent === null ? withoutAgent : agents(agent)))
}

/** The part of a match that is about the target alone. */
export function compileTarget(match: Pick<Match, 'targets' | 'labels' | 'protocols'>): (target: RuleTarget) => boolean {
  const names = optional(match.targets, compileGlobs)
  const labels = Object.entries(match.labels ?? {}).map(([key, value]) => [key, compileGlob(value)] as const)
  const protocols: readonly string[] | undefined = match.protocols
  return (target) =>
    (names === undefined || names(target.name)) &&
    (protocols === undefined || protocols.includes(target.protocol)) &&
    labels.every(([key, fits]) => {
      const value = Object.hasOwn(target.labels, key) ? target.labels[key] : undefined
      return value !== undefined && fits(value)
    })
}

type Test = (subject: Subject, command: Command, action: Action) => boolean

function compileAction(match: Match, condition: Condition | undefined, how: 'touches' | 'covers'): Test {
  const verbs = optional(match.verbs, how === 'touches' ? compileVerbs : compileExactVerbs)
  const names = how === 'touches' ? compileLooseNames : compileGlobs
  const objects = optional(match.objects, names)
  // Paths of HTTP are names only to who serves them: many take `/Admin` for `/admin`. Other protocols' have a case.
  const paths = how === 'touches' ? optional(match.objects, compileLoosePaths) : objects
  const functions = optional(match.functions, names)
  const words = optional(match.arguments, compileGlobs)
  const reaches: readonly string[] | undefined = match.reaches
  const fields = optional(match.fields, (patterns) => compileFieldRule(patterns, how))
  const fitAll = how === 'touches' ? someFit : everyFits

  return ({ target, person, agent }, command, action) => {
    const { facts } = command
    if ((match.unparsed ?? false) !== !facts.parsed) return false
    if (match.unbounded !== undefined && match.unbounded !== action.unbounded) return false
    if (match.dynamic !== undefined && match.dynamic !== facts.dynamic) return false
    if (match.kinds !== undefined && !match.kinds.includes(action.kind)) return false
    if (verbs !== undefined && !verbs(action.verb)) return false
    const named = command.protocol === 'http' ? paths : objects
    if (named !== undefined && !fitAll(action.objects, named)) return false
    if (functions !== undefined && !fitAll(facts.functions, functions)) return false
    if (words !== undefined && !fitAll(action.arguments ?? [], words)) return false
    if (reaches !== undefined && !fitAll(facts.reaches, (reach) => reaches.includes(reach))) return false
    if (fields !== undefined && !fields(command.fields ?? [])) return false
    if (condition === undefined) return true
    // Fail closed: what cannot be worked out restricts and does not allow.
    return condition({ command, action, target, person, agent }) ?? how === 'touches'
  }
}

/** What is not known yet may be what the rule is about. */
function someFit(names: readonly string[], fits: Fits): boolean {
  return names.some((name) => fits(name) || name === unknownName)
}

/** At least one, so that a rule about certain objects says nothing of commands that name none. */
function everyFits(names: readonly string[], fits: Fits): boolean {
  return names.length > 0 && names.every(fits)
}

function optional<T, R>(given: T | undefined, compile: (given: T) => R): R | undefined {
  return given === undefined ? undefined : compile(given)
}
