/**
 * Paths as rules see them: absolute, with `.`, `..` and `//` folded, so that `/srv/../etc/passwd` is `/etc/passwd`. What
 * a symbolic link at the target makes of a path cannot be seen from here. Pure.
 */

/**
 * `start` is the directory that a relative path begins in. Where nobody knows it such a path stays `~/…`, and one that
 * climbs out of there is undefined: it may lead anywhere.
 */
export function resolvePath(path: string, start: string | undefined): string | undefined {
  if (path.startsWith('/')) return fold(path)
  if (start !== undefined) return fold(`${start}/${path}`)
  return path.split('/').includes('..') ? undefined : `~${fold(path)}`
}

function fold(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** Of an absolute path: `/` of `/srv`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1))
}

/** Are these the same place, or is one inside the other? */
export function overlap(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one]
  return long.startsWith(short) && (long.length === short.length || short.endsWith('/') || long[short.length] === '/')
}
