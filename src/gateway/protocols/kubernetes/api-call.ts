/**
 * What a request means to Kubernetes: which verb on which resource, as the API server itself works it out before it asks
 * its authorizers (RequestInfo, in k8s.io/apiserver/pkg/endpoints/request). Where we cannot be sure to read a request as it
 * would, that is said as a doubt. Pure.
 *
 *   /api/v1/namespaces/{namespace}/{resource}/{name}/{subresource}     the core group
 *   /apis/{group}/{version}/…                                          every other
 *   /api/v1/watch/…                                                    the old way to watch
 *   all else (/version, /apis, /openapi/v3)                            a URL that is no resource
 */
import { readPath } from './api-path.ts'
import { emptyQuery, type Query, readQuery } from './query.ts'

export interface ResourceCall {
  readonly kind: 'resource'
  /** get, list, watch, create, update, patch, delete, deletecollection; options behind a proxy. */
  readonly verb: string
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** Empty: none is named. Of a namespace itself it is its own name. */
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  /** Empty for a collection, unless its field selector is for one name. */
  readonly name: string
  /** What stands behind a subresource: the path at the other side of a proxy. */
  readonly rest: readonly string[]
  readonly query: Query
}

export interface UrlCall {
  readonly kind: 'url'
  /** The method, in lower case. */
  readonly verb: string
  readonly path: string
  readonly query: Query
}

export interface DoubtfulCall {
  readonly kind: 'doubtful'
  readonly doubt: string
}

export type ApiCall = ResourceCall | UrlCall | DoubtfulCall

/** `target`: path and query as they came. */
export function readCall(method: string, target: string): ApiCall {
  const mark = target.indexOf('?')
  const written = mark < 0 ? target : target.slice(0, mark)
  const path = readPath(written)
  if ('doubt' in path) return doubtful(path.doubt)
  const { segments, open } = path
  const [prefix = ''] = segments
  if (prefix !== prefix.toLowerCase() && /^apis?$/i.test(prefix)) return doubtful('its path is in capital letters')

  const reading = mark < 0 ? { query: emptyQuery } : readQuery(target.slice(mark + 1))
  const query = 'query' in reading ? reading.query : emptyQuery
  const behind = prefix === 'api' ? segments.slice(1) : prefix === 'apis' ? segments.slice(2) : []
  const [version = '', ...parts] = behind
  const group = prefix === 'apis' ? (segments[1] ?? '') : ''
  const call =
    parts.length === 0
      ? urlCall(method, segments, open, query)
      : resourceCall({ method, group, version, parts, open, query })
  // A query behind a proxy is read by whoever stands there.
  return 'doubt' in reading && !isProxied(call) ? doubtful(reading.doubt) : call
}

function isProxied(call: ApiCall): boolean {
  return call.kind === 'resource' && call.subresource === 'proxy'
}

const methods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

function urlCall(method: string, segments: readonly string[], open: boolean, query: Query): ApiCall {
  if (!methods.includes(method)) return doubtful(`${method} is no method of the Kubernetes API`)
  const path = `/${segments.join('/')}${open && segments.length > 0 ? '/' : ''}`
  return { kind: 'url', verb: method.toLowerCase(), path, query }
}

interface Pieces {
  readonly method: string
  readonly group: string
  readonly version: string
  /** What stands behind the version. */
  readonly parts: readonly string[]
  readonly open: boolean
  readonly query: Query
}

/** Resources, subresources, groups and versions are DNS labels; what is not one is no API, or one in disguise. */
const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/
const groupName = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/

/** What of a namespace is not a resource inside it. */
const namespaceSubresources: readonly string[] = ['status', 'finalize']

function resourceCall({ method, group, version, parts, open, query }: Pieces): ApiCall {
  // Both verbs stood in the path once; the API server still serves one of them, and still asks its authorizers for either.
  if (parts[0] === 'proxy') return doubtful('its path is a proxy of the old kind, which is not served any more')
  const given = parts[0] === 'watch' ? parts.slice(1) : parts
  if (given.length === 0) return doubtful('its path names a verb and no resource')
  const byMethod = verbOf(method)
  if (byMethod === undefined) return doubtful(`${method} is no method of the Kubernetes API`)
  if (parts[0] === 'watch' && byMethod !== 'get') return doubtful('its path says watch, and its method something else')
  const verb = parts[0] === 'watch' ? 'watch' : byMethod

  const [first = '', second = '', third = ''] = given
  const namespace = first === 'namespaces' ? second : ''
  const inside = first === 'namespaces' && given.length > 2 && !namespaceSubresources.includes(third)
  const [resource = '', name = '', subresource = '', ...rest] = inside ? given.slice(2) : given
  const isProxy = subresource === 'proxy'
  if (![version, resource, ...(subresource === '' ? [] : [subresource])].every((text) => label.test(text)))
    return doubtful('its path names something that is no resource')
  if (group !== '' && !groupName.test(group)) return doubtful('its path names something that is no group')
  if (open && !isProxy) return doubtful('its path ends with a slash')
  if (method === 'OPTIONS' && !isProxy) return doubtful('OPTIONS is for what stands behind a proxy only')

  const call = { kind: 'resource', group, version, namespace, resource, subresource, name, rest, query } as const
  if (name !== '') return { ...call, verb }
  if (verb === 'delete') return { ...call, verb: 'deletecollection' }
  if (verb !== 'get' && verb !== 'watch') return { ...call, verb }
  return { ...call, verb: verb === 'watch' || asksToWatch(query) ? 'watch' : 'list', name: selectedName(query) }
}

function verbOf(method: string): string | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return 'get'
    case 'POST':
      return 'create'
    case 'PUT':
      return 'update'
    case 'PATCH':
      return 'patch'
    case 'DELETE':
      return 'delete'
    case 'OPTIONS':
      return 'options'
    default:
      return undefined
  }
}

/** Everything but `false` and `0` is true there, an empty value too. */
function asksToWatch(query: Query): boolean {
  const value = query.first('watch')
  return value !== undefined && !/^(?:false|0)$/i.test(value)
}

/**
 * `fieldSelector=metadata.name=web` makes a collection of one, for the API server's authorizers too. Only where that is all
 * it says: of two selectors, or two names, nobody knows which one counts.
 */
function selectedName(query: Query): string {
  const selectors = query.all('fieldSelector')
  const terms = (selectors[0] ?? '').split(',').filter((term) => /^metadata\.name\b/.test(term))
  const [, name = ''] = /^metadata\.name==?([A-Za-z0-9][A-Za-z0-9:._-]*)$/.exec(terms[0] ?? '') ?? []
  return selectors.length === 1 && terms.length === 1 ? name : ''
}

function doubtful(doubt: string): DoubtfulCall {
  return { kind: 'doubtful', doubt }
}
