/** The values of a JSON body by their pointers. Pure. */
import { stringOf } from '../../../../base/json-names.ts'
import { escapedStep } from '../../../../base/json-pointer.ts'
import { type JsonOptions, JsonReader } from '../../../../base/json-reader.ts'
import type { Field } from '../../../../contract/command.ts'

export type FieldsRead = { readonly fields: readonly Field[] } | { readonly doubt: string }

/** More values than anybody writes a rule for; a bulk import has fewer, or is not judged. */
export const mostFields = 50_000

/** Values that hold no others. What is valid and still read differently by different servers is a doubt. */
export function jsonFields(body: Uint8Array, form: NonNullable<JsonOptions['form']>): FieldsRead {
  const fields: Field[] = []
  /** Pointers to the values that are open, outermost first. */
  const pointers: string[] = []
  let begun = 0
  let isMore = false
  const reader = new JsonReader(
    {
      begin(_kind, at, step) {
        begun = at
        const around = pointers.at(-1) ?? ''
        pointers.push(step === undefined ? '' : `${around}/${typeof step === 'number' ? step : escapedStep(step)}`)
      },
      end(kind, at) {
        const pointer = pointers.pop() ?? ''
        if (kind === 'object' || kind === 'array') return
        if (fields.length === mostFields) isMore = true
        else {
          const value = kind === 'string' ? stringOf(body, begun + 1, at - 1) : stringOf(body, begun, at)
          fields.push({ at: `body:${pointer}`, value })
        }
      },
    },
    { form },
  )
  if (!reader.push(body) || !reader.end()) return { doubt: `its body is no clear JSON: ${reader.fault?.reason}` }
  return isMore ? { doubt: `its body has more than ${mostFields} values` } : { fields }
}

/** May a server that does not look at Content-Type take it for JSON? It does so where it is valid, or nearly. */
export function isLikeJson(body: Uint8Array): boolean {
  const first = body.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  if (body[first] !== 0x7b && body[first] !== 0x5b) return false
  const reader = new JsonReader({ begin: () => undefined, end: () => undefined }, { doubtful: 'accept', depth: 10_000 })
  return reader.push(body) && reader.end()
}
