/** Bytes as people read them. */

/** `0 bytes`, `1 byte`, `340 bytes`, `1.2 MiB`, `256 MiB`. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  let size = bytes
  let unit = -1
  // 1023.95 would be written as 1024.0.
  while (unit < 0 || (size >= 1023.95 && unit < units.length - 1)) {
    size /= 1024
    unit += 1
  }
  return `${size.toFixed(1).replace('.0', '')} ${units[unit]}`
}
