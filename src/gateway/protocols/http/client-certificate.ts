/** The secret of a mutual TLS login: PEM of a certificate (its chain behind it) and of its private key, in any order. */
import { createSecureContext } from 'node:tls'
import { hoopError } from '../../../contract/error-codes.ts'

export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

/** Throws `target-refused`, in words of its own: a parser's might quote. */
export function clientCertificateOf(target: string, pem: string): ClientCertificate {
  const blocks = pem.match(/-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----/gs) ?? []
  const cert = blocks.filter((block) => block.startsWith('-----BEGIN CERTIFICATE-----')).join('\n')
  const key = blocks.filter((block) => /^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(block)).join('\n')
  try {
    if (cert === '' || key === '') throw new Error('a part is missing')
    createSecureContext({ cert, key })
  } catch {
    throw hoopError(
      'target-refused',
      `the credential of target "${target}" is not PEM of a certificate and its private key`,
      { hint: 'put both into one file; the key must have no passphrase' },
    )
  }
  return { cert, key }
}
