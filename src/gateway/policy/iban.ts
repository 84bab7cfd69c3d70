/** International bank account numbers (ISO 13616): length by country, and the check modulo 97. */

const lengths: Readonly<Record<string, number>> = {
  AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BI: 27, BR: 29, BY: 28, CH: 21, CR: 22,
  CY: 28, CZ: 24, DE: 22, DJ: 27, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18, FK: 18, FO: 18, FR: 27, GB: 22,
  GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HN: 28, HR: 21, HU: 28, IE: 22, IL: 23, IQ: 23, IS: 26, IT: 27, JO: 30,
  KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20, LU: 20, LV: 21, LY: 25, MC: 27, MD: 24, ME: 22, MK: 19, MN: 20,
  MR: 27, MT: 31, MU: 30, NI: 28, NL: 18, NO: 15, OM: 23, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29, RO: 24, RS: 22,
  RU: 33, SA: 24, SC: 31, SD: 18, SE: 24, SI: 19, SK: 24, SM: 27, SO: 23, ST: 25, SV: 28, TL: 23, TN: 24, TR: 26,
  UA: 29, VA: 22, VG: 24, XK: 20, YE: 30,
} // biome-ignore format: a table

const known = new Uint8Array(26 * 26)
for (const country of Object.keys(lengths))
  known[(country.charCodeAt(0) - 0x41) * 26 + country.charCodeAt(1) - 0x41] = 1

/** Two letters as 0 to 25; anything else is no country. */
export function isIbanCountry(first: number, second: number): boolean {
  return first >= 0 && first < 26 && second >= 0 && second < 26 && known[first * 26 + second] === 1
}

/** Where an IBAN that starts here ends, `undefined` if none does. Groups may be parted by single spaces. */
export function ibanEnd(text: string, start: number): number | undefined {
  const length = lengths[text.slice(start, start + 2).toUpperCase()]
  if (length === undefined) return undefined
  let remainder = 0
  let digitsOfHead = ''
  let at = start
  for (let count = 0; count < length; at++) {
    const value = digitsOf(text.charCodeAt(at))
    if (value < 0) {
      if (text.charCodeAt(at) !== 0x20 || count === 0 || text.charCodeAt(at - 1) === 0x20) return undefined
      continue
    }
    // The country and the check digits count as if they stood at the end.
    if (count < 4) digitsOfHead += String(value)
    else remainder = (value > 9 ? remainder * 100 + value : remainder * 10 + value) % 97
    count++
  }
  for (const digit of digitsOfHead) remainder = (remainder * 10 + Number(digit)) % 97
  return remainder === 1 && digitsOf(text.charCodeAt(at)) < 0 ? at : undefined
}

function digitsOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const upper = code & 0xdf
  return upper >= 0x41 && upper <= 0x5a && code < 0x7b ? upper - 0x41 + 10 : -1
}
