/** Every way in which the same bytes may arrive: whole, cut in two at every place, and one byte at a time. */
export function* cuts(bytes: Buffer): Iterable<readonly Buffer[]> {
  yield [bytes]
  for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)]
  yield Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
}
