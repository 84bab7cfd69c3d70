/**
 * `/v1/customers/{id}`: which paths it stands for, and what the parts in braces are there. A part is the whole of a segment or
 * has fixed text around it (`{id}:capture`); `{rest*}` at the end is everything that follows. Pure.
 */

export interface PathTemplate {
  readonly text: string
  /** What the names stand for in this path; undefined: it does not fit. Fixed text fits in any case of letters. */
  read(path: string): readonly (readonly [name: string, value: string])[] | undefined
}

interface Segment {
  readonly before: string
  /** undefined: the whole segment is fixed, and is `before`. */
  readonly name: string | undefined
  readonly after: string
}

/** Throws a sentence for a template that is not one. */
export function compileTemplate(text: string): PathTemplate {
  const given = text.split('/').slice(1)
  const last = /^\{([^{}*]+)\*\}$/.exec(given.at(-1) ?? '')?.[1]
  const segments = (last === undefined ? given : given.slice(0, -1)).map((segment) => segmentOf(segment, text))
  const names = [...segments.flatMap(({ name }) => name ?? []), ...(last === undefined ? [] : [last])]
  if (!text.startsWith('/')) throw new Error(`the template "${text}" does not begin with a slash`)
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice !== undefined) throw new Error(`the template "${text}" names "${twice}" twice`)
  return {
    text,
    read(path) {
      const parts = path.split('/').slice(1)
      if (last === undefined ? parts.length !== segments.length : parts.length <= segments.length) return undefined
      const found: (readonly [string, string])[] = []
      for (const [at, segment] of segments.entries()) {
        const value = valueIn(segment, parts[at] ?? '')
        if (value === undefined) return undefined
        if (segment.name !== undefined) found.push([segment.name, value])
      }
      if (last !== undefined) found.push([last, parts.slice(segments.length).join('/')])
      return found
    },
  }
}

function segmentOf(segment: string, text: string): Segment {
  const [, before = '', name, after = ''] = /^([^{}]*)\{([\w.-]+)\}([^{}]*)$/.exec(segment) ?? []
  if (name !== undefined) return { before: before.toLowerCase(), name, after: after.toLowerCase() }
  if (/[{}]/.test(segment))
    throw new Error(`the template "${text}" has a segment "${segment}" which is not one name in braces: {id}`)
  return { before: segment.toLowerCase(), name: undefined, after: '' }
}

/** Of a fixed segment an empty value; undefined: it does not fit. */
function valueIn({ before, name, after }: Segment, part: string): string | undefined {
  const lower = part.toLowerCase()
  if (name === undefined) return lower === before ? '' : undefined
  // A lower-case form of another length would put the borders elsewhere.
  if (lower.length !== part.length || part.length <= before.length + after.length) return undefined
  return lower.startsWith(before) && lower.endsWith(after)
    ? part.slice(before.length, part.length - after.length)
    : undefined
}
