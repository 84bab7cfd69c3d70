/**
 * Where the values of Secrets stand: in answers, where they are masked unless the config says otherwise, and in requests,
 * where they are never written down. Pure.
 */
import type { PatchForm } from './body.ts'
import { changed, isObject, type Json, textAt } from './json.ts'

/**
 * What stands for a value. It is base64, as every value of a Secret is: clients decode these, and one that cannot be decoded
 * would break them. Who decodes it reads what happened.
 */
export const maskedValue = Buffer.from('masked by hoop').toString('base64')
const maskedText = '•••'

/** kubectl keeps the whole object here, to know later what it had been told. */
export const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** Is this place inside the values of a Secret, wherever in an answer the Secret stands (a list, an event, a table's row)? */
export function isSecretPlace(path: readonly string[]): boolean {
  for (const step of path) {
    if (step === 'metadata') return false
    if (step === 'data' || step === 'stringData') return true
  }
  return false
}

/** A value of an annotation. */
export function annotationOf(path: readonly string[]): string | undefined {
  const at = path.lastIndexOf('annotations')
  return at > 0 && path[at - 1] === 'metadata' && path.length === at + 2 ? path[at + 1] : undefined
}

/**
 * The annotations of a Secret that may be seen as they are. In any other a tool may have put the object itself, as kubectl
 * does, and some pack it so that nobody can look inside.
 */
export function isPlainAnnotation(name: string): boolean {
  return name !== lastApplied && /^(?:[a-z0-9.-]+\.)?(?:kubernetes\.io|helm\.sh|cert-manager\.io)\//.test(name)
}

/** Such an annotation as it may be seen: JSON stays JSON, because kubectl apply works with what it kept there. */
export function maskedAnnotation(text: string): string {
  try {
    // JSON.parse gives Json by its definition.
    const value = JSON.parse(text) as Json
    if (isObject(value)) return `${JSON.stringify(maskedSecret(value))}\n`
  } catch {
    // Not JSON: then nobody knows what it is.
  }
  return maskedText
}

/** A Secret, or whatever holds one, as it may be seen. */
export function maskedSecret(value: Json): Json {
  return changed(value, (path, inner) => {
    if (isSecretPlace(path)) return typeof inner === 'object' && inner !== null ? undefined : maskedValue
    const annotation = annotationOf(path)
    return annotation === undefined || isPlainAnnotation(annotation) || typeof inner !== 'string'
      ? undefined
      : maskedAnnotation(inner)
  })
}

/** The body of a request about Secrets, as it may be written down. */
export function withoutSecretValues(value: Json, patch: PatchForm | undefined): Json {
  if (patch !== 'json-patch') return maskedSecret(value)
  return Array.isArray(value) ? value.map(withoutValue) : maskedText
}

function withoutValue(operation: Json): Json {
  return isObject(operation) && Object.hasOwn(operation, 'value') ? { ...operation, value: maskedText } : operation
}

/** Does it write back what only stood for a value? The Secret would be destroyed. */
export function writesMaskedValue(value: Json): boolean {
  return JSON.stringify(value).includes(maskedValue)
}

/**
 * A JSON patch can move a value to where it may be seen: into an annotation. Says whether an operation takes something from
 * where values may stand.
 */
export function movesSecretValue(value: Json, patch: PatchForm | undefined): boolean {
  if (patch !== 'json-patch' || !Array.isArray(value)) return false
  return value.some((operation: Json) => {
    const name = textAt(operation, 'op')
    return (name === 'copy' || name === 'move') && !/^\/metadata\/labels\//.test(textAt(operation, 'from') ?? '')
  })
}

/** Does a JSON patch ask whether a value is what somebody guesses? */
export function guessesSecretValue(value: Json, patch: PatchForm | undefined): boolean {
  if (patch !== 'json-patch' || !Array.isArray(value)) return false
  return value.some(
    (operation: Json) =>
      textAt(operation, 'op') === 'test' && !/^\/metadata\/(?!annotations)/.test(textAt(operation, 'path') ?? ''),
  )
}
