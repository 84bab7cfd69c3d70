/**
 * Is this text that somebody could read, or an archive, an image, a transfer's own protocol? By its control characters: a
 * terminal's text has a few that mean something, bytes of other kinds have all of them. Only what is kept for people to
 * look at depends on it, never what passes.
 */

/** Less than this is a word, a key, an answer: kept as it is. */
const least = 64
/** Of the first so many bytes. In random bytes one of eleven is a control character without a meaning on a terminal. */
const sample = 1024
/** Far enough from that: one sample in a quarter of a million is taken for text by chance. */
const mostOf = 20

export function isText(bytes: Uint8Array): boolean {
  if (bytes.length < least) return true
  const length = Math.min(bytes.length, sample)
  let strange = 0
  for (let at = 0; at < length; at += 1) if (isStrange(bytes[at] ?? 0)) strange += 1
  return strange <= length / mostOf
}

/** Not bell, backspace, tab, line feed, form feed, carriage return, charset shifts (7 to 15) and escape. */
function isStrange(byte: number): boolean {
  return byte === 0x7f || (byte < 0x20 && byte !== 0x1b && (byte < 7 || byte > 15))
}
