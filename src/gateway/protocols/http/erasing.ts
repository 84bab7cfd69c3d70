/**
 * Nothing of the credential comes back: a target that repeats what it was asked (an echo, a debug page, a redirect) would
 * give it to the client. It is looked for in the forms that servers write it in, and replaced by as many asterisks, so that
 * lengths stay true and nothing has to be kept back but what may be the beginning of it.
 */
import type { Fields } from './exchange.ts'

export interface Eraser {
  /** False: there is nothing that could come back. */
  readonly active: boolean
  fields(fields: Fields): Fields
  /** For one body, part by part. */
  body(): BodyEraser
}

export interface BodyEraser {
  /** What may be shown of what has come so far; the rest follows with the next part. */
  push(bytes: Buffer): Buffer
  end(): Buffer
}

/** A shorter one would be found everywhere, and is no secret. */
const shortestSecret = 8

export function createEraser(secrets: readonly string[]): Eraser {
  const forms = secrets
    .filter((secret) => secret.length >= shortestSecret)
    .flatMap(formsOf)
    .filter((form, at, all) => all.indexOf(form) === at)
    // The longer first: it may contain the shorter.
    .sort((a, b) => b.length - a.length)
  if (forms.length === 0) return nothingToErase
  const needles = forms.map((form) => Buffer.from(form, 'latin1'))
  return {
    active: true,
    fields(fields) {
      if (!fields.some(([, value]) => forms.some((form) => value.includes(form)))) return fields
      return fields.map(([name, value]) => [name, erased(value, forms)])
    },
    body: () => createBodyEraser(needles),
  }
}

const nothingToErase: Eraser = {
  active: false,
  fields: (fields) => fields,
  body: () => ({ push: (bytes) => bytes, end: () => Buffer.alloc(0) }),
}

/** One character for one byte (Latin-1), as bytes come and as field values are read. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8')
  const percent = encodeURIComponent(secret)
  const form = new URLSearchParams([['', secret]]).toString().slice(1)
  const json = JSON.stringify(secret).slice(1, -1)
  return [
    bytes.toString('latin1'),
    percent,
    inLowerCaseHex(percent),
    form,
    inLowerCaseHex(form),
    Buffer.from(json, 'utf8').toString('latin1'),
    Buffer.from(json.replaceAll('/', '\\/'), 'utf8').toString('latin1'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ]
}

function inLowerCaseHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())
}

function erased(text: string, forms: readonly string[]): string {
  return forms.reduce((rest, form) => rest.replaceAll(form, '*'.repeat(form.length)), text)
}

function createBodyEraser(needles: readonly Buffer[]): BodyEraser {
  let kept: Buffer = Buffer.alloc(0)
  return {
    push(bytes) {
      const all = kept.length === 0 ? bytes : Buffer.concat([kept, bytes])
      const clean = withoutNeedles(all, needles)
      const end = beginningAtEnd(clean, needles)
      kept = clean.subarray(end)
      return clean.subarray(0, end)
    },
    end() {
      return kept
    },
  }
}

function withoutNeedles(bytes: Buffer, needles: readonly Buffer[]): Buffer {
  let clean = bytes
  for (const needle of needles) {
    for (let at = clean.indexOf(needle); at !== -1; at = clean.indexOf(needle, at + needle.length)) {
      // Not in place: the bytes are somebody else's.
      if (clean === bytes) clean = Buffer.from(bytes)
      clean.fill('*', at, at + needle.length)
    }
  }
  return clean
}

/** Where at the end a needle begins that is not whole yet; the length where none does. */
function beginningAtEnd(bytes: Buffer, needles: readonly Buffer[]): number {
  const longest = needles[0]?.length ?? 0
  for (let at = Math.max(0, bytes.length - longest + 1); at < bytes.length; at++) {
    const first = bytes[at]
    const size = bytes.length - at
    for (const needle of needles)
      if (needle[0] === first && size < needle.length && needle.compare(bytes, at, bytes.length, 0, size) === 0)
        return at
  }
  return bytes.length
}
