/** A JSON text as it may be written down: members under masks and secrets by name are hidden, the rest stays as it came. Pure. */
import { stringOf } from '../../base/json-names.ts'
import { type JsonKind, type JsonOptions, JsonReader } from '../../base/json-reader.ts'
import type { Masks, MaskStyle } from './masking.ts'
import { styleOf } from './redact-named.ts'
import { redactText } from './redact-text.ts'

/** JSON in a string of JSON, in a string of JSON: so deep it is looked into. */
const mostNested = 3

/** The very same string where there is nothing to hide; undefined: it is no JSON. */
export function redactJson(text: string, masks: Masks, nested = 0): string | undefined {
  const bytes = Buffer.from(text)
  return (
    redactAs('one', bytes, text, masks, nested) ??
    redactAs('lines', bytes, text, masks, nested) ??
    redactAs('records', bytes, text, masks, nested)
  )
}

function redactAs(
  form: NonNullable<JsonOptions['form']>,
  bytes: Buffer,
  text: string,
  masks: Masks,
  nested: number,
): string | undefined {
  const shown: (string | Buffer)[] = []
  let from = 0
  const path: string[] = []
  const begins: number[] = []
  /** The value that is hidden: how deep it stands. */
  let hidden: { readonly depth: number; readonly style: MaskStyle } | undefined

  function put(start: number, end: number, instead: string): void {
    shown.push(bytes.subarray(from, start), instead)
    from = end
  }

  const reader = new JsonReader(
    {
      begin(kind, at, step) {
        begins.push(at)
        if (step !== undefined) path.push(String(step))
        if (hidden !== undefined || step === undefined) return
        const style = styleAt(path, kind, masks)
        if (style !== undefined) hidden = { depth: begins.length, style }
      },
      end(kind, at) {
        const start = begins.pop() ?? 0
        const isHidden = hidden?.depth === begins.length + 1
        if (isHidden && hidden !== undefined) {
          put(start, at, masked(kind, bytes, start, at, hidden.style, masks))
          hidden = undefined
        } else if (hidden === undefined && (kind === 'string' || kind === 'number')) {
          const said = kind === 'string' ? stringOf(bytes, start + 1, at - 1) : stringOf(bytes, start, at)
          const seen = seenOf(said, masks, nested)
          if (seen !== said) put(start, at, JSON.stringify(seen))
        }
        if (begins.length > 0) path.pop()
      },
    },
    { form, doubtful: 'accept', depth: 10_000 },
  )
  if (!reader.push(bytes) || !reader.end()) return undefined
  return from === 0 ? text : [...shown, bytes.subarray(from)].map(String).join('')
}

/** `autoToken: true` gives nothing away. */
function styleAt(path: readonly string[], kind: JsonKind, masks: Masks): MaskStyle | undefined {
  const isSwitch = kind === 'true' || kind === 'false' || kind === 'null'
  return isSwitch ? masks.field(path) : styleOf(path, masks)
}

function masked(kind: JsonKind, bytes: Buffer, start: number, end: number, style: MaskStyle, masks: Masks): string {
  const isWhole = kind === 'object' || kind === 'array'
  const said = kind === 'string' ? stringOf(bytes, start + 1, end - 1) : stringOf(bytes, start, end)
  // The first letter and the last digits of an object say nothing that anybody wants.
  return JSON.stringify(masks.mask(isWhole && style === 'partial' ? 'redact' : style, said))
}

/** A string that is JSON itself is looked into. */
function seenOf(said: string, masks: Masks, nested: number): string {
  const inside = nested < mostNested && /^\s*[[{]/.test(said) ? (redactJson(said, masks, nested + 1) ?? said) : said
  return redactText(inside, masks)
}
