/**
 * The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677; PostgreSQL manual, "SASL Authentication"), with channel binding
 * to the server's certificate (tls-server-end-point, RFC 5929) where there is TLS. Apart from what salted.ts
 * remembers it depends only on what it is given.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { hoopError } from '../../../contract/error-codes.ts'
import { saltedPassword } from './salted.ts'

export interface ScramStart {
  readonly mechanisms: readonly string[]
  readonly nonce: string
  /** The server's certificate as it was sent (DER), when the connection is encrypted. */
  readonly certificate: { readonly raw: Buffer; readonly signatureHash: string } | undefined
}

export interface Scram {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS'
  readonly first: string
  /** Answers the server's first message. */
  answer(serverFirst: string, password: string): Promise<string>
  /** Throws unless the server has proved that it knows the password too. */
  check(serverFinal: string): void
}

/** More would let a server keep us busy; PostgreSQL's default is 4096. */
const mostIterations = 1_000_000

export function createScram({ mechanisms, nonce, certificate }: ScramStart): Scram {
  const bound = certificate !== undefined && mechanisms.includes('SCRAM-SHA-256-PLUS')
  const mechanism = bound ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'
  if (!mechanisms.includes(mechanism)) {
    throw hoopError('target-refused', `the target offers only ${mechanisms.join(', ')} to log in`)
  }
  // y: we could bind, you seem not to. The server takes that as the downgrade it would be, if it can.
  const header = bound ? 'p=tls-server-end-point,,' : certificate === undefined ? 'n,,' : 'y,,'
  const binding = bound && certificate !== undefined ? endPoint(certificate) : Buffer.alloc(0)
  const firstBare = `n=,r=${nonce}`
  let expected: Buffer | undefined

  return {
    mechanism,
    first: `${header}${firstBare}`,
    async answer(serverFirst, password) {
      const { r, s, i } = attributes(serverFirst)
      const iterations = Number(i)
      if (r === undefined || s === undefined || !r.startsWith(nonce) || r.length === nonce.length)
        throw hoopError('target-refused', 'the target does not follow SCRAM: its nonce is not ours')
      if (!Number.isInteger(iterations) || iterations < 1 || iterations > mostIterations)
        throw hoopError('target-refused', `the target asks for ${i} SCRAM iterations`)
      const salted = await saltedPassword(password, Buffer.from(s, 'base64'), iterations)
      const clientKey = hmac(salted, 'Client Key')
      const withoutProof = `c=${Buffer.concat([Buffer.from(header), binding]).toString('base64')},r=${r}`
      const text = `${firstBare},${serverFirst},${withoutProof}`
      const signature = hmac(createHash('sha256').update(clientKey).digest(), text)
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)))
      expected = hmac(hmac(salted, 'Server Key'), text)
      return `${withoutProof},p=${proof.toString('base64')}`
    },
    check(serverFinal) {
      const { v } = attributes(serverFinal)
      const given = Buffer.from(v ?? '', 'base64')
      if (expected === undefined || given.length !== expected.length || !timingSafeEqual(given, expected))
        throw hoopError(
          'target-refused',
          'the target could not prove that it knows the password: it may be an impostor',
        )
    },
  }
}

function attributes(message: string): Record<string, string | undefined> {
  return Object.fromEntries(message.split(',').map((part) => [part.slice(0, 1), part.slice(2)]))
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** MD5 and SHA-1 signatures are bound with SHA-256 (RFC 5929, section 4.1). */
function endPoint({ raw, signatureHash }: { raw: Buffer; signatureHash: string }): Buffer {
  const weak = signatureHash === 'md5' || signatureHash === 'sha1'
  return createHash(weak ? 'sha256' : signatureHash)
    .update(raw)
    .digest()
}
