/**
 * What is offered to clients, and what is asked of targets. Towards clients: nothing that ssh-audit grades red or orange as
 * far as ssh2 has better (docs/decisions/ssh.md says where it has not). AES-GCM first: node:crypto does it in hardware, and
 * chacha20-poly1305, which OpenSSH would prefer, is computed half in JavaScript.
 */
import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2'

const ciphers: CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
]
const kex: KexAlgorithm[] = ['curve25519-sha256', 'curve25519-sha256@libssh.org', 'diffie-hellman-group16-sha512']
const macs: MacAlgorithm[] = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com']

export const towardsClients: Algorithms = {
  kex,
  cipher: ciphers,
  serverHostKey: ['ssh-ed25519'],
  hmac: macs,
  compress: ['none'],
}

const hostKeys: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

/**
 * A target may be old: what is safe enough to be asked for, the best first. `expected` are the types of the keys it may
 * show: asked for first, so that a target with several shows the one that is known.
 */
export function towardsTarget(expected: readonly string[]): Algorithms {
  const isExpected = (name: ServerHostKeyAlgorithm) =>
    expected.includes(name) || (name.startsWith('rsa-') && expected.includes('ssh-rsa'))
  return {
    kex: [
      ...kex,
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group-exchange-sha256',
      'diffie-hellman-group14-sha256',
    ],
    cipher: [...ciphers, 'chacha20-poly1305@openssh.com'],
    serverHostKey: [...hostKeys.filter(isExpected), ...hostKeys.filter((name) => !isExpected(name))],
    hmac: [...macs, 'hmac-sha2-256', 'hmac-sha2-512'],
    compress: ['none'],
  }
}
