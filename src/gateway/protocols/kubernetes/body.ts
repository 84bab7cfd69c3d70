/**
 * What a request brings, as a value: an object, a patch, options. What cannot be read exactly as the API server reads it is
 * not guessed at. Pure.
 */
import { JsonReader } from '../../../base/json-reader.ts'
import { lines, type Request } from '../http/index.ts'
import type { Json } from './json.ts'
import { readProtobuf } from './protobuf/object.ts'
import { readYaml } from './yaml.ts'

/** How the value changes what is there already (https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply). */
export type PatchForm = 'json-patch' | 'merge' | 'strategic' | 'apply'

export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: Json; readonly patch: PatchForm | undefined }
  /** A clause: why nothing can be said of it. */
  | { readonly kind: 'unread'; readonly why: string }

const patchForms: Readonly<Record<string, PatchForm>> = {
  'application/json-patch+json': 'json-patch',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
}

export const protobufType = 'application/vnd.kubernetes.protobuf'

export function readBody({ head, body, unread }: Request): Body {
  // `Content-Length: 0`: an exec over SPDY is a POST without anything.
  if (head.body === 'none' || (head.body !== 'chunked' && head.body.bytes === 0)) return { kind: 'none' }
  if (body === undefined) return { kind: 'unread', why: unread ?? 'its body was not read' }
  if (body.length === 0) return { kind: 'none' }
  const type = bodyType(head)
  if (type === undefined) return { kind: 'unread', why: 'its Content-Type is given twice' }
  const patch = Object.hasOwn(patchForms, type) ? patchForms[type] : undefined
  switch (type) {
    // Without a type the API server takes JSON.
    case '':
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return read(() => readJson(body), patch)
    case 'application/yaml':
    case 'application/apply-patch+yaml':
      // What is JSON is YAML too, and nearly everybody sends that.
      return read(() => readJson(body) ?? readYaml(body), patch)
    case protobufType:
      return read(() => readProtobuf(body), patch)
    default:
      return { kind: 'unread', why: `its body is ${type}` }
  }
}

function read(value: () => Json | undefined, patch: PatchForm | undefined): Body {
  const found = value()
  if (found === undefined) return { kind: 'unread', why: 'its body is not what its Content-Type says' }
  return { kind: 'value', value: found, patch }
}

/** Without parameters, in lower case; empty where there is none, undefined where there are two. */
export function bodyType({ fields }: Pick<Request['head'], 'fields'>): string | undefined {
  const given = lines(fields, 'content-type')
  return given.length > 1 ? undefined : (given[0] ?? '').split(';', 1)[0]?.trim().toLowerCase()
}

const noVisitor = { begin: () => undefined, end: () => undefined }

/** undefined: it is not JSON, or says something twice, which two readers may take for two things. */
function readJson(bytes: Uint8Array): Json | undefined {
  const reader = new JsonReader(noVisitor)
  if (!reader.push(bytes) || !reader.end()) return undefined
  // Checked above; what comes out of JSON.parse is Json by its definition.
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')) as Json
}
