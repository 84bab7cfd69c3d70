/** How the gateway's address is read and written, without what it takes to talk to it. */
import { isLoopback } from '../base/loopback.ts'
import { hoopError } from '../contract/error-codes.ts'

/** A bearer token in plain text is for whoever listens: only to this very machine. */
export function checkedUrl(gateway: string): URL {
  const url = parseUrl(gateway)
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw hoopError('usage', `"${gateway}" is not the address of a gateway`, { hint: 'like https://hoop.example.com' })
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    throw hoopError('usage', `refusing to send a token to ${url.host} unencrypted`, {
      hint: `use https://${url.host}; plain http is for loopback addresses`,
    })
  url.hash = ''
  url.search = ''
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** One spelling for one gateway, as tokens are kept under it. */
export function gatewayName(gateway: string): string {
  return checkedUrl(gateway).href.replace(/\/$/, '')
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
