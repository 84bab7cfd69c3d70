/**
 * What a schema cannot see: references to nothing, rules that can never apply, conditions that do not compile, settings
 * that would be unsafe. Pure.
 */
import { isLoopback } from '../../base/loopback.ts'
import type { ProtocolName } from '../../contract/command.ts'
import { compileCondition } from '../policy/conditions.ts'
import { compileFields } from '../policy/field-patterns.ts'
import { compileFieldRule } from '../policy/field-rules.ts'
import { compileGlob } from '../policy/patterns.ts'
import { compileTarget } from '../policy/rules.ts'
import type { Abilities } from '../protocols/protocol.ts'
import { httpFindings } from './meaning-http.ts'
import { didYouMean, type Finding, mistake, type Path, warning } from './mistakes.ts'
import type { Config, Match, MaskRule, Rule, TargetConfig } from './schema.ts'

type AbilitiesOf = Readonly<Record<ProtocolName, Abilities>>
type Readable = Omit<Config, 'hash'>

export function findingsIn(config: Readable, abilities: AbilitiesOf): readonly Finding[] {
  return [
    ...duplicates(config.targets, 'targets', 'target'),
    ...duplicates(config.rules, 'rules', 'rule'),
    ...duplicates(config.masks, 'masks', 'mask'),
    ...config.rules.flatMap((rule, at) => ruleFindings(rule, ['rules', at], config.targets, abilities)),
    ...config.masks.flatMap((mask, at) => maskFindings(mask, ['masks', at], config.targets, abilities)),
    ...config.targets.flatMap((target, at) => targetFindings(target, ['targets', at], config.rules)),
    ...safety(config),
  ]
}

function duplicates(named: readonly { readonly name: string }[], list: string, what: string): readonly Finding[] {
  return named.flatMap(({ name }, at) =>
    named.findIndex((other) => other.name === name) < at
      ? [mistake([list, at, 'name'], `there is another ${what} named "${name}"`)]
      : [],
  )
}

function ruleFindings(
  rule: Rule,
  path: Path,
  targets: readonly TargetConfig[],
  abilities: AbilitiesOf,
): readonly Finding[] {
  const found = matchFindings(rule.match, [...path, 'match'], targets)
  if (rule.when !== undefined)
    try {
      compileCondition(rule.when)
    } catch (error) {
      found.push(mistake([...path, 'when'], `the condition does not compile: ${sentence(error)}`))
    }
  if (rule.effect === 'hold') {
    for (const { name, protocol } of aboutTargets(rule.match, targets))
      if (!abilities[protocol].hold)
        found.push(mistake(path, `rule "${rule.name}" holds commands of target "${name}", and ${protocol} cannot wait`))
    // Timers end at 2^31 ms: a longer one would fire at once.
    if (rule.expires > 20 * 86_400_000) found.push(mistake([...path, 'expires'], '"expires" is longer than 20 days'))
  }
  if (rule.effect === 'allow')
    for (const key of ['objects', 'functions'] as const)
      for (const [at, pattern] of (rule.match[key] ?? []).entries())
        if (!/[./*]/.test(pattern))
          found.push(
            warning(
              [...path, 'match', key, at],
              `"${pattern}" has no schema, and a rule that allows compares whole names: write "public.${pattern}" or "*.${pattern}"`,
            ),
          )
  return found
}

function maskFindings(
  mask: MaskRule,
  path: Path,
  targets: readonly TargetConfig[],
  abilities: AbilitiesOf,
): readonly Finding[] {
  const found = matchFindings(mask.match, [...path, 'match'], targets)
  for (const [at, pattern] of (mask.columns ?? []).entries())
    found.push(...patternFindings(pattern, [...path, 'columns', at]))
  for (const [at, pattern] of (mask.fields ?? []).entries())
    found.push(...compiles([...path, 'fields', at], () => compileFields([{ pattern, style: mask.style }])))
  for (const { name, protocol } of aboutTargets(mask.match, targets)) {
    const { maskColumns, maskText, maskFields } = abilities[protocol]
    if (mask.columns !== undefined && !maskColumns)
      found.push(mistake([...path, 'columns'], `${protocol} cannot mask columns, and this is about target "${name}"`))
    if (mask.fields !== undefined && !maskFields)
      found.push(mistake([...path, 'fields'], `${protocol} cannot mask fields, and this is about target "${name}"`))
    if (mask.detectors !== undefined && !maskText)
      found.push(mistake([...path, 'detectors'], `${protocol} cannot mask text, and this is about target "${name}"`))
  }
  return found
}

/** References that fit nothing are mistakes when they are plain names, and warnings when they are patterns. */
function matchFindings(match: Match, path: Path, targets: readonly TargetConfig[]): Finding[] {
  const found: Finding[] = []
  for (const key of ['targets', 'users', 'groups', 'agents', 'verbs', 'objects', 'functions', 'arguments'] as const)
    for (const [at, pattern] of (match[key] ?? []).entries())
      found.push(...patternFindings(pattern, [...path, key, at]))
  for (const [at, pattern] of (match.fields ?? []).entries())
    found.push(...fieldFindings(pattern, [...path, 'fields', at]))
  for (const [key, pattern] of Object.entries(match.labels ?? {}))
    found.push(...patternFindings(pattern, [...path, 'labels', key]))
  if (found.length > 0 || targets.length === 0) return found

  const names = targets.map(({ name }) => name)
  for (const [at, pattern] of (match.targets ?? []).entries())
    if (!names.some(compileGlob(pattern)))
      found.push(fitsNothing(pattern, [...path, 'targets', at], `no target is named "${pattern}"`, names))
  for (const [key, pattern] of Object.entries(match.labels ?? {})) {
    const values = targets.flatMap(({ labels }) => (Object.hasOwn(labels, key) ? [labels[key] ?? ''] : []))
    const keys = new Set(targets.flatMap(({ labels }) => Object.keys(labels)))
    const at = [...path, 'labels', key]
    if (values.length === 0)
      found.push({ ...mistake(at, `no target has a label "${key}"${didYouMean(key, keys)}`), atKey: true })
    else if (!values.some(compileGlob(pattern)))
      found.push(fitsNothing(pattern, at, `no target has the label ${key}: ${pattern}`, values))
  }
  if (found.length === 0 && aboutTargets(match, targets).length === 0)
    found.push(mistake(path, 'no target fits all of this, so it can never apply'))
  return found
}

function fitsNothing(pattern: string, path: Path, message: string, known: readonly string[]): Finding {
  return /[*?{]/.test(pattern)
    ? warning(path, `${message}: this pattern fits nothing`)
    : mistake(path, `${message}${didYouMean(pattern, known)}`)
}

function patternFindings(pattern: string, path: Path): readonly Finding[] {
  return compiles(path, () => compileGlob(pattern))
}

function compiles(path: Path, compile: () => unknown): readonly Finding[] {
  try {
    compile()
    return []
  } catch (error) {
    return [mistake(path, sentence(error))]
  }
}

/** `place=value` of a rule. */
function fieldFindings(pattern: string, path: Path): readonly Finding[] {
  if (/^body:[\w$-]/.test(pattern))
    return [mistake(path, `"${pattern}" has no pointer behind "body:": write "body:/${pattern.slice('body:'.length)}"`)]
  return compiles(path, () => compileFieldRule([pattern], 'touches'))
}

function aboutTargets(match: Match, targets: readonly TargetConfig[]): readonly TargetConfig[] {
  try {
    return targets.filter(compileTarget(match))
  } catch {
    // A broken pattern, found above.
    return []
  }
}

function targetFindings(target: TargetConfig, path: Path, rules: readonly Rule[]): readonly Finding[] {
  const found: Finding[] = []
  const opening = rules.filter(({ effect, match }) => effect === 'allow' && aboutTargets(match, [target]).length > 0)
  if (target.user === '' && (target.protocol === 'postgres' || target.protocol === 'ssh'))
    found.push(mistake([...path, 'user'], `"${target.name}" needs a user to log in as`))
  if (target.protocol === 'http') found.push(...httpFindings(target, path))
  const reachable = opening.some(
    ({ match: { groups } }) => groups === undefined || target.access.groups.some((group) => someFit(groups, group)),
  )
  if (!reachable)
    found.push(
      warning([...path, 'name'], `target "${target.name}" is closed: no allow rule is about it and who may open it`),
    )
  if (target.tls.mode !== 'verify-full' && !isLoopback(target.host))
    found.push(
      warning(
        [...path, 'tls', 'mode'],
        target.tls.mode === 'disable'
          ? `the connection to "${target.name}" is not encrypted`
          : `the certificate of "${target.name}" is not checked: whoever answers in its place is trusted`,
      ),
    )
  return found
}

function someFit(patterns: readonly string[], name: string): boolean {
  try {
    return patterns.some((pattern) => compileGlob(pattern)(name))
  } catch {
    return false
  }
}

function safety({ identity, audit, limits, targets }: Readable): readonly Finding[] {
  const found: Finding[] = []
  const issuer = new URL(identity.issuer)
  if (issuer.protocol !== 'https:' && !isLoopback(issuer.hostname))
    found.push(mistake(['identity', 'issuer'], 'the issuer has to be reached by https: its keys decide who is who'))
  if (!audit.flush)
    found.push(warning(['audit', 'flush'], 'records are not flushed: a power cut may lose what was forwarded already'))
  // Timers end at 2^31 ms: a longer one would fire at once.
  if (limits.connection > 20 * 86_400_000)
    found.push(mistake(['limits', 'connection'], '"connection" is longer than 20 days'))
  if (targets.length === 0) found.push(warning(['targets'], 'there is no target'))
  return found
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
