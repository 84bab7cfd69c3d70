/**
 * A path in the segments that the API server sees. It decodes a path once and splits it at the slashes, whatever these were
 * written as, and its neighbours (load balancers, aggregated servers) fold dots, slashes and cases in ways of their own: a
 * path that two of them could read differently is a doubt, and goes nowhere. Pure.
 */

export type PathReading =
  | {
      /** Decoded. Those behind a `proxy` belong to whatever stands there. */
      readonly segments: readonly string[]
      /** It ends with a slash. */
      readonly open: boolean
    }
  | { readonly doubt: string }

/** `path`: what stands before the question mark, beginning with a slash. */
export function readPath(path: string): PathReading {
  const written = path.slice(1).split('/')
  const open = written.at(-1) === ''
  if (open) written.pop()
  const segments: string[] = []
  for (const piece of written) {
    const segment = decoded(piece)
    if (segment === undefined) return { doubt: 'its path has an escape that is none' }
    const foreign = isForeign(segments)
    const doubt = foreign ? doubtIn(piece, segment) : (doubtIn(piece, segment) ?? doubtAboutName(segment))
    if (doubt !== undefined) return { doubt }
    segments.push(segment)
  }
  return { segments, open }
}

/** `/api/v1/namespaces/prod/services/web/proxy/…`: the rest is a path of somebody else. */
function isForeign([prefix, ...behind]: readonly string[]): boolean {
  const parts = prefix === 'api' ? behind.slice(1) : prefix === 'apis' ? behind.slice(2) : []
  return parts[parts[0] === 'namespaces' ? 4 : 2] === 'proxy'
}

function decoded(piece: string): string | undefined {
  try {
    return decodeURIComponent(piece)
  } catch {
    return undefined
  }
}

/** Of any segment: steps upwards in any spelling, also where somebody decodes once more. */
function doubtIn(piece: string, segment: string): string | undefined {
  const again = decoded(segment) ?? segment
  if ([segment, again].some((text) => text.split(/[/\\]/).some((step) => /^\.\.?$/.test(step.replace(/;.*$/s, '')))))
    return 'its path has a dot segment'
  if (/[\x00-\x1f\x7f\\]/.test(segment)) return 'its path has a character that no name has'
  if (/[^\x21-\x7e]/.test(piece)) return 'its path has a character that has to be escaped'
  return undefined
}

/** Of what the API server itself takes for a name. */
function doubtAboutName(segment: string): string | undefined {
  if (segment === '') return 'its path has an empty segment'
  if (segment.includes('/')) return 'its path has an encoded slash'
  if (segment.includes('%')) return 'its path has an escape inside an escape'
  if (/[;?#]/.test(segment)) return 'its path has a character that ends a path elsewhere'
  return undefined
}
