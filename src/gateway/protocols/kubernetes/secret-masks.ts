/** Masks of a target and a person, and beside them what Secrets and tokens need: the same for what is shown and what is kept. */
import type { Masks, MaskStyle } from '../../checkpoint.ts'
import type { ResourceCall } from './api-call.ts'
import { isSecret } from './meaning.ts'
import { annotationOf, isPlainAnnotation, isSecretPlace, maskedAnnotation, maskedValue } from './secret-values.ts'

/** Of an answer about Secrets. Compiled masks are used again and again, and readers remember things about each. */
export function withSecretsMasked(masks: Masks): Masks {
  return remembered(secretMasks, masks, () => ({
    ...masks,
    empty: false,
    hasFields: true,
    key: `${masks.key} secrets`,
    field: (path) => secretStyle(path) ?? masks.field(path),
    mask(style, value) {
      if (style === 'redact') return maskedValue
      // Of an annotation: how much of it may be seen depends on what it says.
      return style === 'partial' ? maskedAnnotation(value) : masks.mask(style, value)
    },
    // A shortcut around `mask`.
    hint: () => undefined,
  }))
}

/** What must not be kept of an answer, whoever may see it: besides Secrets the tokens that some calls are made for. */
export function recordMasksFor(call: ResourceCall, masks: Masks): Masks {
  if (isSecret(call)) return withSecretsMasked(masks)
  return call.subresource === 'token' || call.resource === 'tokenreviews' ? withTokensMasked(masks) : masks
}

function withTokensMasked(masks: Masks): Masks {
  return remembered(tokenMasks, masks, () => ({
    ...masks,
    empty: false,
    hasFields: true,
    key: `${masks.key} tokens`,
    field: (path) => (path.at(-1) === 'token' ? 'redact' : masks.field(path)),
  }))
}

/** The values below `data`, each by itself, and annotations that may hold the object once more. */
function secretStyle(path: readonly string[]): MaskStyle | undefined {
  if (isSecretPlace(path.slice(0, -1))) return 'redact'
  const annotation = annotationOf(path)
  return annotation === undefined || isPlainAnnotation(annotation) ? undefined : 'partial'
}

const secretMasks = new WeakMap<Masks, Masks>()
const tokenMasks = new WeakMap<Masks, Masks>()

function remembered(known: WeakMap<Masks, Masks>, masks: Masks, make: () => Masks): Masks {
  const found = known.get(masks) ?? make()
  known.set(masks, found)
  return found
}
