/**
 * How links are asked for, without the schemas of api.ts: `hoop proxy` starts before every `ssh`, and schemas cost it more
 * than all the rest.
 */

/** What a socket is upgraded to; another version would have another number. */
export const linkProtocol = 'hoop-link/1'

export const linkPaths = {
  links: '/v1/link',
  link: (target: string) => `/v1/link/${encodeURIComponent(target)}`,
} as const

/** Besides `authorization: Bearer …`. One of them: a session there is, or `startIn` of what one shall be started with. */
export const headers = { session: 'hoop-session', start: 'hoop-start' } as const

/** A session that begins and ends with its one connection, whatever becomes of the client. */
export interface LoneSession {
  readonly reason: string | null
  readonly agent: string | null
}

/** The content of `headers.start`: headers are not for every character. */
export function startHeader({ reason, agent }: LoneSession): string {
  return encodeURIComponent(JSON.stringify({ reason, agent }))
}
