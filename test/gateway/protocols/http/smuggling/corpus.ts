/**
 * Requests that two servers could read differently, or that are no requests: each is refused before anything is forwarded.
 * Ways known from request smuggling research (Watchfire 2005; Kettle, "HTTP Desync Attacks" 2019 and later; RFC 9112, 11.2).
 */
export interface Bad {
  readonly name: string
  readonly bytes: string
  readonly status: number
}

/** What the hidden request would ask for: it must never be seen at a target. */
export const hidden = '/hidden'
const inner = `GET ${hidden} HTTP/1.1\r\nHost: localhost\r\n\r\n`
const host = 'Host: localhost\r\n'

const post = (fields: string, body = inner) => `POST /outer HTTP/1.1\r\n${host}${fields}\r\n${body}`
const get = (fields: string) => `GET /outer HTTP/1.1\r\n${host}${fields}\r\n`
const target = (text: string) => `GET ${text} HTTP/1.1\r\n${host}\r\n`
const chunked = (body: string) => post('Transfer-Encoding: chunked\r\n', body)

const lengths = [
  ['CL and TE', post(`Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${inner}`)],
  ['TE and CL', post(`Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`, `0\r\n\r\n${inner}`)],
  ['CL and TE identity', post('Content-Length: 0\r\nTransfer-Encoding: identity\r\n')],
  ['two different CLs', post(`Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`)],
  ['two equal CLs', post('Content-Length: 0\r\nContent-Length: 0\r\n')],
  ['a list of CLs', post('Content-Length: 0, 0\r\n')],
  ['a list of different CLs', post(`Content-Length: 0,${inner.length}\r\n`)],
  ['a CL with a sign', post('Content-Length: +0\r\n')],
  ['a negative CL', post('Content-Length: -1\r\n')],
  ['a hexadecimal CL', post('Content-Length: 0x0\r\n')],
  ['a CL with a fraction', post('Content-Length: 0.0\r\n')],
  ['a CL with an exponent', post('Content-Length: 1e1\r\n')],
  ['a CL with a space inside', post('Content-Length: 1 0\r\n')],
  ['an empty CL', post('Content-Length:\r\n')],
  ['a CL beyond 64 bits', post('Content-Length: 18446744073709551616\r\n')],
  ['a CL with a form feed', post('Content-Length: \f0\r\n')],
  ['a CL in quotes', post('Content-Length: "0"\r\n')],
] as const

const codings = [
  ['identity', post('Transfer-Encoding: identity\r\n')],
  ['an unknown coding', post('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${inner}`)],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', `0\r\n\r\n${inner}`)],
  ['chunked and identity', post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${inner}`)],
  ['two lines', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', `0\r\n\r\n${inner}`)],
  ['two equal lines', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${inner}`)],
  ['a comma behind it', post('Transfer-Encoding: chunked,\r\n', `0\r\n\r\n${inner}`)],
  ['a comma before it', post('Transfer-Encoding: ,chunked\r\n', `0\r\n\r\n${inner}`)],
  ['a parameter', post('Transfer-Encoding: chunked;q=1\r\n', `0\r\n\r\n${inner}`)],
  ['quotes', post('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${inner}`)],
  ['a vertical tab before it', post('Transfer-Encoding: \x0bchunked\r\n', `0\r\n\r\n${inner}`)],
  ['a NUL behind it', post('Transfer-Encoding: chunked\0\r\n', `0\r\n\r\n${inner}`)],
  ['an empty value', post('Transfer-Encoding:\r\n', `0\r\n\r\n${inner}`)],
  ['a byte beyond ASCII', post('Transfer-Encoding: chunked\xa0\r\n', `0\r\n\r\n${inner}`)],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${inner}`)],
  ['a tab before the colon', post('Transfer-Encoding\t: chunked\r\n', `0\r\n\r\n${inner}`)],
  ['a space before the name', get(' Transfer-Encoding: chunked\r\n')],
  ['a folded line', post('Transfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${inner}`)],
  ['a folded line by tab', post('X-A: b\r\n\tTransfer-Encoding: chunked\r\n', `0\r\n\r\n${inner}`)],
  ['HTTP/1.0', `POST /outer HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`],
] as const

const lines = [
  ['bare LF behind the request line', `GET /outer HTTP/1.1\n${host}\r\n`],
  ['bare LF behind a field', `GET /outer HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n`],
  ['bare LF twice at the end', `GET /outer HTTP/1.1\r\nHost: localhost\n\n`],
  ['LF CR', `GET /outer HTTP/1.1\n\rHost: localhost\n\r\n\r`],
  ['CR alone behind the request line', `GET /outer HTTP/1.1\r${host}\r\n`],
  ['CR alone in a value', get('X-A: b\rTransfer-Encoding: chunked\r\n')],
  ['CR CR LF', `GET /outer HTTP/1.1\r\r\n${host}\r\n`],
  ['CR before the empty line', `GET /outer HTTP/1.1\r\nHost: localhost\r\r\n\r\n`],
  ['a line without a colon', get('X-A\r\n')],
  ['a line without a name', get(': b\r\n')],
  ['a NUL in a value', get('X-A: b\0c\r\n')],
  ['a NUL in a name', get('X\0A: b\r\n')],
  ['DEL in a value', get('X-A: b\x7fc\r\n')],
  ['a backspace in a value', get('X-A: b\bc\r\n')],
  ['a space in a name', get('X A: b\r\n')],
  ['a byte beyond ASCII in a name', get('X-\xc4: b\r\n')],
  ['brackets in a name', get('X[a]: b\r\n')],
  ['a folded first line', `GET /outer HTTP/1.1\r\n ${host}\r\n`],
  ['a line break in the method', `GE\r\nT /outer HTTP/1.1\r\n${host}\r\n`],
] as const

const hosts = [
  ['no Host', 'GET /outer HTTP/1.1\r\n\r\n'],
  ['two Hosts', `GET /outer HTTP/1.1\r\n${host}Host: internal\r\n\r\n`],
  ['two equal Hosts', `GET /outer HTTP/1.1\r\n${host}${host}\r\n`],
  ['an absolute URL of another host', `GET http://internal/outer HTTP/1.1\r\n${host}\r\n`],
  ['an absolute URL of another port', `GET http://localhost:1/outer HTTP/1.1\r\n${host}\r\n`],
  ['an absolute URL with a user', `GET http://a@localhost/outer HTTP/1.1\r\n${host}\r\n`],
  ['an absolute URL of another scheme', `GET https://localhost/outer HTTP/1.1\r\n${host}\r\n`],
  ['a file URL', `GET file:///etc/passwd HTTP/1.1\r\n${host}\r\n`],
] as const

const targets = [
  ['a fragment', target('/outer#frag')],
  ['a backslash', target('/outer\\..\\hidden')],
  ['a byte beyond ASCII', target('/\xe4')],
  ['a NUL', target('/outer\0')],
  ['DEL', target('/outer\x7f')],
  ['a tab', target('/outer\t/x')],
  ['a space', target('/outer /x')],
  ['a space and a version', target(`/outer HTTP/1.1 ${hidden}`)],
  ['a path without a slash', target('outer')],
  ['an authority', target('localhost:80')],
  ['an empty one', `GET  HTTP/1.1\r\n${host}\r\n`],
  ['an asterisk', target('*')],
  ['an asterisk of OPTIONS', `OPTIONS * HTTP/1.1\r\n${host}\r\n`],
] as const

const requestLines = [
  ['two spaces', `GET  /outer HTTP/1.1\r\n${host}\r\n`],
  ['a tab', `GET\t/outer HTTP/1.1\r\n${host}\r\n`],
  ['a space behind', `GET /outer HTTP/1.1 \r\n${host}\r\n`],
  ['a space before', ` GET /outer HTTP/1.1\r\n${host}\r\n`],
  ['HTTP/0.9', 'GET /outer\r\n\r\n'],
  ['a version of three digits', `GET /outer HTTP/1.10\r\n${host}\r\n`],
  ['a lower-case version', `GET /outer http/1.1\r\n${host}\r\n`],
  ['a version with a space', `GET /outer HTTP/ 1.1\r\n${host}\r\n`],
  ['no version number', `GET /outer HTTP/\r\n${host}\r\n`],
  ['a colon in the method', `GE:T /outer HTTP/1.1\r\n${host}\r\n`],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
] as const

const chunks = [
  ['a size that is no number', chunked(`zz\r\n${inner}`)],
  ['an empty size', chunked(`\r\n${inner}`)],
  ['a size with 0x', chunked(`0x0\r\n\r\n${inner}`)],
  ['a size with a sign', chunked(`+0\r\n\r\n${inner}`)],
  ['a negative size', chunked(`-1\r\n\r\n${inner}`)],
  ['a space before the size', chunked(` 0\r\n\r\n${inner}`)],
  ['a space behind the size', chunked(`0 \r\n\r\n${inner}`)],
  ['a size beyond 64 bits', chunked(`10000000000000000\r\n${inner}`)],
  ['a size with an underscore', chunked(`1_0\r\n${inner}`)],
  ['a bare LF behind the size', chunked(`0\n\n${inner}`)],
  ['a bare LF behind the data', chunked(`1\r\na\n0\r\n\r\n${inner}`)],
  ['a bare CR behind the size', chunked(`0\r\r\n${inner}`)],
  ['a chunk longer than its size', chunked(`1\r\nab\r\n0\r\n\r\n${inner}`)],
  ['a chunk without an end', chunked(`1\r\na0\r\n\r\n${inner}`)],
  ['a bare LF in an extension', chunked(`0;a=b\n\r\n\r\n${inner}`)],
  ['a bare CR in an extension', chunked(`0;a=\rb\r\n\r\n${inner}`)],
  ['a NUL in an extension', chunked(`0;a=\0\r\n\r\n${inner}`)],
  ['an extension that is too long', chunked(`0;${'a'.repeat(300)}\r\n\r\n`)],
  ['too many extensions', chunked(`${`1;${'a'.repeat(200)}\r\nb\r\n`.repeat(100)}0\r\n\r\n`)],
  ['a malformed trailer', chunked(`0\r\nX-A : b\r\n\r\n${inner}`)],
  ['a folded trailer', chunked(`0\r\nX-A: b\r\n c\r\n\r\n${inner}`)],
  ['a bare LF in the trailers', chunked(`0\r\nX-A: b\n\r\n${inner}`)],
] as const

const of = (group: string, status: number, list: readonly (readonly [string, string])[]): Bad[] =>
  list.map(([name, bytes]) => ({ name: `${group}: ${name}`, bytes, status }))

export const corpus: readonly Bad[] = [
  ...of('Content-Length', 400, lengths),
  ...of('Transfer-Encoding', 400, codings),
  ...of('line', 400, lines),
  ...of('Host', 400, hosts),
  ...of('target', 400, targets),
  ...of('request line', 400, requestLines),
  ...of('chunk', 400, chunks),
  { name: 'Transfer-Encoding: gzip, chunked', bytes: post('Transfer-Encoding: gzip, chunked\r\n'), status: 501 },
  { name: 'HTTP/2 in the clear', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 505 },
  { name: 'HTTP/3.0', bytes: `GET /outer HTTP/3.0\r\n${host}\r\n`, status: 505 },
  { name: 'CONNECT', bytes: `CONNECT localhost:80 HTTP/1.1\r\n${host}\r\n${inner}`, status: 405 },
  { name: 'TRACE', bytes: `TRACE /outer HTTP/1.1\r\n${host}\r\n`, status: 405 },
  { name: 'trace in small letters', bytes: `trace /outer HTTP/1.1\r\n${host}\r\n`, status: 405 },
  { name: 'another expectation', bytes: post('Expect: 200-ok\r\nContent-Length: 0\r\n'), status: 417 },
  { name: 'a head that is too long', bytes: get(`X-A: ${'a'.repeat(70_000)}\r\n`), status: 431 },
  { name: 'too many fields', bytes: get('X-A: b\r\n'.repeat(10_000)), status: 431 },
  { name: 'a request line that never ends', bytes: `GET /${'a'.repeat(70_000)}`, status: 431 },
  {
    name: 'a body behind an upgrade',
    bytes: post(`Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${inner.length}\r\n`),
    status: 400,
  },
  {
    name: 'an upgrade to several protocols',
    bytes: get('Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n'),
    status: 400,
  },
]
