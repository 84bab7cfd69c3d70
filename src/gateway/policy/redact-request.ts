/**
 * A command that is an HTTP message (`GET /path?query`, header lines, an empty line, the body) as it may be written down. Each
 * part is read for what it is, so that a value is found behind escapes as well; what cannot be read is hidden rather. Pure.
 */
import type { Action, Command, Field } from '../../contract/command.ts'
import { percentDecoded } from '../../base/urlencoded.ts'
import { dots } from './mask-styles.ts'
import type { Masks } from './masking.ts'
import { redactJson } from './redact-json.ts'
import { redactLoosely } from './redact-loose.ts'
import { redactNamed, redactPairs } from './redact-named.ts'
import { detect } from './redact-text.ts'

/** A protocol hands out the same command for the same request: what is shown of it is found out once. */
const known = new WeakMap<Command, { readonly masks: Masks; readonly shown: Command }>()

/** The very same command when there is nothing to hide. */
export function redactRequest(command: Command, masks: Masks): Command {
  const before = known.get(command)
  if (before?.masks === masks) return before.shown
  const shown = redacted(command, masks)
  known.set(command, { masks, shown })
  return shown
}

function redacted(command: Command, masks: Masks): Command {
  const path = pathRedaction(command.fields ?? [], masks)
  const text = redactMessage(command.text, masks, path)
  const objects = command.protocol === 'http' ? each(command.objects, path) : command.objects
  const actions =
    command.protocol === 'http' ? command.actions.map((action) => actionWith(action, path)) : command.actions
  if (text === command.text && objects === command.objects) return command
  // Whoever may not read a value in the text shall not find it among those that are for rules.
  const { fields: _, ...kept } = command
  return { ...kept, text, objects: [...objects], actions }
}

function actionWith(action: Action, path: (path: string) => string): Action {
  const objects = each(action.objects, path)
  return objects === action.objects ? action : { ...action, objects: [...objects] }
}

function each(objects: readonly string[], path: (path: string) => string): readonly string[] {
  return objects.some((object) => path(object) !== object) ? objects.map(path) : objects
}

/** Segments of paths: what masks hide by the names that templates give them, and what detectors find. */
function pathRedaction(fields: readonly Field[], masks: Masks): (path: string) => string {
  const hidden = new Map<string, string>()
  for (const { at, value } of fields) {
    if (!at.startsWith('path:') || value === '') continue
    const shown = redactNamed(at.slice('path:'.length), value, masks)
    if (shown !== value) hidden.set(value, shown)
  }
  if (hidden.size === 0 && !masks.hasDetectors) return (path) => path
  return (path) => {
    const shown = path
      .split('/')
      .map((segment) => {
        const decoded = percentDecoded(segment)
        const known = hidden.get(segment) ?? hidden.get(decoded)
        if (known !== undefined) return known
        const seen = detect(decoded, masks) ?? dots
        return seen === decoded ? segment : seen
      })
      .join('/')
    return shown === path ? path : shown
  }
}

function redactMessage(text: string, masks: Masks, path: (path: string) => string): string {
  const end = text.indexOf('\n\n')
  const [line = '', ...fields] = (end < 0 ? text : text.slice(0, end)).split('\n')
  const head = [redactLine(line, masks, path), ...fields.map((field) => redactField(field, masks))].join('\n')
  if (end < 0) return head === text ? text : head
  const body = text.slice(end + 2)
  return `${head}\n\n${redactBody(body, contentType(fields), masks)}`
}

function redactLine(line: string, masks: Masks, path: (path: string) => string): string {
  const [method = '', ...rest] = line.split(' ')
  const target = rest.join(' ')
  const mark = target.indexOf('?')
  if (mark < 0) return `${method} ${path(target)}`
  return `${method} ${path(target.slice(0, mark))}?${redactPairs(target.slice(mark + 1), masks)}`
}

function redactField(line: string, masks: Masks): string {
  const [, name, value] = /^([^:]+): (.*)$/s.exec(line) ?? []
  if (name === undefined || value === undefined) return detect(line, masks) ?? dots
  return `${name}: ${redactNamed(name, value, masks)}`
}

function contentType(fields: readonly string[]): string {
  const line = fields.find((field) => /^content-type: /i.test(field)) ?? ''
  return line
    .slice(line.indexOf(':') + 1)
    .trim()
    .toLowerCase()
}

function redactBody(body: string, type: string, masks: Masks): string {
  if (type.startsWith('multipart/form-data') && body.startsWith('--part\n')) return redactParts(body, masks)
  const json = /json/.test(type) || /^\s*[[{\x1e]/.test(body) ? redactJson(body, masks) : undefined
  if (json !== undefined) return detect(json, masks) ?? dots
  if (type.startsWith('application/x-www-form-urlencoded')) return redactPairs(body, masks)
  return redactLoosely(body, masks)
}

/** As protocols/http/facts/body.ts writes multipart/form-data. */
function redactParts(body: string, masks: Masks): string {
  return body
    .split(/\n(?=--part\n)/)
    .map((part) => {
      const end = part.indexOf('\n\n')
      const head = part.slice(0, end)
      const name = /; name="([^"]*)"/.exec(head)?.[1] ?? ''
      const content = part.slice(end + 2)
      const shown = redactNamed(name, content, masks)
      return `${head}\n\n${shown === content ? redactBody(content, contentType(head.split('\n')), masks) : shown}`
    })
    .join('\n')
}
