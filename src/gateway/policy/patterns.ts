/**
 * Globs over names: `*` is any run of characters (dots and slashes too), `?` is one, `{a,b}` is either, `\` takes the next
 * character literally. Path globs treat `/` and dots specially, which is wrong for `public.users` and `devin@acme`.
 * Matching takes time in proportion to pattern × name, whatever the pattern: names come from whoever asks.
 */

export type Fits = (name: string) => boolean

/** More alternatives than any person writes by hand: `{a,b}{c,d}…` doubles with each brace. */
const mostAlternatives = 1000

/** Does any of these patterns fit? Throws a sentence for a pattern that is not one. */
export function compileGlobs(patterns: readonly string[]): Fits {
  const fits = patterns.map(compileGlob)
  return (name) => fits.some((one) => one(name))
}

export function compileGlob(pattern: string): Fits {
  const alternatives = expandBraces(pattern).map(tokens)
  return (name) => alternatives.some((glob) => globFits(glob, name))
}

const anyRun = Symbol('*')
const anyOne = Symbol('?')
type Token = string | typeof anyRun | typeof anyOne

function tokens(pattern: string): readonly Token[] {
  const found: Token[] = []
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at)
    if (char === '\\') {
      at += 1
      if (at === pattern.length) throw new Error(`the pattern "${pattern}" ends with a lone backslash`)
      found.push(pattern.charAt(at))
    } else if (char === '*') {
      if (found.at(-1) !== anyRun) found.push(anyRun)
    } else found.push(char === '?' ? anyOne : char)
  }
  return found
}

/** Greedy with one step back to the latest star: never exponential, because only that star can still grow. */
function globFits(glob: readonly Token[], name: string): boolean {
  let at = 0
  let inGlob = 0
  let star = -1
  let starAt = 0
  while (at < name.length) {
    const token = glob[inGlob]
    if (token === anyRun) {
      star = inGlob
      starAt = at
      inGlob += 1
    } else if (token !== undefined && (token === anyOne || token === name.charAt(at))) {
      inGlob += 1
      at += 1
    } else if (star >= 0) {
      inGlob = star + 1
      starAt += 1
      at = starAt
    } else return false
  }
  while (glob[inGlob] === anyRun) inGlob += 1
  return inGlob === glob.length
}

/** `a{b,c}d` → `abd`, `acd`; nested too. Escapes are left for tokens(). */
function expandBraces(pattern: string): readonly string[] {
  const finished: string[] = []
  const waiting = [pattern]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (finished.length + waiting.length > mostAlternatives)
      throw new Error(`the pattern "${pattern}" stands for more than ${mostAlternatives} alternatives`)
    const brace = firstBrace(next)
    if (brace === undefined) finished.push(next)
    else for (const choice of brace.choices) waiting.push(`${brace.before}${choice}${brace.after}`)
  }
  return finished
}

function firstBrace(
  pattern: string,
): { readonly before: string; readonly choices: readonly string[]; readonly after: string } | undefined {
  let depth = 0
  let open = -1
  let choiceStart = 0
  const choices: string[] = []
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at)
    if (char === '\\') at += 1
    else if (char === '{') {
      depth += 1
      if (depth === 1) {
        open = at
        choiceStart = at + 1
      }
    } else if (char === '}') {
      if (depth === 0) throw new Error(`the pattern "${pattern}" closes a brace that it never opened`)
      depth -= 1
      if (depth === 0) {
        choices.push(pattern.slice(choiceStart, at))
        return { before: pattern.slice(0, open), choices, after: pattern.slice(at + 1) }
      }
    } else if (char === ',' && depth === 1) {
      choices.push(pattern.slice(choiceStart, at))
      choiceStart = at + 1
    }
  }
  if (depth > 0) throw new Error(`the pattern "${pattern}" opens a brace and never closes it`)
  return undefined
}

/** Whole words from the start, in any case: `drop` fits `DROP TABLE`, `DR` does not. Each word may be a glob. */
export function compileVerbs(patterns: readonly string[]): Fits {
  const wanted = patterns.map((pattern) => words(pattern).map(compileGlob))
  return (verb) => {
    const given = words(verb)
    return wanted.some(
      (pattern) => pattern.length <= given.length && pattern.every((fits, at) => fits(given[at] ?? '')),
    )
  }
}

/** The same, but programs (`exec ls`) have the case that they are written in: `LS` is another one. For rules that allow. */
export function compileExactVerbs(patterns: readonly string[]): Fits {
  const anyCase = compileVerbs(patterns)
  const exact = patterns.map((pattern) => pattern.trim().split(/\s+/).slice(1).map(compileGlob))
  return (verb) => {
    if (!anyCase(verb)) return false
    if (!/^exec\s/.test(verb)) return true
    const given = verb.trim().split(/\s+/).slice(1)
    return patterns.some(
      (pattern, which) => compileVerbs([pattern])(verb) && exact[which]?.every((fits, at) => fits(given[at] ?? '')),
    )
  }
}

function words(text: string): readonly string[] {
  return text.trim().toUpperCase().split(/\s+/)
}

/**
 * Like globs, but where a schema is missing on either side only the last part is compared: `pg_read_file` fits
 * `pg_catalog.pg_read_file`, and `public.users` fits a `users` whose schema could not be found out. It errs towards
 * fitting, so it is for rules that restrict; a rule that allows compares the whole name.
 */
export function compileLooseNames(patterns: readonly string[]): Fits {
  const whole = compileGlobs(patterns)
  const lastParts = compileGlobs(patterns.map(lastPart))
  const bare = compileGlobs(patterns.filter((pattern) => isBare(pattern)))
  const meets = compileMeeting(patterns)
  return (name) => whole(name) || (isBare(name) ? lastParts(name) : bare(lastPart(name))) || meets(name)
}

/** A name with a star in it stands for many (`prod/*`: every object there): is any of them meant? */
function compileMeeting(patterns: readonly string[]): Fits {
  const globs = patterns.flatMap((pattern) => expandBraces(pattern).map(tokens))
  return (name) => {
    if (!name.includes('*')) return false
    const many = [...name].map((char): Token => (char === '*' ? anyRun : char))
    return globs.some((glob) => globsMeet(glob, many))
  }
}

/** Is there a name that both fit? Row by row, so that it takes time in proportion to one times the other. */
function globsMeet(one: readonly Token[], other: readonly Token[]): boolean {
  // reached[n]: what of `one` was read so far can be the same as the first n of `other`.
  let reached = other.map(() => false)
  reached.unshift(true)
  for (let at = 1; at <= other.length && other[at - 1] === anyRun; at += 1) reached[at] = true
  for (const token of one) {
    const next = reached.map(() => false)
    next[0] = token === anyRun && reached[0] === true
    for (let at = 1; at <= other.length; at += 1) {
      const facing = other[at - 1]
      const isSame = facing === token || facing === anyOne || token === anyOne
      next[at] =
        token === anyRun || facing === anyRun
          ? next[at - 1] === true || reached[at] === true || reached[at - 1] === true
          : isSame && reached[at - 1] === true
    }
    reached = next
  }
  return reached[other.length] === true
}

/**
 * Globs over paths of HTTP as a server may take them: in any case of letters, with or without a slash at the end, and with a
 * format at the end (`/users.json` is `/users` to many frameworks). It errs towards fitting, so it is for rules that restrict.
 */
export function compileLoosePaths(patterns: readonly string[]): Fits {
  const fits = compileGlobs(patterns.map((pattern) => pattern.toLowerCase()))
  return (name) => {
    const path = name.toLowerCase()
    return fits(path) || fits(`${path}/`) || (format.test(path) && fits(path.replace(format, '')))
  }
}

const format = /(?<=[^/])\.[a-z0-9]{1,8}$/

function isBare(name: string): boolean {
  return !/[./]/.test(name)
}

function lastPart(name: string): string {
  return name.includes('/') ? name : name.slice(name.lastIndexOf('.') + 1)
}
