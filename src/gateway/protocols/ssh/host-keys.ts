/**
 * Is it the target that answers? Its keys are pinned in the config; where they are not, the first one it shows is taken,
 * recorded and kept, and any other is refused from then on.
 */
import { createHash } from 'node:crypto'
import ssh2 from 'ssh2'
import { hoopError } from '../../../contract/error-codes.ts'
import type { Credential, Target } from '../protocol.ts'

/** Keys that were taken on first use, as `ssh-ed25519 AAAA…`. */
export interface TargetKeys {
  known(target: Target): Promise<string | undefined>
  /**
   * Keeps the first key of a target, recorded and durable when it resolves, and gives back the one that is kept: another
   * connection may have been first. Rejects where it cannot be kept.
   */
  take(target: Target, key: string, bearer: Credential['bearer']): Promise<string>
}

export interface Expected {
  /** Without comments. Empty: none is known yet. */
  readonly keys: readonly string[]
  readonly pinned: boolean
}

export async function expectedOf(target: Target, taken: TargetKeys): Promise<Expected> {
  const pinned = target.ssh?.hostKeys ?? []
  if (pinned.length > 0) return { keys: pinned.map(withoutComment), pinned: true }
  const known = await taken.known(target)
  return { keys: known === undefined ? [] : [known], pinned: false }
}

/** Throws `target-refused` unless the key that was shown is one of them, or the first there ever was. */
export async function checkHostKey(
  shown: Buffer,
  expected: Expected,
  target: Target,
  taken: TargetKeys,
  bearer: Credential['bearer'],
): Promise<void> {
  const key = writtenOut(shown)
  if (expected.keys.includes(key)) return
  if (expected.keys.length === 0) {
    const kept = await taken.take(target, key, bearer)
    if (kept === key) return
    throw changed(target, [kept], key, false)
  }
  throw changed(target, expected.keys, key, expected.pinned)
}

function changed({ name }: Target, expected: readonly string[], shown: string, pinned: boolean): Error {
  const known = expected.map(fingerprintOf).join(' or ')
  const whence = pinned ? 'pinned in the configuration' : 'taken when it was first used'
  return hoopError(
    'target-refused',
    `the host key of target "${name}" is not the known one: it shows ${fingerprintOf(shown)}, expected is ${known} (${whence})`,
    {
      hint: pinned
        ? 'if the key was exchanged on purpose, whoever runs the gateway changes ssh.hostKeys; otherwise somebody stands in between'
        : 'if the key was exchanged on purpose, whoever runs the gateway pins the new one in ssh.hostKeys; otherwise somebody stands in between',
    },
  )
}

/** As `ssh-keygen -l` writes it: `SHA256:…`, with the key's type before it. */
export function fingerprintOf(key: string): string {
  const [type = '', blob = ''] = key.split(' ')
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')
  return `${type} SHA256:${digest}`
}

/** The blob's first string is its type (RFC 4253, 6.6). */
function writtenOut(blob: Buffer): string {
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1')
  return `${type} ${blob.toString('base64')}`
}

function withoutComment(key: string): string {
  return key.split(/\s+/, 2).join(' ')
}

/** `ssh-ed25519 AAAA…` of a private key. Throws `config-invalid` for what is none of type ed25519. */
export function publicKeyOf(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey)
  if (parsed instanceof Error || !parsed.isPrivateKey() || parsed.type !== 'ssh-ed25519')
    throw hoopError('config-invalid', 'the host key of the gateway is not an unencrypted private key of type ed25519', {
      hint: 'make one: ssh-keygen -t ed25519 -N "" -f hostkey',
    })
  return `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`
}
