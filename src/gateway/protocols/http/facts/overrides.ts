/**
 * What makes a server do something other than the request line says: methods named by a header or parameter for clients that
 * can only POST, paths named by headers which a proxy in front would set. Pure.
 */
import type { Field } from '../../../../contract/command.ts'
import type { Fields, RequestHead } from '../exchange.ts'

const methodHeaders = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'http-method-override',
  'x-original-method',
  'x-forwarded-method',
])
/** In a query, a form or the outermost object of JSON. */
const methodParameters = new Set([
  '_method',
  '_httpmethod',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x_http_method_override',
  '$httpmethod',
  'httpmethod',
])
const pathHeaders = new Set([
  'x-original-url',
  'x-rewrite-url',
  'x-override-url',
  'x-original-uri',
  'x-forwarded-uri',
  'x-forwarded-path',
  'x-request-uri',
  'x-waws-unencoded-url',
])

/** Other methods than its own; undefined: one is named, and it is no name of a method. */
export function methodsNamed(head: RequestHead, fields: readonly Field[]): readonly string[] | undefined {
  const given = [...valuesOf(head.fields, methodHeaders), ...parameters(fields)]
  if (given.length === 0) return none
  const methods = new Set(given.flatMap((value) => value.split(',')).map((value) => value.trim().toUpperCase()))
  methods.delete('')
  methods.delete(head.method)
  for (const method of methods) if (!/^[A-Z][A-Z0-9_-]{0,31}$/.test(method)) return undefined
  return [...methods]
}

/** Paths that headers name, without their queries. WebDAV's COPY and MOVE say in Destination what they write. */
export function pathsNamed({ fields }: RequestHead): readonly string[] {
  return [...valuesOf(fields, pathHeaders), ...valuesOf(fields, destination)].map(pathOf)
}

const none: readonly string[] = []
const destination = new Set(['destination'])

function valuesOf(fields: Fields, names: ReadonlySet<string>): readonly string[] {
  return fields.flatMap(([name, value]) => (names.has(name.toLowerCase()) ? [value] : []))
}

function parameters(fields: readonly Field[]): readonly string[] {
  return fields.flatMap(({ at, value }) => {
    const place = /^(?:query:|body:\/)/.exec(at)
    return place !== null && methodParameters.has(at.slice(place[0].length).toLowerCase()) ? [value] : []
  })
}

/** Of a whole URL its path. */
function pathOf(value: string): string {
  const [path = ''] = value.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  return path.startsWith('/') ? path : `/${path}`
}
