/** An authority for one test cluster and the certificates that it signs, made with openssl in a folder of the test. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pair {
  /** PEM files. */
  readonly cert: string
  readonly key: string
}

export interface Authority {
  /** PEM file. */
  readonly ca: string
  /** For loopback. */
  server(name: string): Pair
  /** Who it is to Kubernetes: user (CN) and groups (O). */
  client(name: string, user: string, ...groups: string[]): Pair
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']

export function makeAuthority(folder: string): Authority {
  const pair = (name: string): Pair => ({ cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) })
  const own = pair('ca')
  make(own, ['-subj', '/CN=hoop test cluster', '-addext', 'keyUsage=critical,keyCertSign,digitalSignature'])
  const signed = (name: string, subject: string, ...extensions: string[]): Pair => {
    const made = pair(name)
    const added = extensions.flatMap((extension) => ['-addext', extension])
    const authority = ['-CA', own.cert, '-CAkey', own.key, '-addext', 'basicConstraints=critical,CA:FALSE']
    make(made, [...authority, '-subj', subject, ...added])
    return made
  }
  return {
    ca: own.cert,
    server: (name) =>
      signed(name, `/CN=${name}`, 'subjectAltName=DNS:localhost,IP:127.0.0.1', 'extendedKeyUsage=serverAuth'),
    client: (name, user, ...groups) =>
      signed(name, `${groups.map((group) => `/O=${group}`).join('')}/CN=${user}`, 'extendedKeyUsage=clientAuth'),
  }
}

/** Certificate and key in one PEM, as a target's `secret` has them. */
export function asSecret({ cert, key }: Pair): string {
  return readFileSync(cert, 'utf8') + readFileSync(key, 'utf8')
}

/** What service account tokens are signed with. */
export function makeSigningKey(folder: string): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const made = { cert: join(folder, 'accounts.pub'), key: join(folder, 'accounts.key') }
  writeFileSync(made.key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(made.cert, publicKey.export({ type: 'spki', format: 'pem' }))
  return made
}

function make({ cert, key }: Pair, words: readonly string[]): void {
  execFileSync('openssl', ['req', '-x509', ...curve, ...words, '-keyout', key, '-out', cert], { stdio: 'pipe' })
}
