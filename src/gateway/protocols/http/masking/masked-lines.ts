/**
 * Masks text without members, in UTF-8: what detectors find is hidden. Where masks mean members, the text is shown as long as
 * none of their names stands in it: its values could be in any form (CSV, XML, HTML), and a client may often choose that form.
 */
import { isUtf8 } from 'node:buffer'
import type { Masks } from '../../../checkpoint.ts'
import { createMaskedText } from '../../terminal/masked-text.ts'
import { WithheldError } from '../exchange.ts'
import { createNameWatch } from './name-watch.ts'
import { nothing, type Passage } from './passage.ts'

export function createMaskedLines(masks: Masks): Passage {
  const text = masks.hasDetectors ? createMaskedText(masks) : undefined
  const watch = masks.hasFields ? createNameWatch(masks) : undefined

  function look(name: string | undefined): void {
    if (name !== undefined)
      throw new WithheldError(`it is no JSON, and "${name}" in it is a name that a mask means: ask for JSON`)
  }

  return {
    push(bytes) {
      look(watch?.see(bytes))
      return text === undefined ? bytes : text.push(bytes)
    },
    end() {
      look(watch?.end())
      return text?.flush() ?? nothing
    },
    flush: () => text?.flush() ?? nothing,
    get waiting() {
      return text?.waiting === true
    },
    get masked() {
      return text?.masked === true
    },
  }
}

/** Of what does not say that it is text: each piece has to be. */
export function onlyText(passage: Passage): Passage {
  let begun: Buffer = nothing
  return {
    push(bytes) {
      const all = begun.length === 0 ? bytes : Buffer.concat([begun, bytes])
      const whole = all.subarray(0, all.length - unfinished(all))
      if (!isText(whole)) throw new WithheldError('it is no text, and cannot be looked into')
      begun = all.subarray(whole.length)
      return passage.push(bytes)
    },
    end() {
      if (begun.length > 0) throw new WithheldError('it is no text, and cannot be looked into')
      return passage.end()
    },
    flush: () => passage.flush?.() ?? nothing,
    get waiting() {
      return passage.waiting === true
    },
    get masked() {
      return passage.masked
    },
  }
}

export function isText(bytes: Buffer): boolean {
  return bytes.indexOf(0) < 0 && isUtf8(bytes)
}

/** Bytes at the end that may be the beginning of a character. */
export function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte >= 0xc0) return back
    if (byte < 0x80) return 0
  }
  return 0
}
