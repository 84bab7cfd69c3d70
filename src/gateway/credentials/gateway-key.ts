/**
 * The host key that the gateway shows to SSH clients: the one that the config names, so that several gateways are one to
 * their clients; otherwise its own, made at the first start and kept beside the store.
 */
import { readFile } from 'node:fs/promises'
import { reasonOf } from '../../base/errors.ts'
import { hoopError } from '../../contract/error-codes.ts'
import { generateKeyPair, publicKeyOf } from '../protocols/ssh/index.ts'
import { keep, readKept } from './beside-store.ts'

/** Throws `config-invalid` for a key that cannot be used. */
export async function openGatewayKey(storePath: string, configured: string | undefined): Promise<string> {
  if (configured !== undefined) return await readConfigured(configured)
  const path = `${storePath}.hostkey`
  const kept = await readKept(path)
  if (kept !== undefined) return checked(kept, path)
  const fresh = generateKeyPair().private
  await keep(path, fresh)
  return fresh
}

async function readConfigured(path: string): Promise<string> {
  try {
    return checked(await readFile(path, 'utf8'), path)
  } catch (error) {
    throw hoopError('config-invalid', `"ssh.hostKey" cannot be used: ${reasonOf(error)}`, { cause: error })
  }
}

function checked(key: string, path: string): string {
  try {
    publicKeyOf(key)
    return key
  } catch (cause) {
    throw hoopError('config-invalid', `${path} is not an unencrypted private key of type ed25519`, {
      hint: 'make one: ssh-keygen -t ed25519 -N "" -f hostkey',
      cause,
    })
  }
}
