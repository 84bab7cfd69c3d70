/** "No" in HTTP's words: a problem (RFC 9457) with the members that every protocol's refusals have. Pure. */
import type { Command } from '../../../contract/command.ts'
import { errorCodes } from '../../../contract/error-codes.ts'
import { type Refusal, refusalDetail } from '../../../contract/refusal.ts'
import type { Fields, OwnAnswer } from './exchange.ts'

/** Where the table of the gateway's API speaks of something else than a target's client would understand. */
const statuses: Partial<Readonly<Record<Refusal['code'], number>>> = {
  // Of what was asked of the API, and is a matter of the connection here.
  killed: 503,
  'not-found': 403,
  // The client is there and hears it: what it asked for was withdrawn under it.
  cancelled: 409,
}

export function problem(refusal: Refusal, status = statuses[refusal.code] ?? errorCodes[refusal.code].http): OwnAnswer {
  const members: unknown = JSON.parse(refusalDetail(refusal))
  const body = Buffer.from(
    JSON.stringify({
      type: `urn:hoop:refusal:${refusal.code}`,
      title: errorCodes[refusal.code].meaning,
      status,
      detail: refusal.message,
      ...(members as Record<string, unknown>),
    }),
  )
  return { status, fields: problemFields, body }
}

const problemFields: Fields = [
  ['Content-Type', 'application/problem+json'],
  ['Cache-Control', 'no-store'],
]

/** With the reason, where the command says why it was not understood (commands.ts: a line of its text). */
export function explained(refusal: Refusal, { text }: Pick<Command, 'text'>): Refusal {
  if (refusal.code !== 'not-understood') return refusal
  const [head = ''] = text.split('\n\n', 1)
  const doubt = /\nHoop-Doubt: (.*)$/.exec(head)?.[1]
  return doubt === undefined ? refusal : { ...refusal, message: `${refusal.message}: ${doubt}` }
}

/** Of what the gateway refuses before anybody was asked: it cannot be read, or comes from somebody else. */
export function notUnderstood(message: string, next = 'send a request that leaves no doubt (RFC 9112)'): Refusal {
  return { code: 'not-understood', message: `refused: ${message}`, next }
}
