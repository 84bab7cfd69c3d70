/**
 * Could a detector find anything here? A glance over raw bytes, so that ordinary rows cost nanoseconds and no strings, and
 * a closer look where it catches something. Either may say yes for nothing, never no for something that detectors.ts would
 * find in the same bytes.
 */
import type { DetectorName } from '../config/schema.ts'
import { isIbanCountry } from './iban.ts'

/** A bit for each detector; several together say which are asked about. */
export const suspicionBits: Readonly<Record<DetectorName, number>> = {
  email: 1,
  card: 2,
  iban: 4,
  'us-ssn': 8,
  jwt: 16,
  'private-key': 32,
  'cloud-key': 64,
}

const digit = 1
const hexLetter = 2
const letter = 3
const underscore = 4
const dash = 5
const space = 6
const at = 7

const classOf = new Uint8Array(256)
for (let byte = 0x30; byte <= 0x39; byte++) classOf[byte] = digit
for (let byte = 0x61; byte <= 0x7a; byte++) {
  const found = byte <= 0x66 ? hexLetter : letter
  classOf[byte] = found
  classOf[byte - 0x20] = found
}
classOf[0x5f] = underscore
classOf[0x2d] = dash
classOf[0x20] = space
classOf[0x40] = at

/** No key, name of a key (`SecretAccessKey`) or JWT header that is recognised has fewer characters without a break. */
const shortestToken = 15
const shortestCard = 13
const dashesOfPem = 5

export function isSuspect(bytes: Uint8Array, start: number, end: number, wanted: number): boolean {
  const caught = glance(bytes, start, end)
  if (isWorthALook(caught, wanted)) return looksLikeOne(bytes, start, end, wanted)
  return isWorthReading(caught, wanted) && holdsToken(bytes, start, end, wanted)
}

// What a glance counts and sees, in one number. Three counters of eight bits each start where what is looked for sets one
// bit that nothing shorter sets; what carries over from one to the next comes after its bit was set.
const tokens = 0xff
const longToken = 16
const cardDigits = 0xff00
const manyDigits = 16 << 8
const dashRow = 0xff0000
const manyDashes = 8 << 16
const anAt = 1 << 24
const anAssignment = 1 << 25
const aDot = 1 << 26
const notHexadecimal = 1 << 27
const aDigit = 1 << 28

const noToken = longToken - shortestToken
const noDigits = (16 - shortestCard) << 8
const noDashes = (8 - dashesOfPem) << 16

/** Of each byte: which counters go on, and what it adds (with the beginning of those that do not). */
const goesOn = new Int32Array(256)
const adds = new Int32Array(256).fill(noToken | noDigits | noDashes)
for (let byte = 0; byte < 256; byte++)
  switch (classOf[byte]) {
    case digit:
      goesOn[byte] = tokens | cardDigits
      adds[byte] = 1 | (1 << 8) | noDashes | aDigit
      break
    case hexLetter:
      goesOn[byte] = tokens
      adds[byte] = 1 | noDigits | noDashes
      break
    case letter:
    case underscore:
      goesOn[byte] = tokens
      adds[byte] = 1 | noDigits | noDashes | notHexadecimal
      break
    case dash:
      goesOn[byte] = tokens | cardDigits | dashRow
      adds[byte] = 1 | (1 << 16)
      break
    case space:
      goesOn[byte] = cardDigits
      adds[byte] = noToken | noDashes
      break
    case at:
      adds[byte] = noToken | noDigits | noDashes | anAt
      break
    default:
  }
for (const sign of [0x3d, 0x7e]) adds[sign] = noToken | noDigits | noDashes | anAssignment
adds[0x2e] = noToken | noDigits | noDashes | aDot

/** No branches: which byte comes next cannot be guessed, and each wrong guess costs as much as ten bytes. */
function glance(bytes: Uint8Array, start: number, end: number): number {
  let counters = noToken | noDigits | noDashes
  let caught = 0
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    counters = (counters & (goesOn[byte] as number)) + (adds[byte] as number)
    caught |= counters
  }
  return caught
}

function isWorthALook(caught: number, wanted: number): boolean {
  if ((caught & anAt) !== 0 && (wanted & suspicionBits.email) !== 0) return true
  if ((caught & manyDigits) !== 0 && (wanted & suspicionBits.card) !== 0) return true
  if ((caught & manyDashes) !== 0 && (wanted & suspicionBits['private-key']) !== 0) return true
  if ((caught & aDigit) !== 0 && (wanted & (suspicionBits.iban | suspicionBits['us-ssn'])) !== 0) return true
  return (caught & anAssignment) !== 0 && (wanted & suspicionBits['cloud-key']) !== 0
}

/** Long tokens are common, in UUIDs and hashes, and rarely in a line with nothing but hexadecimal digits beside them. */
function isWorthReading(caught: number, wanted: number): boolean {
  if ((wanted & (suspicionBits.jwt | suspicionBits['cloud-key'])) === 0) return false
  return (caught & longToken) !== 0 && (caught & (notHexadecimal | aDot)) !== 0
}

/** A long token that is not only hexadecimal, or follows the name of a key and a dot. Passes over words without reading them. */
function holdsToken(bytes: Uint8Array, start: number, end: number, wanted: number): boolean {
  for (let at = start; at + shortestToken <= end; ) {
    let last = at + shortestToken - 1
    while (last >= at && isOfToken(bytes[last] as number)) last--
    if (last >= at) {
      at = last + 1
      continue
    }
    // Of `endsKeyName`: behind a dot comes a long token, and only there it matters.
    if (at > start && (wanted & suspicionBits['cloud-key']) !== 0 && endsKeyName(bytes, at - 1)) return true
    for (; at < end && isOfToken(bytes[at] as number); at++)
      if (((adds[bytes[at] as number] as number) & notHexadecimal) !== 0) return true
    at++
  }
  return false
}

function isOfToken(byte: number): boolean {
  return ((goesOn[byte] as number) & tokens) !== 0
}

function looksLikeOne(bytes: Uint8Array, start: number, end: number, wanted: number): boolean {
  // The run of letters, digits, `-` and `_` that the current byte is in.
  let token = 0
  let plainHex = true
  // Digits so far, not counting single spaces and dashes between them.
  let digits = 0
  let dashes = 0
  const findsTokens = (wanted & (suspicionBits.jwt | suspicionBits['cloud-key'])) !== 0

  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    const found = classOf[byte] as number
    switch (found) {
      case digit:
        digits++
        token++
        dashes = 0
        if (digits >= shortestCard && (wanted & suspicionBits.card) !== 0) return true
        if (digits === 1 && (wanted & suspicionBits.iban) !== 0 && startsIban(bytes, index, start, end)) return true
        break
      case hexLetter:
        digits = 0
        token++
        dashes = 0
        break
      case letter:
      case underscore:
        digits = 0
        token++
        dashes = 0
        plainHex = false
        break
      case dash:
        if ((wanted & suspicionBits['us-ssn']) !== 0 && isSsnAround(bytes, index, start, end)) return true
        if (index === start || classOf[bytes[index - 1] as number] !== digit) digits = 0
        token++
        dashes++
        if (dashes >= dashesOfPem && (wanted & suspicionBits['private-key']) !== 0) return true
        break
      case space:
        if ((wanted & suspicionBits['us-ssn']) !== 0 && isSsnAround(bytes, index, start, end)) return true
        if (index === start || classOf[bytes[index - 1] as number] !== digit) digits = 0
        token = 0
        plainHex = true
        dashes = 0
        break
      case at:
        if ((wanted & suspicionBits.email) !== 0) return true
        token = 0
        plainHex = true
        digits = 0
        dashes = 0
        break
      default:
        if (token >= 2 && (wanted & suspicionBits['cloud-key']) !== 0 && endsKeyName(bytes, index)) return true
        token = 0
        plainHex = true
        digits = 0
        dashes = 0
    }
    // UUIDs and hashes are long and common, and no token of either kind is only hexadecimal.
    if (findsTokens && !plainHex && token >= shortestToken) return true
  }
  return false
}

/** `LLdd`, seen from its first digit. */
function startsIban(bytes: Uint8Array, index: number, start: number, end: number): boolean {
  if (index - 2 < start || index + 1 >= end || classOf[bytes[index + 1] as number] !== digit) return false
  return isIbanCountry(((bytes[index - 2] as number) & 0xdf) - 0x41, ((bytes[index - 1] as number) & 0xdf) - 0x41)
}

/** `ddd-dd-dddd`, seen from its first separator. */
function isSsnAround(bytes: Uint8Array, index: number, start: number, end: number): boolean {
  if (index - 3 < start || index + 7 >= end || bytes[index + 3] !== bytes[index]) return false
  for (const offset of [-3, -2, -1, 1, 2, 4, 5, 6, 7])
    if (classOf[bytes[index + offset] as number] !== digit) return false
  return true
}

/**
 * What follows may hold signs that break tokens (`AccountKey=`, `sig=`, the `Q~` inside Azure's client secrets), or be
 * nothing but hexadecimal by chance (`ya29.`, `SG.`, `hvs.`).
 */
function endsKeyName(bytes: Uint8Array, index: number): boolean {
  const before = bytes[index - 1]
  switch (bytes[index]) {
    case 0x3d:
      return before === 0x79 || before === 0x67
    case 0x7e:
      return before === 0x51
    case 0x2e: {
      const first = bytes[index - 2]
      return (
        (before === 0x39 && first === 0x32) ||
        (before === 0x47 && first === 0x53) ||
        ((before === 0x73 || before === 0x62) && first === 0x76)
      )
    }
    default:
      return false
  }
}
