/** Who a verified token speaks for. */
import type { Me } from '../../contract/api.ts'
import type { Person } from '../../contract/record.ts'

export interface Caller extends Person {
  readonly roles: Me['roles']
  /** Milliseconds since 1970 at which the token ends. */
  readonly expires: number
}

export interface Identity {
  /** Verifies a bearer token; throws `sign-in-needed` (it is not good) or `identity-unavailable` (we cannot tell). */
  verify(token: string): Promise<Caller>
}
