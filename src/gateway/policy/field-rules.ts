/**
 * `fields:` of a rule: patterns `place=value` over the named values of a request. Pure.
 *
 * To restrict, one value that fits is enough, names and values in any case of letters, because many servers take `Role` for
 * `role`. To allow, every place that is named has to be given, and each value that a server may take for it has to fit.
 */
import { type Field, unknownName } from '../../contract/command.ts'
import { compileGlob, type Fits } from './patterns.ts'

export type FieldsFit = (fields: readonly Field[]) => boolean

/** Throws a sentence for a pattern that is not one. */
export function compileFieldRule(patterns: readonly string[], how: 'touches' | 'covers'): FieldsFit {
  const compiled = patterns.map(compilePattern)
  if (how === 'touches') return (fields) => fields.some((field) => compiled.some((pattern) => pattern.touches(field)))
  const places = Map.groupBy(compiled, ({ place }) => place)
  return (fields) => [...places.values()].every((alternatives) => isCovered(alternatives, fields))
}

interface Pattern {
  readonly place: string
  touches(field: Field): boolean
  /** Might a server take this field for what stands at the place? */
  concerns(field: Field): boolean
  value: Fits
}

function compilePattern(pattern: string): Pattern {
  const equals = firstEquals(pattern)
  const place = equals < 0 ? pattern : pattern.slice(0, equals)
  const value = equals < 0 ? '*' : pattern.slice(equals + 1)
  const loosePlace = compileGlob(place.toLowerCase())
  const looseValue = compileGlob(value.toLowerCase())
  const ofBody = mayBeInBody(place)
  // Values that nobody has read may be what is meant.
  const isUnknown = ({ at }: Field) => ofBody && at.endsWith(unknownName)
  const fitsPlace = ({ at }: Field) =>
    loosePlace(at.toLowerCase()) || otherPlaces(at).some((other) => loosePlace(other))
  return {
    place,
    touches: (field) =>
      isUnknown(field) || (fitsPlace(field) && (field.value === unknownName || looseValue(field.value.toLowerCase()))),
    concerns: (field) => isUnknown(field) || fitsPlace(field),
    value: compileGlob(value),
  }
}

function isCovered(alternatives: readonly Pattern[], fields: readonly Field[]): boolean {
  const [first] = alternatives
  const concerned = fields.filter((field) => first?.concerns(field) === true)
  return (
    concerned.length > 0 &&
    concerned.every(({ value }) => value !== unknownName && alternatives.some((pattern) => pattern.value(value)))
  )
}

/** Frameworks mix the parameters of query and body, and one takes the place of another. */
function otherPlaces(at: string): readonly string[] {
  const [, place, name] = /^(query:|body:\/)([^/]*)$/.exec(at.toLowerCase()) ?? []
  if (place === undefined || name === undefined) return []
  return [place === 'query:' ? `body:/${name}` : `query:${name}`]
}

/** The first one that is no part of a name. */
function firstEquals(pattern: string): number {
  for (let at = 0; at < pattern.length; at++) {
    if (pattern.charAt(at) === '\\') at++
    else if (pattern.charAt(at) === '=') return at
  }
  return -1
}

/** `body:…`, or a pattern that may begin so. */
function mayBeInBody(place: string): boolean {
  const fixed = /^[^*?{\\]*/.exec(place.toLowerCase())?.[0] ?? ''
  return 'body:'.startsWith(fixed.slice(0, 5))
}
