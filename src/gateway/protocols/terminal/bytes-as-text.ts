/**
 * Any bytes as text for detectors, with a way back to the places of bytes: UTF-8 where all of it is, and otherwise one
 * letter for each byte, because detectors take everything that is not ASCII for letters. Pure.
 */
import { isUtf8 } from 'node:buffer'

export interface BytesAsText {
  readonly text: string
  /** The place of the byte that this unit of the text begins with. To be asked in ascending order. */
  place(index: number): number
  /** A part of the text, or what a mask made of it. */
  encode(text: string): Buffer
}

export function bytesAsText(bytes: Buffer): BytesAsText {
  if (!isUtf8(bytes)) return { text: bytes.toString('latin1'), place: same, encode: encodeLetters }
  const text = bytes.toString()
  if (text.length === bytes.length) return { text, place: same, encode: Buffer.from }
  let at = 0
  let place = 0
  return {
    text,
    place(index) {
      for (; at < index; at++) place += widthOf(text, at)
      return place
    },
    encode: (part) => Buffer.from(part),
  }
}

/** Bytes at the end that begin a character whose rest has not come. */
export function unfinishedCharacter(bytes: Uint8Array): { readonly begun: number; readonly missing: number } {
  for (let begun = 1; begun <= Math.min(3, bytes.length); begun++) {
    const byte = bytes[bytes.length - begun] as number
    if (byte >= 0x80 && byte < 0xc0) continue
    const whole =
      byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 0
    if (whole > begun) return { begun, missing: whole - begun }
    break
  }
  return { begun: 0, missing: 0 }
}

const same = (index: number) => index

/** How many bytes of UTF-8 a unit stands for: the four of a pair count with its second half, so that none is cut off. */
function widthOf(text: string, index: number): number {
  const code = text.charCodeAt(index)
  if (code < 0x80) return 1
  if (code < 0x800) return 2
  if (code < 0xd800 || code > 0xdfff) return 3
  return code < 0xdc00 ? 0 : 4
}

/** Signs that are no bytes come from masks. */
function encodeLetters(text: string): Buffer {
  return Buffer.concat(
    text.split(/([\u0100-\uffff]+)/).map((part, at) => Buffer.from(part, at % 2 === 0 ? 'latin1' : 'utf8')),
  )
}
