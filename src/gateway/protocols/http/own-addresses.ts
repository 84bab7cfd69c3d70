/**
 * A target that names itself (a redirect, the next page) means an address that the client must not go to, and often cannot:
 * it is turned into the client's own way there. What would make a client go past the door by itself is taken away.
 */
import type { TlsSettings } from '../protocol.ts'
import type { Fields } from './exchange.ts'

export interface Place {
  readonly host: string
  readonly port: number
  readonly tls: TlsSettings
}

/** Tells clients to go elsewhere from now on (RFC 7838), or to insist on TLS at 127.0.0.1 (RFC 6797). */
const aboutTheWay = new Set(['alt-svc', 'strict-transport-security'])

const rewriters: Readonly<Record<string, (value: string, toLocal: (address: string) => string) => string>> = {
  location: (value, toLocal) => toLocal(value),
  'content-location': (value, toLocal) => toLocal(value),
  // RFC 8288: <address>; rel=next, <address>; rel=last
  link: (value, toLocal) => value.replace(/<([^>]*)>/g, (_whole, address: string) => `<${toLocal(address)}>`),
  // 5; url=https://…, as browsers read it
  refresh: (value, toLocal) =>
    value.replace(
      /^(\s*[\d.]*\s*[;,]?\s*(?:url\s*=\s*)?)(['"]?)(.*)$/is,
      (_whole, before: string, quote: string, address: string) => `${before}${quote}${toLocal(address)}`,
    ),
}

/** `local` is the client's Host; undefined leaves addresses as they are. */
export function withLocalAddresses(fields: Fields, place: Place, local: string): Fields {
  const concerned = fields.some(([name]) => {
    const lower = name.toLowerCase()
    return aboutTheWay.has(lower) || Object.hasOwn(rewriters, lower)
  })
  if (!concerned) return fields
  const toLocal = (address: string) => localized(address, place, local)
  return fields.flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    if (aboutTheWay.has(lower)) return []
    const rewrite = Object.hasOwn(rewriters, lower) ? rewriters[lower] : undefined
    return [[name, rewrite === undefined ? value : rewrite(value, toLocal)] as const]
  })
}

function localized(address: string, place: Place, local: string): string {
  // Not by URL: what follows the authority has to stay as it is, to the letter.
  const parts = address.match(/^(?:([a-z][a-z0-9+.-]*):)?\/\/([^/?#\\]*)(.*)$/is)
  if (parts === null) return address
  const [, scheme = schemeOf(place), authority = '', rest = ''] = parts
  return isOwn(scheme.toLowerCase(), authority, place) ? `http://${local}${rest}` : address
}

function isOwn(scheme: string, authority: string, place: Place): boolean {
  if (scheme !== schemeOf(place)) return false
  const written = `${scheme}://${authority.replace(/^.*@/s, '')}`
  if (!URL.canParse(written)) return false
  const { host } = new URL(written)
  return namesOf(place).includes(host)
}

/** With the port only where it is not the scheme's own, as URLs write it. */
function namesOf(place: Place): readonly string[] {
  const { host, port, tls } = place
  return [host, ...(tls.serverName === undefined ? [] : [tls.serverName])].map((name) => hostOf(place, name, port))
}

/** `api.example.com`, `10.0.0.7:8443`, `[::1]:8080`: what goes into Host. */
export function authorityOf(place: Place): string {
  return hostOf(place, place.host, place.port)
}

export function originOf(place: Place): string {
  return `${schemeOf(place)}://${authorityOf(place)}`
}

function hostOf(place: Place, name: string, port: number): string {
  const bare = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name
  return new URL(`${schemeOf(place)}://${bare}:${port}`).host
}

function schemeOf({ tls }: Place): 'http' | 'https' {
  return tls.mode === 'disable' ? 'http' : 'https'
}
