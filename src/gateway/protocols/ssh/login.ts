/**
 * How the gateway proves itself to a target, one of three: a password, a private key, or a certificate of its own making.
 * ssh2 knows no certificates: it is shown one as if it were a key of an agent, and the signed request is sent past it,
 * because ssh2 would name the signature after the certificate, where OpenSSH wants the name of the key.
 */
import { sign } from 'node:crypto'
import ssh2, { type AnyAuthMethod, type Client, type NextAuthHandler, type ParsedKey } from 'ssh2'
import { hoopError } from '../../../contract/error-codes.ts'
import type { Credential, Target } from '../protocol.ts'
import { type Certificate, certificateType, issueCertificate } from './certificate.ts'
import { send, text, transportOf } from './inside.ts'
import { generateKeyPair } from './key-pair.ts'

/** What ssh2 asks for when it wants to log in; false when there is nothing more to try. */
export type Login = (left: readonly string[] | null, next: NextAuthHandler) => void

/** Throws `target-refused` for a credential that is not what the config says. */
export function loginWith(connection: Client, target: Target, credential: Credential, now: number): Login {
  const ways = waysOf(connection, target, credential, now)
  return (left, next) => {
    let way = ways.shift()
    // The first attempt comes before the target has said what it takes.
    while (way !== undefined && left !== null && !left.includes(nameOf(way))) way = ways.shift()
    // The declaration leaves out the false that ends it.
    next(way ?? (false as unknown as AnyAuthMethod))
  }
}

function waysOf(connection: Client, target: Target, { secret, bearer }: Credential, now: number): AnyAuthMethod[] {
  const { user: username, name, ssh } = target
  if (secret === undefined) return [{ type: 'none', username }]
  switch (ssh?.login) {
    case 'password': {
      const password = secret.reveal()
      // Servers that ask PAM often take a password in answer to a question only.
      return [
        { type: 'password', username, password },
        {
          type: 'keyboard-interactive',
          username,
          prompt: (_name, _instructions, _lang, prompts, finish) => finish(prompts.map(() => password)),
        },
      ]
    }
    case 'certificate': {
      const authority = privateKeyOf(name, secret.reveal())
      const keyId = `hoop session ${bearer.session} for ${bearer.user}`
      const certificate = issueCertificate(authority, { principal: username, keyId, now })
      return [{ type: 'agent', username, agent: new CertificateAgent(connection, certificate) }]
    }
    default:
      return [{ type: 'publickey', username, key: privateKeyOf(name, secret.reveal()) }]
  }
}

function nameOf({ type }: AnyAuthMethod): string {
  return type === 'agent' ? 'publickey' : type
}

function privateKeyOf(target: string, secret: string): ParsedKey {
  const parsed = ssh2.utils.parseKey(secret)
  // Not the parser's words: they might quote.
  if (parsed instanceof Error || !parsed.isPrivateKey())
    throw hoopError(
      'target-refused',
      `the credential of target "${target}" is not a private key without a passphrase`,
      {
        hint: 'keys are read in the formats of OpenSSH, PEM (RSA PRIVATE KEY) and PuTTY',
      },
    )
  return parsed
}

class CertificateAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #connection: Client
  readonly #certificate: Certificate

  constructor(connection: Client, certificate: Certificate) {
    super()
    this.#connection = connection
    this.#certificate = certificate
  }

  override getIdentities(callback: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    // ssh2 takes only what it has parsed itself: a key of its own making, with another name and another blob.
    const plain = ssh2.utils.parseKey(generateKeyPair().public)
    if (plain instanceof Error) {
      callback(plain)
      return
    }
    const { blob } = this.#certificate
    callback(undefined, [
      Object.create(plain, { type: { value: certificateType }, getPublicSSH: { value: () => blob } }),
    ])
  }

  /** `data` is the session id, then the request up to its signature: what RFC 4252, 7 says is to be signed. */
  override sign(_key: unknown, data: Buffer): void {
    const transport = transportOf(this.#connection)
    const request = data.subarray(4 + data.readUInt32BE(0))
    const signature = Buffer.concat([text('ssh-ed25519'), text(sign(null, data, this.#certificate.key))])
    transport._authsQueue.push('publickey')
    send(transport, Buffer.concat([request, text(signature)]))
    // Not called back: ssh2 would send a request of its own. The target's answer is what goes on from here.
  }
}
