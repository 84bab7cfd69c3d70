/** What every link has in common, however it travels: who may open one, and how one ends. */
import type { Duplex } from 'node:stream'
import { hoopError, isHoopError } from '../../contract/error-codes.ts'
import type { LoneSession } from '../../contract/link.ts'
import type { Caller } from '../identity/caller.ts'
import type { Admission, Sessions } from '../sessions/sessions.ts'
import { bearerIn } from './bearer.ts'
import type { RouteContext } from './context.ts'

export type LinksOptions = Pick<RouteContext, 'identity' | 'sessions' | 'metrics' | 'log' | 'turnedAway'>

/** Whose connection it would be. Throws what is answered instead of opening; who came with a bad token is noted. */
export type Verify = (authorization: string | undefined, address: string | undefined) => Promise<Caller>

export function createVerify({ identity, turnedAway }: LinksOptions): Verify {
  return async (authorization, address) => {
    try {
      return await identity.verify(bearerIn(authorization))
    } catch (error) {
      turnedAway.note(address, authorization, error)
      throw error
    }
  }
}

/** For which session a connection is: one there is, or one of its own. */
export interface Belonging {
  readonly session: string | undefined
  readonly start: LoneSession | undefined
  /** What has to be given, in the words of how the link travels. */
  readonly needed: string
}

/** Throws what is answered instead of opening. */
export async function admissionTo(
  sessions: Sessions,
  caller: Caller,
  target: string,
  { session, start, needed }: Belonging,
): Promise<Admission> {
  if (session !== undefined && session !== '') return sessions.admit(caller, session, target)
  if (start !== undefined) return sessions.admitAlone(caller, target, start)
  throw hoopError('usage', `a link needs ${needed}`)
}

/** After the gateway's side has ended, how long the other may take to end its own. */
const lingerMs = 5000

/**
 * After a run both directions shall be over. What was written still has to arrive: so this side ends, the other gets a
 * moment to do the same, and only then the rest is cut.
 */
export function finish(stream: Duplex, cut: () => void): void {
  if (stream.destroyed) return
  if (!stream.writableEnded) stream.end()
  stream.resume()
  const late = setTimeout(cut, lingerMs)
  stream.once('close', () => clearTimeout(late))
}

/** For the count of links: how one was answered that did not open. */
export function codeOf(error: unknown): string {
  return isHoopError(error) ? error.code : 'internal'
}
