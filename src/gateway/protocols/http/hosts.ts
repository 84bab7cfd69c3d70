/**
 * Who may use the local port: programs of its user, and no web page. A page of another site can make a browser send requests
 * to a local port, by its own name (DNS rebinding: a foreign Host) or across sites (a foreign Origin). Pure.
 */

import type { Fields } from './exchange.ts'
import { field, has, lines } from './headers.ts'

const loopbackAuthority =
  /^(?:localhost|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.localhost|127(?:\.\d{1,3}){3}|\[(?:::1|::ffff:127(?:\.\d{1,3}){3})\])\.?(?::\d{1,5})?$/i

/** Why this request is not one of a program of the port's own user; undefined: it may be. `host` as the Host field has it. */
export function foreignOf(host: string | undefined, fields: Fields): string | undefined {
  if (host !== undefined && !loopbackAuthority.test(host))
    return 'the request is meant for another host: use the address that hoop printed'
  // A page that another local port serves is as foreign as one from far away.
  if (has(fields, 'origin') && !isOwnOrigin(lines(fields, 'origin'), host))
    return 'the request comes from a web page of another origin'
  const site = field(fields, 'sec-fetch-site')?.toLowerCase()
  if (has(fields, 'sec-fetch-site') && site !== 'same-origin' && site !== 'none')
    return 'the request comes from a web page of another origin'
  return undefined
}

function isOwnOrigin(origins: readonly string[], host: string | undefined): boolean {
  const [, authority] = /^http:\/\/(.+)$/i.exec(origins[0] ?? '') ?? []
  if (origins.length !== 1 || authority === undefined || host === undefined) return false
  return authority.toLowerCase() === host.toLowerCase()
}
