/**
 * `Prefer: respond-async` (RFC 7240, 4.1): a request that is held is answered with 202 and a place to ask for its answer, so
 * that an agent need not keep a connection open for as long as people take.
 */
import type { Command } from '../../../contract/command.ts'
import type { Clearance, Hold } from '../../checkpoint.ts'
import type { Fields, OwnAnswer, RequestHead } from './exchange.ts'
import { tokens } from './headers.ts'
import type { Slot } from './polls.ts'
import { problem } from './refusals.ts'
import type { Talk } from './talk.ts'

/** Everything below belongs to the gateway; no target sees it. */
const ownPaths = '/.hoop/'
const requestsPath = `${ownPaths}requests/`
/** People decide; asking more often than this gains nothing. */
const retryAfterSeconds = '2'

export function prefersAsync({ fields, upgrade }: RequestHead): boolean {
  return (
    upgrade === undefined && tokens(fields, 'prefer').some((preference) => /^respond-async\s*(?:;|$)/.test(preference))
  )
}

export function isOwnPath({ target }: RequestHead): boolean {
  return target.startsWith(ownPaths)
}

export type FirstWord =
  | { readonly clearance: Clearance }
  | { readonly hold: Hold; readonly clearing: Promise<Clearance> }

/** Asks, and says which came first: the answer, or word that it will take people. */
export function clearOrHold({ conversation }: Talk, command: Command): Promise<FirstWord> {
  return new Promise((resolve) => {
    const clearing: Promise<Clearance> = conversation.checkpoint.clear([command], {
      // After a turn: the promise below exists by then.
      onHold: (hold) => queueMicrotask(() => resolve({ hold, clearing })),
    })
    void clearing.then((clearance) => resolve({ clearance }))
  })
}

/** A place for the answer to a held request; undefined: there is no room, so it has to wait on its connection. */
export function openSlot({ parts, upstream }: Talk, hold: Hold): Slot | undefined {
  return parts.polls.open(upstream.bearer.session, hold.approval)
}

export function accepted(hold: Hold): OwnAnswer {
  return waitingAnswer(hold.approval, [['Preference-Applied', 'respond-async']], {
    rule: hold.rule,
    session: hold.session,
    groups: hold.groups,
    expires: new Date(hold.expires).toISOString(),
    message: hold.message,
    next: hold.hint,
  })
}

/** What somebody hears who asks for the answer to an earlier request. */
export function polled({ parts, upstream }: Talk, { method, target }: RequestHead): OwnAnswer {
  if (method !== 'GET') return problem(unknown(`${method} cannot be used there`, 'use GET to ask for an answer'), 405)
  const id = target.startsWith(requestsPath) ? target.slice(requestsPath.length) : undefined
  const found = id === undefined ? undefined : parts.polls.take(upstream.bearer.session, id)
  if (found === undefined || id === undefined)
    return problem(unknown('no request of this session waits there', 'an answer can be fetched once; ask anew'), 404)
  return found === 'waiting' ? waitingAnswer(id, [], {}) : found
}

function waitingAnswer(approval: string, fields: Fields, members: Readonly<Record<string, unknown>>): OwnAnswer {
  return {
    status: 202,
    fields: [
      ['Content-Type', 'application/json'],
      ['Location', requestsPath + approval],
      ['Retry-After', retryAfterSeconds],
      ['Cache-Control', 'no-store'],
      ...fields,
    ],
    body: Buffer.from(JSON.stringify({ v: 1, verdict: 'hold', approval, ...members })),
  }
}

function unknown(message: string, next: string) {
  return { code: 'not-found', message, next } as const
}
