/** A request as it may go to the API server: without a word of the client's about who it is. Pure. */
import type { RequestHead } from '../http/index.ts'
import type { Credential, Target } from '../protocol.ts'

/** Who somebody is, at the API server itself or at what stands before it. Underscores are dashes to some servers. */
const identity =
  /^(?:authorization|proxy-authorization|impersonate-.*|x-remote-.*|x-forwarded-.*|forwarded|x-real-ip|x-client-(?:cert|dn|verify).*|ssl-client-.*|x-ssl-.*|x-http-method.*|x-method-override|cookie)$/
/** A token where a WebSocket client can put one. */
const tokenProtocol = /^base64url\.bearer\.authorization\.k8s\.io\./i

export function withoutIdentity(head: RequestHead): RequestHead {
  const fields = head.fields.flatMap(([name, value]): [string, string][] => {
    const lower = name.toLowerCase()
    if (identity.test(lower.replaceAll('_', '-'))) return []
    if (lower !== 'sec-websocket-protocol') return [[name, value]]
    const kept = value.split(',').filter((protocol) => !tokenProtocol.test(protocol.trim()))
    return kept.length === 0 ? [] : [[name, kept.join(',').trim()]]
  })
  return { ...head, fields }
}

/**
 * Names that the cluster gives to its own parts. Whoever is called so by the identity provider would be one of them, and
 * `system:masters` may do anything.
 */
const reserved = /^system:/

/** Why this person cannot be named to a cluster. */
export function unnameable({ user }: Credential['bearer']): string | undefined {
  if (reserved.test(user)) return `"${user}" is a name of the cluster's own, and is not impersonated`
  return user === '' || /[\u0000-\u001f\u007f]/.test(user) ? 'a person without a name is not impersonated' : undefined
}

/** Names the person, where the target is to know: the cluster's own rights and audit then are that person's. */
export function impersonating(head: RequestHead, target: Target, { user, groups }: Credential['bearer']): RequestHead {
  if (target.kubernetes?.impersonate !== true) return head
  const known = groups.filter((group) => !reserved.test(group) && /^[^\p{Cc}]+$/u.test(group))
  const said = [['Impersonate-User', user] as const, ...known.map((group) => ['Impersonate-Group', group] as const)]
  return { ...head, fields: [...head.fields, ...said.map(([name, value]) => [name, asBytes(value)] as const)] }
}

/** One character for one byte, as fields are: names go as UTF-8. */
function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
