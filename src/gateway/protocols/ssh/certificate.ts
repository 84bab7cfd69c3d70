/**
 * A user certificate as OpenSSH knows them (PROTOCOL.certkeys, "ssh-ed25519-cert-v01@openssh.com"): a key that lives for
 * one connection, signed by the certificate authority that the target trusts, valid for minutes, for one account. Its key
 * id names session and person, so that the target's own log names them too.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { ParsedKey } from 'ssh2'
import { text, uint32, uint64 } from './inside.ts'

export interface CertificateWish {
  /** The account at the target. */
  readonly principal: string
  readonly keyId: string
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Certificate {
  readonly blob: Buffer
  readonly key: KeyObject
}

export const certificateType = 'ssh-ed25519-cert-v01@openssh.com'
const userCertificate = 1
/** Clocks differ; and a login takes seconds, not minutes. */
const secondsBefore = 60
const secondsAfter = 300
/**
 * What a login with it may do at all, names in order as the format demands. No agent forwarding and no X11: the gateway
 * never passes them on.
 */
const extensions = ['permit-port-forwarding', 'permit-pty', 'permit-user-rc'] as const

export function issueCertificate(authority: ParsedKey, { principal, keyId, now }: CertificateWish): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const seconds = Math.floor(now / 1000)
  const body = Buffer.concat([
    text(certificateType),
    text(randomBytes(32)),
    text(rawKeyOf(publicKey)),
    uint64(randomBytes(6).readUIntBE(0, 6)),
    uint32(userCertificate),
    text(keyId),
    text(text(principal)),
    uint64(seconds - secondsBefore),
    uint64(seconds + secondsAfter),
    text(''),
    text(Buffer.concat(extensions.map((name) => Buffer.concat([text(name), text('')])))),
    text(''),
    text(authority.getPublicSSH()),
  ])
  return { blob: Buffer.concat([body, text(signatureOf(authority, body))]), key: privateKey }
}

function signatureOf(authority: ParsedKey, body: Buffer): Buffer {
  switch (authority.type) {
    case 'ssh-rsa':
      return Buffer.concat([text('rsa-sha2-512'), text(authority.sign(body, 'sha512'))])
    case 'ssh-ed25519':
      return Buffer.concat([text(authority.type), text(authority.sign(body))])
    default:
      return Buffer.concat([text(authority.type), text(twoNumbers(authority.sign(body)))])
  }
}

/** ECDSA: the two numbers of an ASN.1 SEQUENCE as RFC 5656, 3.1.2 wants them, two mpints. */
function twoNumbers(der: Buffer): Buffer {
  let at = (der[1] ?? 0) < 0x80 ? 2 : 2 + ((der[1] ?? 0) & 0x7f)
  const numbers: Buffer[] = []
  while (numbers.length < 2) {
    const length = der[at + 1] ?? 0
    numbers.push(text(der.subarray(at + 2, at + 2 + length)))
    at += 2 + length
  }
  return Buffer.concat(numbers)
}

/** The 32 bytes at the end of an ed25519 key's SubjectPublicKeyInfo. */
function rawKeyOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32)
}
