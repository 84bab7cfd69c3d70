/**
 * The text of a command of HTTP or Kubernetes, read back: a request line without a version, header fields as far as they are
 * recorded, an empty line, and the body, or words for it. Pure.
 */
import type { Command } from './command.ts'

export interface RequestText {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Lines of the gateway's own (`Hoop-Summary`): what the request comes to. */
  readonly summaries: readonly string[]
  /** undefined: there is none. */
  readonly body: string | undefined
  /** `body` is no body but words for one: `(3 bytes of image/png)`. */
  readonly bodyIsTold: boolean
}

export function isRequest({ protocol }: Pick<Command, 'protocol'>): boolean {
  return protocol === 'http' || protocol === 'kubernetes'
}

export function readRequestText(text: string): RequestText {
  const empty = text.indexOf('\n\n')
  const head = empty < 0 ? text : text.slice(0, empty)
  const body = empty < 0 ? undefined : text.slice(empty + 2)
  const [line = '', ...others] = head.split('\n')
  const blank = line.indexOf(' ')
  const fields = others.flatMap((field): (readonly [string, string])[] => {
    const colon = field.indexOf(':')
    return colon < 0 ? [] : [[field.slice(0, colon), field.slice(colon + 1).trim()]]
  })
  const isOurs = ([name]: readonly [string, string]) => name.toLowerCase() === 'hoop-summary'
  return {
    method: blank < 0 ? line : line.slice(0, blank),
    target: blank < 0 ? '' : line.slice(blank + 1),
    fields: fields.filter((field) => !isOurs(field)),
    summaries: fields.filter(isOurs).map(([, value]) => value),
    body,
    bodyIsTold: body !== undefined && /^\((?:\d|a stream)[^\n]*\)$/.test(body),
  }
}

export function fieldOf({ fields }: Pick<RequestText, 'fields'>, wanted: string): string | undefined {
  return fields.find(([name]) => name.toLowerCase() === wanted)?.[1]
}
