/** Where in visible text something that is hidden may go on, and where nothing is cut in two. Pure. */

const isWord = new Uint8Array(256).fill(1, 0x80)
for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._~%+-/=\\')
  isWord[letter.charCodeAt(0)] = 1

/** How long the text goes on with letters, digits and signs that stand in addresses and keys. */
export function wordLength(text: Uint8Array): number {
  let length = 0
  while (length < text.length && isWord[text[length] as number] === 1) length++
  return length
}

export function isWholeWord(text: Uint8Array): boolean {
  return text.length > 0 && wordLength(text) === text.length
}

/** The first place behind the end of a word, going back from here; here, where there is none near. */
export function boundaryBefore(text: Uint8Array, place: number): number {
  const furthest = Math.max(0, place - 4096)
  for (let at = place; at > furthest; at--) if (isWord[text[at - 1] as number] === 0) return at
  return place
}

const shortestLine = 20

/** A line inside an armoured key: base64 and nothing else. */
export function isArmour(text: Uint8Array): boolean {
  const length = wordLength(text)
  const isAll = text.subarray(length).every((byte) => byte === 0x0d || byte === 0x0a)
  return isAll && (length >= shortestLine || (length > 0 && text[length - 1] === 0x3d))
}
