/** Which HTTP proxy, if any, the environment names for a gateway: HTTPS_PROXY, HTTP_PROXY, NO_PROXY as curl reads them. */
import { isLoopback } from '../base/loopback.ts'

export function proxyFor(gateway: URL, env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (isLoopback(gateway.hostname) || isExcepted(gateway.hostname, env.no_proxy ?? env.NO_PROXY ?? '')) return undefined
  // Only in lower case: HTTP_PROXY can be set by a request's `Proxy:` header where a program runs as CGI.
  const named = gateway.protocol === 'https:' ? (env.https_proxy ?? env.HTTPS_PROXY) : env.http_proxy
  const proxy = named ?? env.all_proxy ?? env.ALL_PROXY
  if (proxy === undefined || proxy === '') return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

function isExcepted(host: string, list: string): boolean {
  return list
    .split(',')
    .map((entry) =>
      entry
        .trim()
        .replace(/:\d+$/, '')
        .replace(/^\*?\./, ''),
    )
    .some((entry) => entry === '*' || (entry !== '' && (host === entry || host.endsWith(`.${entry}`))))
}
