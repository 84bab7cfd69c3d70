/**
 * A web page must not be able to use the gateway through somebody's browser: requests that a foreign page makes carry its
 * Origin, and a page that made its own name point at this machine (DNS rebinding) carries that name as Host.
 */
import { isLoopback } from '../../base/loopback.ts'

export interface Doorway {
  /** Host the gateway listens on. */
  readonly host: string
  /** Further names it is reached by, through a proxy on the same machine. */
  readonly names: readonly string[]
}

/** Why this request is turned away; undefined if it is not. */
export function foreign(host: string | undefined, origin: string | undefined, doorway: Doorway): string | undefined {
  if (host === undefined || host === '') return 'the request names no host'
  const name = nameOf(`http://${host}`)
  if (isLoopback(doorway.host) && !(name !== undefined && (isLoopback(name) || doorway.names.includes(name))))
    return `this gateway is not called ${host}`
  // `null`, and whatever else is no URL, is a foreign origin too.
  if (origin !== undefined && hostOf(origin) !== hostOf(`http://${host}`)) return `${origin} may not use this gateway`
  return undefined
}

function nameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

/** Host and port; the port that goes without saying is left out for http and https alike. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host.replace(/:(80|443)$/, '') : undefined
}
