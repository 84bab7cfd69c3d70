/**
 * Sensitivities of one database, shared by all conversations with it: working one out goes through every column, and most
 * people have the same masks.
 */
import type { Masks } from '../../../checkpoint.ts'
import type { Known, MaskCatalog } from './catalog.ts'
import { createSensitivity, type Sensitivity } from './sensitivity.ts'

export interface Sensitivities {
  /** What these masks mean in this snapshot. */
  of(masks: Masks, known: Known): Promise<Sensitivity>
  /** The same where it has been worked out already. */
  found(masks: Masks, known: Known | undefined): Sensitivity | undefined
  /** The one that was worked out last, whatever the snapshot. */
  latest(masks: Masks): Sensitivity | undefined
}

/** More masks than groups of people, in most places. Old ones are left over when the configuration is reloaded. */
const mostKept = 64

export function createSensitivities(catalog: Pick<MaskCatalog, 'parser'>): Sensitivities {
  const kept = new Map<string, { readonly generation: number; readonly sensitivity: Sensitivity }>()

  function found(masks: Masks, known: Known | undefined): Sensitivity | undefined {
    const one = kept.get(masks.key)
    return one !== undefined && one.generation === known?.generation ? one.sensitivity : undefined
  }

  return {
    found,
    async of(masks, known) {
      const parser = await catalog.parser()
      const before = found(masks, known)
      if (before !== undefined) return before
      const sensitivity = createSensitivity(masks, known, parser)
      // Not over a newer one: somebody may still work with the snapshot from before.
      if ((kept.get(masks.key)?.generation ?? known.generation) <= known.generation) {
        if (kept.size >= mostKept) kept.clear()
        kept.set(masks.key, { generation: known.generation, sensitivity })
      }
      return sensitivity
    },
    latest: (masks) => kept.get(masks.key)?.sensitivity,
  }
}
