/** Chooses how a body is looked at when its beginning says what it is. */
import type { Masks } from '../../../checkpoint.ts'
import { WithheldError } from '../exchange.ts'
import { createMaskedJson } from './masked-json.ts'
import { createMaskedLines, isText, onlyText, unfinished } from './masked-lines.ts'
import { joined, nothing, type Passage } from './passage.ts'

/** As much as tells text from anything else. */
const beginning = 512
/** JSON that turns out to be none before so much of it was shown is withheld, or taken for text, as if nothing had happened. */
const longestOpening = 64 * 1024

/** Waits for the first bytes, and gives everything to the passage that they choose. */
function byBeginning(choose: (first: Buffer) => Passage): Passage {
  let waiting: Buffer[] = []
  let length = 0
  let chosen: Passage | undefined

  function decide(): Buffer {
    const first = joined(waiting)
    waiting = []
    chosen = choose(first)
    return chosen.push(first)
  }

  return {
    push(bytes) {
      if (chosen !== undefined) return chosen.push(bytes)
      waiting.push(bytes)
      length += bytes.length
      return length < beginning ? nothing : decide()
    },
    flush: () => (chosen === undefined ? decide() : (chosen.flush?.() ?? nothing)),
    end() {
      const first = chosen === undefined ? decide() : nothing
      return joined([first, chosen?.end() ?? nothing])
    },
    get waiting() {
      return chosen === undefined ? length > 0 : chosen.waiting === true
    },
    get masked() {
      return chosen?.masked === true
    },
  }
}

/** Pictures, sound, fonts: nothing that anybody could read. One that is text all the same is looked at. */
export function createMediaLook(masks: Masks): Passage {
  return byBeginning((first) => (isTextSoFar(first) ? onlyText(createTextLook(masks)) : untouched))
}

/** Nobody says what it is, or nobody knows it. */
export function createUnknownLook(masks: Masks): Passage {
  return byBeginning((first) => {
    if (!isTextSoFar(first)) throw new WithheldError('it is no text, and cannot be looked into')
    return onlyText(createTextLook(masks))
  })
}

/** Text, which may be JSON that does not say so. */
export function createTextLook(masks: Masks): Passage {
  if (!masks.hasFields) return noZeros(createMaskedLines(masks))
  return byBeginning((first) =>
    /^(?:\xef\xbb\xbf)?\s*[[{]/.test(first.toString('latin1'))
      ? createJsonLook(masks, () => createMaskedLines(masks))
      : noZeros(createMaskedLines(masks)),
  )
}

/**
 * JSON, of which nothing is shown before it is a value whole or long enough: what claims to be JSON and is not is then
 * withheld as a whole. `otherwise`: what it is instead.
 */
export function createJsonLook(masks: Masks, otherwise?: () => Passage): Passage {
  const json = createMaskedJson(masks)
  if (!masks.hasFields) return json
  let opening: { readonly raw: Buffer[]; readonly shown: Buffer[]; length: number } | undefined = {
    raw: [],
    shown: [],
    length: 0,
  }
  let passage: Passage = json

  function release(): Buffer {
    const shown = joined(opening?.shown ?? [])
    opening = undefined
    return shown
  }

  const hasTurned = () => passage !== json

  function attempt(bytes: Buffer, work: () => Buffer): Buffer {
    if (opening === undefined) return work()
    opening.raw.push(bytes)
    opening.length += bytes.length
    try {
      opening.shown.push(work())
    } catch (error) {
      if (!(error instanceof WithheldError) || otherwise === undefined) throw error
      const raw = joined(opening.raw)
      opening = undefined
      passage = otherwise()
      return passage.push(raw)
    }
    return json.whole || opening.length >= longestOpening ? release() : nothing
  }

  return {
    push: (bytes) => attempt(bytes, () => passage.push(bytes)),
    flush: () => (opening === undefined ? (passage.flush?.() ?? nothing) : release()),
    releases: release,
    end() {
      if (hasTurned()) return passage.end()
      const shown = attempt(nothing, () => json.end())
      return joined([shown, release(), hasTurned() ? passage.end() : nothing])
    },
    get waiting() {
      return opening === undefined ? passage.waiting === true : opening.length > 0
    },
    get masked() {
      return passage.masked
    },
  }
}

/** Text in two bytes a sign (UTF-16) would not be found out by anything that looks for words. */
function noZeros(passage: Passage): Passage {
  return byBeginning((first) => {
    if (first.indexOf(0) >= 0) throw new WithheldError('it is no text, though it says so')
    return passage
  })
}

function isTextSoFar(first: Buffer): boolean {
  return isText(first.subarray(0, first.length - unfinished(first)))
}

const untouched: Passage = { push: (bytes) => bytes, end: () => nothing, masked: false }
