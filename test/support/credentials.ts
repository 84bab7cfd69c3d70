/** A credential as run-session would open it, of a person who is the same in every test. */
import type { Secret } from '../../src/base/secret.ts'
import type { Credential } from '../../src/gateway/protocols/protocol.ts'

export function credentialOf(secret: Secret | undefined, bearer: Partial<Credential['bearer']> = {}): Credential {
  return {
    secret,
    bearer: { session: 'ses_1', user: 'ana@acme.test', groups: [], ...bearer },
    renew: () => Promise.resolve(secret),
  }
}
