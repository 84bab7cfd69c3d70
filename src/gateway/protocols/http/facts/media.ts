/** What the body of a request says it is, as far as it matters for judging it. Pure. */
import type { RequestHead } from '../exchange.ts'

/**
 * json, lines (NDJSON), records (JSON text sequences): values that can be told apart. form, parts: names and values. text:
 * letters, which a server may still take for JSON. none: nothing is said; a server may take it for anything. other: it goes
 * through unread. doubt: it says two things.
 */
export type BodyKind = 'json' | 'lines' | 'records' | 'form' | 'parts' | 'text' | 'none' | 'other' | 'doubt'

export interface Media {
  readonly kind: BodyKind
  /** The whole field, as given. */
  readonly contentType: string
  /** Without parameters, in lower case. */
  readonly name: string
  /** Letters are ASCII or UTF-8, as far as is said. */
  readonly isUtf8: boolean
}

const json = /^(?:application|text)\/(?:x-)?json$|^application\/[\w.!#$&^+-]*json[\w.!#$&^+-]*$|\+json$/
const lines = /^(?:application|text)\/(?:x-)?(?:ndjson|jsonl|jsonlines|json-lines|json-stream|jsonstream)$/
const text =
  /^text\/|^application\/(?:xml|(?:x-)?javascript|ecmascript|(?:x-)?yaml|toml|(?:x-)?sql|graphql)$|\+(?:xml|yaml)$/

export function mediaOf({ fields }: Pick<RequestHead, 'fields'>): Media {
  const given = fields.filter(([name]) => name.toLowerCase() === 'content-type')
  const [, contentType = ''] = given[0] ?? []
  const name = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const charsets = [...contentType.matchAll(/;\s*charset\s*=\s*"?([^"\s;]*)"?/gi)].map(([, charset]) => charset ?? '')
  return {
    contentType,
    name,
    // Two fields, or a list where one type belongs: some take the first, some the last.
    kind: given.length > 1 || name.includes(',') ? 'doubt' : kindOf(name),
    isUtf8: charsets.every((charset) => /^(?:utf-?8|us-ascii|ascii)$/i.test(charset)),
  }
}

function kindOf(name: string): BodyKind {
  if (name === '') return 'none'
  if (lines.test(name)) return 'lines'
  if (name === 'application/json-seq' || name.endsWith('+json-seq')) return 'records'
  if (json.test(name)) return 'json'
  if (name === 'application/x-www-form-urlencoded') return 'form'
  if (name === 'multipart/form-data') return 'parts'
  return text.test(name) ? 'text' : 'other'
}
