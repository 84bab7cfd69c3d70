/** The token out of an `authorization` header (RFC 6750). */
import { hoopError } from '../../contract/error-codes.ts'

export function bearerIn(authorization: string | undefined): string {
  const token = authorization?.match(/^bearer +([A-Za-z0-9._~+/=-]+) *$/i)?.[1]
  if (token !== undefined) return token
  const message = authorization === undefined ? 'no sign-in was sent' : 'the authorization header is not "Bearer TOKEN"'
  throw hoopError('sign-in-needed', message, { hint: 'sign in with "hoop login"' })
}
