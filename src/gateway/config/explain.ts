/** A configuration in words: for each target who may open it, and which rules and masks apply there. Pure. */
import { compileTarget } from '../policy/rules.ts'
import type { Loaded } from './load.ts'
import type { MaskRule, Match, Rule, TargetConfig } from './schema.ts'

export interface TargetExplanation {
  readonly name: string
  /** `postgres at db.acme:5432 as hoop, TLS verify-full`. */
  readonly where: string
  /** Groups of which one is needed. */
  readonly access: readonly string[]
  /** In the order in which they count: deny, hold, allow. Without an allow the target is closed. */
  readonly rules: readonly RuleExplanation[]
  readonly masks: readonly { readonly name: string; readonly sentence: string }[]
}

interface RuleExplanation {
  readonly name: string
  readonly effect: Rule['effect']
  readonly sentence: string
}

const order = { deny: 0, hold: 1, allow: 2 } as const

export function explainConfig({ config }: Pick<Loaded, 'config'>): readonly TargetExplanation[] {
  return config.targets.map((target) => ({
    name: target.name,
    where: whereOf(target),
    access: target.access.groups,
    rules: config.rules
      .filter(({ match }) => compileTarget(match)(target))
      .toSorted((a, b) => order[a.effect] - order[b.effect])
      .map((rule) => ({ name: rule.name, effect: rule.effect, sentence: sentenceOf(rule) })),
    masks: config.masks
      .filter(({ match }) => compileTarget(match)(target))
      .map((mask) => ({ name: mask.name, sentence: maskSentence(mask) })),
  }))
}

/** Lines for a terminal. */
export function explanationLines(explained: readonly TargetExplanation[]): readonly string[] {
  return explained.flatMap(({ name, where, access, rules, masks }) => {
    const width = Math.max(0, ...rules.map(({ name }) => name.length), ...masks.map(({ name }) => name.length))
    const closed = rules.some(({ effect }) => effect === 'allow') ? [] : ['  closed: no rule allows anything']
    return [
      `${name}: ${where}`,
      `  may be opened by: ${access.join(', ')}`,
      ...rules.map(({ name, sentence }) => `  ${name.padEnd(width)}  ${sentence}`),
      ...masks.map(({ name, sentence }) => `  ${name.padEnd(width)}  ${sentence}`),
      ...closed,
      '',
    ]
  })
}

function whereOf(target: TargetConfig): string {
  const { protocol, host, port, user, tls, secret } = target
  // The query may hold a program's arguments.
  const login = secret === undefined ? 'without a secret' : `secret from ${secret.replace(/\?.*$/s, '')}`
  const how = howOf(target)
  return `${protocol} at ${host}:${port}${user === '' ? '' : ` as ${user}`}, TLS ${tls.mode}, ${login}${how}`
}

/** In which way the secret lets the gateway in, where there are several. */
function howOf({ protocol, secret, http, kubernetes }: TargetConfig): string {
  if (secret === undefined) return ''
  if (protocol === 'kubernetes')
    return ` as ${kubernetes.login}${kubernetes.impersonate ? ', acting as the person' : ''}`
  if (protocol !== 'http') return ''
  const { login, name } = http
  return name === undefined ? ` as ${login}` : ` in the ${login === 'query' ? 'query parameter' : 'header'} "${name}"`
}

function sentenceOf(rule: Rule): string {
  const what = `${whatOf(rule.match)}${rule.when === undefined ? '' : `, when ${rule.when}`}`
  switch (rule.effect) {
    case 'deny':
      return `denies ${what}`
    case 'hold': {
      const { groups, count } = rule.approvers
      return `holds ${what}: asks ${count} of ${groups.join(' or ')}, for ${duration(rule.expires)}`
    }
    case 'allow':
      return `allows ${what}`
    default:
      return rule satisfies never
  }
}

function whatOf(match: Match): string {
  const lists = [
    ['verbs', match.verbs],
    ['kinds', match.kinds],
    ['objects', match.objects],
    ['functions', match.functions],
    ['arguments', match.arguments],
    ['reaching', match.reaches],
    ['with', match.fields],
  ] as const
  const who = [
    ['users', match.users],
    ['groups', match.groups],
    ['agents', match.agents],
  ] as const
  const said = (given: typeof lists | typeof who) =>
    given.flatMap(([word, values]) => (values === undefined ? [] : [`${word} ${values.join(', ')}`]))
  const flags = (['unbounded', 'dynamic', 'unparsed'] as const).flatMap((flag) =>
    match[flag] === undefined ? [] : [match[flag] ? flag : `not ${flag}`],
  )
  const what = [...said(lists), ...flags].join(' and ') || 'everything'
  const whose = said(who)
  return whose.length === 0 ? what : `${what} of ${whose.join(' and ')}`
}

function maskSentence({ columns, fields, detectors, style, match, except }: MaskRule): string {
  const what = [
    ...(columns ?? []),
    ...(fields ?? []).map((pattern) => `members ${pattern}`),
    ...(detectors ?? []).map((name) => `anything like ${name}`),
  ].join(', ')
  const whom = (['users', 'groups', 'agents'] as const).flatMap((key) =>
    match[key] === undefined ? [] : [`${key} ${match[key].join(', ')}`],
  )
  const whose = whom.length === 0 ? '' : ` for ${whom.join(' and ')}`
  return `masks ${what} (${style})${whose}${except === undefined ? '' : `, except for ${except.groups.join(', ')}`}`
}

function duration(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ] as const
  const [size, unit] = units.find(([size]) => ms >= size && ms % size === 0) ?? [1, 'ms']
  return `${ms / size} ${unit}`
}
