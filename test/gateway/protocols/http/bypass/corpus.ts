/**
 * Requests that try to get at what the rules (rules.ts) forbid: /admin and /private, DELETE, the role admin. Each is sent to a
 * real server directly as well, so that it is known which of them do get there.
 */
import { gzipSync } from 'node:zlib'
import type { Fields } from '../../../../../src/gateway/protocols/http/exchange.ts'

/** nginx: locations. app: test/support/lenient-app.ts. files: python3 -m http.server. */
export type ServerName = 'nginx' | 'app' | 'files'

export interface Attempt {
  readonly server: ServerName
  readonly method: string
  readonly target: string
  readonly fields: Fields
  readonly body: Buffer | undefined
  /** Sent directly, it reaches what is forbidden. */
  readonly works: boolean
}

const attempt = (
  server: ServerName,
  works: boolean,
  method: string,
  target: string,
  fields: Fields = [],
  body?: string | Buffer,
): Attempt => ({ server, works, method, target, fields, body: body === undefined ? undefined : Buffer.from(body) })

const get = (server: ServerName, target: string, works = true) => attempt(server, works, 'GET', target)
const post = (works: boolean, type: string | undefined, body: string | Buffer, more: Fields = []) =>
  attempt(
    'app',
    works,
    'POST',
    '/users',
    [...(type === undefined ? [] : [['Content-Type', type] as const]), ...more],
    body,
  )

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'
const parts = 'multipart/form-data; boundary=b'
const part = (head: string, content: string) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`

const paths: readonly Attempt[] = [
  // As they stand: the rules are about these.
  get('nginx', '/admin'),
  get('nginx', '/admin/users?x=1'),
  get('files', '/private/secret.txt'),
  get('app', '/admin'),
  // Slashes and dots.
  get('nginx', '//admin'),
  get('nginx', '///admin'),
  get('nginx', '/admin/'),
  get('nginx', '/./admin'),
  get('nginx', '/public/../admin'),
  get('nginx', '/public/x/../../admin'),
  get('nginx', '/public/.././admin'),
  get('nginx', '/public//../admin'),
  get('nginx', '/admin/../admin/x'),
  get('nginx', '/admin/.'),
  get('files', '/public/../private/secret.txt'),
  get('files', '//private/secret.txt'),
  get('files', '/private//secret.txt'),
  get('files', '/./private/./secret.txt'),
  // Percent-encoding, once and twice.
  get('nginx', '/%61dmin'),
  get('nginx', '/%61%64%6D%69%6e'),
  get('nginx', '/public/%2e%2e/admin'),
  get('nginx', '/public/.%2E/admin'),
  get('nginx', '/public/..%2fadmin'),
  get('nginx', '/public%2f..%2fadmin'),
  get('nginx', '/%2fadmin'),
  get('nginx', '/%2e/admin'),
  get('nginx', '/admin%2fusers'),
  get('nginx', '/admin%3fx'),
  get('nginx', '/admin%23x'),
  get('nginx', '/app/%2561dmin'),
  get('nginx', '/app/public/%252e%252e/admin'),
  get('nginx', '/app/%2e%2e/admin'),
  get('nginx', '/app/admin%3fa=b'),
  get('nginx', '/app//admin'),
  get('files', '/%70rivate/secret.txt'),
  get('files', '/private%2fsecret.txt'),
  get('files', '/public/..%2Fprivate/secret.txt'),
  get('files', '/private/secret%2etxt'),
  get('files', '/private/secret.txt%23x', false),
  get('app', '/%2561dmin'),
  get('app', '/%252561dmin'),
  get('app', '/public/%252e%252e%252fadmin'),
  get('app', '/public/%25252e%25252e/admin'),
  // Case.
  get('nginx', '/Private/x'),
  get('nginx', '/PRIVATE'),
  get('app', '/Admin'),
  get('app', '/ADMIN/users'),
  get('app', '/%41dmin'),
  // Matrix parameters.
  get('app', '/admin;x'),
  get('app', '/admin;x=y/users'),
  get('app', '/;x/admin'),
  get('app', '/public/..;/admin'),
  get('app', '/public/..;x=y/admin'),
  get('app', '/public/%2e%2e;/admin'),
  get('app', '/admin%3bx'),
  get('app', '/public/..%3b/admin'),
  // Backslashes, ends that are cut off, formats.
  get('app', '/public%5c..%5cadmin'),
  get('app', '/public/..%5cadmin'),
  get('app', '/admin.'),
  get('app', '/admin%20'),
  get('app', '/admin%c2%85'),
  get('app', '/admin%c2%a0'),
  get('app', '/admin.json'),
  get('app', '/admin.xml'),
  // What nobody reads in one way.
  get('nginx', '/admin%00', false),
  get('app', '/admin%00.css', false),
  get('app', '/public%c0%af..%c0%afadmin', false),
  get('app', '/public%e0%80%af..%e0%80%afadmin', false),
  get('app', '/public/%u002e%u002e/admin', false),
  get('app', '/public%ef%bc%8f..%ef%bc%8fadmin', false),
  get('app', '/public%0d%0aX-Original-URL:%20/admin', false),
]

const overrides: readonly Attempt[] = [
  attempt('app', true, 'GET', '/public', [['X-Original-URL', '/admin']]),
  attempt('app', true, 'GET', '/public', [['x-original-url', '/public/..;/admin?x']]),
  attempt('app', true, 'GET', '/public', [['X-Rewrite-URL', '/%61dmin']]),
  attempt('app', true, 'DELETE', '/users/1'),
  attempt('app', false, 'delete', '/users/1'),
  attempt('app', true, 'POST', '/users/1', [['X-HTTP-Method-Override', 'DELETE']]),
  attempt('app', true, 'POST', '/users/1', [['x-http-method-override', ' delete ']]),
  attempt('app', true, 'POST', '/users/1', [['X-HTTP-Method', 'DELETE']]),
  attempt('app', true, 'GET', '/users/1', [['X-Method-Override', 'Delete']]),
  attempt('app', true, 'GET', '/users/1?_method=DELETE'),
  attempt('app', true, 'GET', '/users/1?_METHOD=delete'),
  attempt('app', true, 'GET', '/users/1?a=b;_method=DELETE'),
  attempt('app', true, 'GET', '/users/1?%5Fmethod=%44ELETE'),
  attempt('app', true, 'GET', '/users/1?_method=GET&_method=DELETE'),
  post(true, form, '_method=DELETE'),
  post(true, form, 'a=b&_method=+delete+'),
  post(true, json, '{"_method":"DELETE"}'),
  post(true, parts, `${part('name="_method"', 'DELETE')}--b--\r\n`),
]

const values: readonly Attempt[] = [
  post(true, json, '{"role":"admin"}'),
  post(true, json, ' \n{"name":"x","role" : "\\u0061dmin"}'),
  post(true, json, '{"r\\u006fle":"admin"}'),
  post(true, json, '{"Role":"admin"}'),
  post(true, json, '{"role":"user","ROLE":"admin"}'),
  post(true, json, '{"role":"user","role":"admin"}'),
  post(false, json, '{"role":"admin","role":"user"}'),
  post(true, 'application/vnd.api+json; charset=utf-8', '{"role":"admin"}'),
  post(true, `${json}; charset=utf-16`, '{"role":"admin"}'),
  post(true, json, Buffer.from('\ufeff{"role":"admin"}', 'utf16le')),
  post(true, json, '\ufeff{"role":"admin"}'),
  post(true, 'text/plain', '{"role":"admin"}'),
  post(true, 'text/plain', '{"role":"user","role":"admin"}'),
  post(true, 'text/html; charset=utf-16', '{"role":"admin"}'),
  post(true, 'application/xml', '{"role":"admin"}'),
  post(true, undefined, '{"role":"admin"}'),
  post(true, undefined, 'role=admin'),
  post(true, 'application/octet-stream', '{"role":"admin"}'),
  post(true, 'image/png', '{"role":"admin"}'),
  post(true, 'application/x-unheard-of', 'role=admin'),
  post(true, 'application/json, text/plain', '{"role":"admin"}'),
  post(true, 'text/plain', '{"role":"admin"}', [['Content-Type', json]]),
  post(true, form, 'role=admin'),
  post(true, form, '{"role":"admin"}'),
  post(true, form, 'role=user&role=admin'),
  post(true, form, 'a=b;role=admin'),
  post(true, form, 'r%6Fle=%61dmin'),
  post(true, `${form}; charset=ibm037`, 'role=admin'),
  post(true, 'text/plain', 'role=admin'),
  post(true, parts, `${part('name="role"', 'admin')}--b--\r\n`),
  post(true, parts, `${part('name="role"', 'user')}${part('name="role"', 'admin')}--b--\r\n`),
  post(true, parts, `${part('name=role', 'admin')}--b--\r\n`),
  post(true, parts, `before\r\n${part('name="role"', 'admin')}--b--\r\n`),
  post(true, parts, `${part('name="role"', 'admin').replaceAll('\r\n', '\n')}--b--\n`),
  post(true, parts, `${part('name="role"\r\nContent-Transfer-Encoding: base64', 'YWRtaW4=')}--b--\r\n`),
  post(true, 'multipart/form-data; boundary=b; boundary=c', `${part('name="role"', 'admin')}--b--\r\n`),
  post(false, json, gzipSync('{"role":"admin"}'), [['Content-Encoding', 'gzip']]),
  post(false, json, gzipSync(gzipSync('{"role":"admin"}')), [['Content-Encoding', 'gzip, gzip']]),
  post(true, json, '{"role":"admin"}', [['Content-Encoding', 'x-unheard-of']]),
  post(true, json, '{"role":"admin"}', [['Content-Encoding', 'gzip']]),
  attempt('app', true, 'GET', '/users?role=admin'),
  attempt('app', true, 'GET', '/users?ROLE=admin'),
  attempt('app', true, 'GET', '/users?role=user&role=admin'),
  attempt('app', true, 'GET', '/users?a=b;role=admin'),
  attempt('app', true, 'GET', '/users?r%6Fle=adm%69n'),
  attempt('app', true, 'GET', '/users', [['Content-Type', json]], '{"role":"admin"}'),
]

export const attempts: readonly Attempt[] = [...paths, ...overrides, ...values]

/** They have to go through, also where only a few things are allowed. */
export const honest: readonly Attempt[] = [
  get('nginx', '/public/a', false),
  get('nginx', '/public/a%20b', false),
  get('nginx', '/public/administrators', false),
  get('files', '/public/read.txt', false),
  get('app', '/public/users?role=user', false),
  attempt('app', false, 'POST', '/orders', [['Content-Type', json]], '{"currency":"eur","amount":5}'),
  attempt(
    'app',
    false,
    'POST',
    '/orders',
    [['Content-Type', `${json}; charset=utf-8`]],
    '{"amount":5,"currency":"usd"}',
  ),
  attempt('app', false, 'POST', '/orders', [['Content-Type', form]], 'currency=eur&amount=5'),
  attempt(
    'app',
    false,
    'POST',
    '/orders',
    [
      ['Content-Type', json],
      ['Content-Encoding', 'gzip'],
    ],
    gzipSync('{"currency":"eur"}'),
  ),
]

/** Not forbidden where everything else is free, and not allowed where little is. */
export const unlisted: readonly Attempt[] = [
  get('nginx', '/public/../other', false),
  get('nginx', '/public%2f..%2fother', false),
  get('nginx', '/other', false),
  get('nginx', '/PUBLIC/a', false),
  attempt('app', false, 'PUT', '/public/a'),
  attempt('app', false, 'POST', '/orders', [['Content-Type', json]], '{"currency":"chf"}'),
  attempt('app', false, 'POST', '/orders', [['Content-Type', json]], '{"amount":5}'),
  attempt('app', false, 'POST', '/orders', [['Content-Type', json]], '{"currency":"eur","Currency":"chf"}'),
  attempt('app', false, 'POST', '/orders?currency=chf', [['Content-Type', json]], '{"currency":"eur"}'),
  attempt(
    'app',
    false,
    'POST',
    '/orders',
    [
      ['X-HTTP-Method-Override', 'PUT'],
      ['Content-Type', json],
    ],
    '{"currency":"eur"}',
  ),
]
