/** What the schema says of a configuration that does not fit it, in sentences, with the key that was probably meant. */
import { z } from 'zod'
import { type Config, configSchema } from './schema.ts'
import { closest, didYouMean, type Finding, type Path } from './mistakes.ts'

export type Shaped = { readonly config: Omit<Config, 'hash'> } | { readonly findings: readonly Finding[] }

export function shape(value: unknown): Shaped {
  if (value === null || value === undefined)
    return { findings: [{ path: [], severity: 'mistake', message: 'the file is empty' }] }
  const parsed = configSchema.safeParse(value)
  if (parsed.success) return { config: parsed.data }
  const { issues } = parsed.error
  const meant = new Set(issues.flatMap((issue) => meantIn(issue, value)))
  // A misspelt key is one mistake, not two: it is there, and is not missing.
  const telling = issues.filter(
    ({ path }) => valueAt(value, plain(path)) !== undefined || !meant.has(JSON.stringify(path)),
  )
  return { findings: telling.flatMap((issue) => findingsOf(issue, value)) }
}

/** Paths of the keys that were meant by those that nobody knows. */
function meantIn(issue: z.core.$ZodIssue, value: unknown): readonly string[] {
  if (issue.code !== 'unrecognized_keys') return []
  const path = plain(issue.path)
  return issue.keys.flatMap((key) => {
    const guess = closest(key, keysAt(configSchema, path, value))
    return guess === undefined ? [] : [JSON.stringify([...path, guess])]
  })
}

function plain(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step))
}

function findingsOf(issue: z.core.$ZodIssue, value: unknown): readonly Finding[] {
  const path = plain(issue.path)
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(configSchema, path, value)
    return issue.keys.map((key) => ({
      path: [...path, key],
      atKey: true,
      severity: 'mistake',
      message: `there is no key "${key}"${inside(path)}${didYouMean(key, known) || `; known: ${known.join(', ')}`}`,
    }))
  }
  // A schema's own sentence says already that something is missing.
  const missing = valueAt(value, path) === undefined && issue.code !== 'custom'
  const name = nameOf(path)
  const message = missing
    ? `${name} is missing${inside(path.slice(0, -1))}${expectation(issue)}`
    : `${name} ${complaint(issue, valueAt(value, path))}`
  return [{ path, severity: 'mistake', message }]
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return `: ${choices(optionsOf(issue))}`
  if (issue.code === 'invalid_value') return `: ${choices(issue.values)}`
  return ''
}

/** The value itself is quoted only where it is one of a few words: anything else could be a secret in the wrong place. */
function complaint(issue: z.core.$ZodIssue, given: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `has to be ${article(issue.expected)}, and is ${article(typeOf(given))}`
    case 'invalid_value':
      return `has to be ${choices(issue.values)}${meant(given, issue.values)}`
    case 'invalid_union': {
      if (issue.discriminator !== undefined)
        return `has to be ${choices(optionsOf(issue))}${meant(given, optionsOf(issue))}`
      const nested = issue.errors.flat()
      // The branch that the value came closest to: one that complains of its form and not of its type.
      const best = nested.find(({ code }) => code !== 'invalid_type')
      if (best !== undefined) return complaint(best, given)
      const types = nested.flatMap((inner) => (inner.code === 'invalid_type' ? [article(inner.expected)] : []))
      return `has to be ${types.join(' or ')}`
    }
    case 'invalid_format':
      return issue.format === 'url'
        ? 'has to be a URL'
        : `has to be made of: ${issue.message}`.replace('made of: a ', 'a ')
    case 'too_small':
    case 'too_big':
      return `is out of range: ${issue.message.replace(/^Too (small|big): /, '')}`
    case 'custom':
      return given === undefined ? issue.message : `is not right: ${issue.message}`
    default:
      return `is not right: ${issue.message}`
  }
}

/** Of a union told apart by a key: what that key may be. The library gives them without declaring them. */
function optionsOf(issue: z.core.$ZodIssue): readonly unknown[] {
  return 'options' in issue && Array.isArray(issue.options) ? issue.options : []
}

function meant(given: unknown, options: readonly unknown[]): string {
  return typeof given === 'string' && given.length < 40 ? didYouMean(given, options.map(String)) : ''
}

function choices(options: readonly unknown[]): string {
  const words = options.map(String)
  return words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`
}

function article(type: string): string {
  if (type === 'undefined' || type === 'null') return 'nothing'
  const words: Record<string, string> = {
    object: 'a map of keys',
    record: 'a map of keys',
    array: 'a list',
    int: 'a whole number',
  }
  return words[type] ?? `a ${type}`
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** `"port"`, `item 3 of "groups"`. */
function nameOf(path: Path): string {
  const last = path.at(-1)
  if (last === undefined) return 'the file'
  return typeof last === 'number' ? `item ${last + 1} of "${String(path.at(-2))}"` : `"${last}"`
}

function inside(path: Path): string {
  return path.length === 0
    ? ''
    : ` in ${path
        .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
        .join('')
        .replace(/^\./, '')}`
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = Reflect.get(at, step)
  }
  return at
}

/** The keys that the schema knows at this path; of a union, those of the branch that the value chose. */
function keysAt(schema: unknown, path: Path, value: unknown): readonly string[] {
  const bare = unwrap(schema)
  if (bare instanceof z.ZodDiscriminatedUnion) {
    const key = bare.def.discriminator
    const chosen = valueAt(value, [key])
    const branches = bare.options.map(unwrap).filter((option) => option instanceof z.ZodObject)
    const branch = branches.find(
      (option) => unwrap(option.shape[key]) instanceof z.ZodLiteral && option.shape[key].safeParse(chosen).success,
    )
    return branch === undefined ? [] : keysAt(branch, path, value)
  }
  const [step, ...rest] = path
  if (step === undefined) return bare instanceof z.ZodObject ? Object.keys(bare.shape) : []
  if (bare instanceof z.ZodArray) return keysAt(bare.element, rest, valueAt(value, [step]))
  if (bare instanceof z.ZodObject) return keysAt(bare.shape[step], rest, valueAt(value, [step]))
  return []
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrap(schema.unwrap())
  return schema
}
