/**
 * Which members of a JSON text masks mean: `password` is a name at any depth, `/customer/e*` a place from the outermost in,
 * where each step is a glob. In any case of letters: a mask for `password` is meant for `Password` too. Pure.
 */
import { stepsOf } from '../../base/json-pointer.ts'
import { strictest } from './mask-styles.ts'
import type { MaskStyle } from './masking.ts'
import { compileGlob, type Fits } from './patterns.ts'

export interface FieldStyles {
  /** Of the member at this place: names and indexes from the outermost in. */
  at(path: readonly string[]): MaskStyle | undefined
  /** Whether a member of this name may be meant, wherever it stands: the last step of a place, or the name itself. */
  means(name: string): boolean
}

interface Named {
  readonly fits: Fits
  readonly style: MaskStyle
}

interface Placed {
  readonly steps: readonly Fits[]
  readonly style: MaskStyle
}

/** More different names than answers have; what comes then is found out each time. */
const mostKnown = 4096
const longestKnown = 64

/** Throws a sentence for a pattern that is not one. */
export function compileFields(
  patterns: readonly { readonly pattern: string; readonly style: MaskStyle }[],
): FieldStyles {
  const named: Named[] = []
  const lastSteps: Fits[] = []
  /** By the number of their steps: the place of a member is compared with those alone that may be it. */
  const placed: Placed[][] = []
  for (const { pattern, style } of patterns) {
    const lower = pattern.toLowerCase()
    if (!lower.startsWith('/')) named.push({ fits: compileGlob(lower), style })
    else {
      const steps = stepsOf(lower).map(compileGlob)
      placed[steps.length] = [...(placed[steps.length] ?? []), { steps, style }]
      lastSteps.push(...steps.slice(-1))
    }
  }

  // The same few names come again and again, and hardly one of them is masked.
  const ofName = remembering((name) => strictestOf(named, ({ fits }) => fits(name)))
  const isMeant = remembering((name) => ofName(name) !== undefined || lastSteps.some((fits) => fits(name)))
  return {
    at(path) {
      const style = named.length === 0 ? undefined : ofName(path.at(-1) ?? '')
      const places = placed[path.length]
      if (places === undefined) return style
      const lower = path.map((step) => step.toLowerCase())
      return strictest(
        style,
        strictestOf(places, ({ steps }) => steps.every((fits, at) => fits(lower[at] ?? ''))),
      )
    },
    means: isMeant,
  }
}

function strictestOf<T extends { readonly style: MaskStyle }>(
  all: readonly T[],
  fits: (one: T) => boolean,
): MaskStyle | undefined {
  return all.reduce<MaskStyle | undefined>((found, one) => (fits(one) ? strictest(found, one.style) : found), undefined)
}

/** `find` is given the name in lower case. */
function remembering<T>(find: (name: string) => T): (name: string) => T {
  const known = new Map<string, { readonly found: T }>()
  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before.found
    const found = find(name.toLowerCase())
    if (name.length <= longestKnown && known.size < mostKnown) known.set(name, { found })
    return found
  }
}
