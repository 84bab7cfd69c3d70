/** What a schema cannot see of an HTTP target: whether the gateway can let itself in as it is told, and its path templates. Pure. */
import { isLoopback } from '../../base/loopback.ts'
import { compileTemplate } from '../../base/path-template.ts'
import { type Finding, mistake, type Path, warning } from './mistakes.ts'
import type { TargetConfig } from './schema.ts'

export function httpFindings(target: TargetConfig, path: Path): readonly Finding[] {
  return [...loginFindings(target, path), ...templateFindings(target.http.paths, [...path, 'http', 'paths'])]
}

/** They say how a request is sent, and where to. */
const notForSecrets = /^(?:host|content-length|transfer-encoding|connection|keep-alive|te|upgrade|trailer|expect)$/i

function loginFindings({ name, user, secret, http }: TargetConfig, path: Path): readonly Finding[] {
  const { login, oauth2 } = http
  const found: Finding[] = []
  const needs = (key: string, what: string) =>
    found.push(mistake([...path, 'http', 'login'], `login "${login}" of "${name}" needs "${key}": ${what}`))
  if (login !== 'none' && secret === undefined) needs('secret', 'where the secret is')
  if (login === 'header' && http.name === undefined) needs('name', 'of the header that carries the secret')
  if (login === 'query' && http.name === undefined) needs('name', 'of the query parameter that carries the secret')
  if (login === 'oauth2' && oauth2 === undefined) needs('oauth2', 'where tokens are given out, and to which client')
  if (login === 'basic' && user === '') needs('user', 'who the password is of')

  const useless = (key: string, of: string) =>
    found.push(mistake([...path, 'http', key], `"${key}" goes with ${of}, and the login of "${name}" is "${login}"`))
  if (login !== 'header' && login !== 'query' && http.name !== undefined) useless('name', 'the logins header and query')
  if (login !== 'oauth2' && oauth2 !== undefined) useless('oauth2', 'the login oauth2')
  if (login === 'none' && secret !== undefined)
    found.push(warning([...path, 'secret'], `the secret of "${name}" is not used: "http.login" says how it would be`))

  if (login === 'header' && notForSecrets.test(http.name ?? ''))
    found.push(mistake([...path, 'http', 'name'], `"${http.name}" says how a request is sent, and carries no secret`))
  if (oauth2 !== undefined && !isSafe(new URL(oauth2.tokenUrl)))
    found.push(mistake([...path, 'http', 'oauth2', 'tokenUrl'], 'tokens have to be asked for by https'))
  return found
}

function isSafe(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

function templateFindings(templates: readonly string[], path: Path): readonly Finding[] {
  return templates.flatMap((template, at) => {
    try {
      compileTemplate(template)
      return []
    } catch (error) {
      return [mistake([...path, at], error instanceof Error ? error.message : String(error))]
    }
  })
}
