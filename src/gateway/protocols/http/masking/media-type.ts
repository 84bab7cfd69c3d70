/** What an answer says it is (Content-Type), as far as it matters for looking into it. Pure. */

/**
 * json: members can be told apart. events: text/event-stream. text: letters without members. media: pictures, sound, fonts.
 * other: nobody can say before it is seen. parts: several in one (multipart), or a part of one.
 */
export type Form = 'json' | 'events' | 'text' | 'media' | 'other' | 'parts'

export interface MediaType {
  readonly form: Form
  /** In lower case, without parameters; empty where nothing is said. */
  readonly name: string
  readonly charset: string | undefined
}

const json =
  /^(?:application\/(?:json|x-json|(?:x-)?ndjson|jsonl|(?:x-)?jsonlines|(?:x-)?json-?stream|json-seq|stream\+json)|text\/(?:x-)?json)$|\+json(?:-seq)?$/
const text =
  /^(?:text\/|application\/(?:xml|xhtml|(?:x-)?javascript|(?:x-)?ecmascript|(?:x-)?yaml|toml|(?:x-)?sql|graphql|(?:x-)?www-form-urlencoded|x-sh|x-pem-file|rtf)(?:$|\+))|\+(?:xml|yaml)$/
const media = /^(?:image|audio|video|font)\//

export function mediaType(contentType: string | undefined): MediaType {
  const [first = '', ...parameters] = (contentType ?? '').split(';')
  const name = first.trim().toLowerCase()
  return { name, form: formOf(name), charset: charsetOf(parameters) }
}

function formOf(name: string): Form {
  if (json.test(name)) return 'json'
  if (name === 'text/event-stream') return 'events'
  if (name.startsWith('multipart/')) return 'parts'
  if (text.test(name)) return 'text'
  return media.test(name) ? 'media' : 'other'
}

function charsetOf(parameters: readonly string[]): string | undefined {
  for (const parameter of parameters) {
    const found = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/i.exec(parameter)
    if (found?.[1] !== undefined) return found[1].toLowerCase()
  }
  return undefined
}

/** The same type, in UTF-8. */
export function inUtf8(contentType: string): string {
  return contentType.replace(/(;\s*charset\s*=\s*)(?:"[^"]*"|[^;\s]*)/i, '$1utf-8')
}
