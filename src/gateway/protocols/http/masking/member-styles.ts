/** Which members of JSON are masked, remembered: the same few places come again in every element and every answer. */
import type { MaskStyle, Masks } from '../../../checkpoint.ts'

/** A value's place in a JSON text. */
export interface Place {
  readonly path: readonly string[]
  readonly style: MaskStyle | undefined
  readonly inside: Map<string | number, Place>
}

/** Names come from the target, so that there can be any number of them. */
const mostRemembered = 4096
/** Of an array: each of its elements is a place of its own, because a mask may mean `/0/name`. */
const mostElements = 16

interface Memory {
  readonly root: Place
  places: number
}

const memories = new WeakMap<Masks, Memory>()

export interface MemberStyles {
  readonly root: Place
  inside(around: Place, step: string | number): Place
}

export function memberStyles(masks: Masks): MemberStyles {
  let memory = memories.get(masks)
  if (memory === undefined || memory.places > mostRemembered) {
    memory = { root: placeOf(masks, []), places: 1 }
    memories.set(masks, memory)
  }
  const mine = memory
  return {
    root: mine.root,
    inside(around, step) {
      const known = around.inside.get(step)
      if (known !== undefined) return known
      const place = placeOf(masks, [...around.path, String(step)])
      const isKept = mine.places <= mostRemembered && (typeof step === 'string' || step < mostElements)
      if (!isKept) return place
      mine.places++
      around.inside.set(step, place)
      return place
    },
  }
}

function placeOf(masks: Masks, path: readonly string[]): Place {
  return { path, style: masks.field(path), inside: new Map() }
}
