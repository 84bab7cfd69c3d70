/**
 * After every exchange of keys, reading and writing packets is taken from ssh2 where it can be: AES-GCM both ways, and on the
 * way in a stream cipher with a MAC over what it encrypted. Everything else stays ssh2's, with its keys prepared, because it hands
 * them over with every packet and node:crypto takes one in bytes five times slower.
 */
import { type CipherGCMTypes, createSecretKey } from 'node:crypto'
import type { Keyed, Opening, Transport } from 'ssh2/lib/protocol/utils.js'
import { aesBlock, type GcmKey } from './gcm.ts'
import { etmOpener, gcmOpener } from './open.ts'
import { type Opener, Receiver } from './receive.ts'
import { GcmSender } from './send.ts'

/** What a peer may put into one packet of a channel: as much as is read at once. ssh2 asks for half of that. */
const longestData = 64 * 1024

/** To be called when an exchange has ended, before anything else is read or written. */
export function takeOver(transport: Transport): void {
  const { _cipher: cipher, _decipher: decipher } = transport
  const gcm = gcmKey(cipher._encSSLName, cipher._encKey, cipher._encIV)
  if (gcm === undefined) prepareKeys(cipher)
  else transport._cipher = new GcmSender(gcm, cipher)
  const opener = openerOf(decipher)
  if (opener === undefined) prepareKeys(decipher)
  else {
    transport._decipher = new Receiver(opener, decipher)
    askForLongPackets(transport)
  }
}

function askForLongPackets(transport: Transport): void {
  const confirm = transport.channelOpenConfirm
  const session = transport.session
  transport.channelOpenConfirm = (remote, local, window) => confirm.call(transport, remote, local, window, longestData)
  transport.session = (local, window) => session.call(transport, local, window, longestData)
}

function openerOf(opening: Opening): Opener | undefined {
  // Never so far: the exchange's last message has a reader of its own.
  const hasBegun = (opening._lenBytes ?? 0) > 0 || (opening._blockPos ?? 0) > 0
  if (hasBegun) return undefined
  const gcm = gcmKey(opening._decipherSSLName, opening._decipherKey, opening._decipherIV)
  if (gcm !== undefined) return gcmOpener(gcm)
  const { _decipherInstance: decipher, _macSSLName: hash, _macKey: key, _macActualLen: bytes } = opening
  const isUnderstood = opening._macETM === true && opening._blockSize === aesBlock
  if (!isUnderstood || !decipher || hash === undefined || bytes === undefined || !Buffer.isBuffer(key)) return undefined
  return etmOpener(decipher, { hash, key: createSecretKey(key), bytes })
}

function gcmKey(name: string | undefined, key: unknown, nonce: Buffer | undefined): GcmKey | undefined {
  if (!isGcm(name) || !Buffer.isBuffer(key) || nonce === undefined) return undefined
  return { name, key: createSecretKey(key), nonce }
}

function isGcm(name: string | undefined): name is CipherGCMTypes {
  return name === 'aes-128-gcm' || name === 'aes-256-gcm'
}

function prepareKeys(keyed: Keyed): void {
  for (const name of ['_encKey', '_decipherKey', '_macKey'] as const) {
    const key = keyed[name]
    if (Buffer.isBuffer(key) && key.length > 0) keyed[name] = createSecretKey(key)
  }
}
