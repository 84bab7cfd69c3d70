/** Between bytes in the client's encoding and the text that masks work on. */

export interface Codec {
  decode(bytes: Buffer): string
  encode(text: string): Buffer
  /** What is in front of ASCII letters, digits and signs is always whole: no byte of a longer character looks like one. */
  readonly asciiSafe: boolean
}

const utf8: Codec = {
  decode: (bytes) => bytes.toString('utf8'),
  encode: (text) => Buffer.from(text, 'utf8'),
  asciiSafe: true,
}

/**
 * Every encoding of PostgreSQL keeps ASCII; other bytes are carried through as they are. The dots of a mask become
 * asterisks, and what is left of a value that is not ASCII is dropped: half a character is an error for some clients.
 */
const bytewise: Codec = {
  decode: (bytes) => bytes.toString('latin1'),
  encode: (text) => Buffer.from(text.replaceAll('•', '*'), 'latin1'),
  asciiSafe: true,
}

/** In these, the second byte of a character may look like a letter, a backslash or a brace. */
const unsafe = new Set([
  'SJIS',
  'SHIFTJIS',
  'SHIFT_JIS_2004',
  'SHIFTJIS2004',
  'BIG5',
  'WIN950',
  'GBK',
  'WIN936',
  'GB18030',
  'UHC',
  'WIN949',
  'JOHAB',
])

/** undefined: the server's default, which it always reports. */
export function codecOf(clientEncoding: string | undefined): Codec {
  const name = (clientEncoding ?? '').toUpperCase()
  if (name === 'UTF8' || name === 'UTF-8' || name === 'UNICODE') return utf8
  return unsafe.has(name) || name === '' ? { ...bytewise, asciiSafe: false } : bytewise
}
