/**
 * Whose process is at the other end of a loopback connection? On Linux the kernel's table of TCP sockets says (proc(5),
 * /proc/net/tcp). Elsewhere there is no such table to read without privileges: there, the loopback interface is the only
 * border (docs/security.md).
 */
import { isIP, type Socket } from 'node:net'
import { endianness } from 'node:os'
import { createSocketTable } from './socket-table.ts'

export interface PeerCheck {
  /** Does the peer's process belong to the same user as this one? unknown: no process holds its end (any more). */
  ownerOf(socket: Socket): Promise<'own' | 'foreign' | 'unknown'>
}

/** Is there such a table on this system? */
const isChecked = process.platform === 'linux'

export function createPeerCheck(uid: number = process.geteuid?.() ?? -1): PeerCheck {
  const tables = { 4: createSocketTable('/proc/net/tcp'), 6: createSocketTable('/proc/net/tcp6') }
  return {
    async ownerOf(socket) {
      if (!isChecked) return 'own'
      const peer = addressIn(socket.remoteAddress, socket.remotePort)
      const local = addressIn(socket.localAddress, socket.localPort)
      if (peer === undefined || local === undefined) return 'unknown'
      const owner = await tables[peer.family].find(
        (rows) => ownerIn(rows, peer.text, local.text),
        () => socket.destroyed,
      )
      if (owner === undefined) return 'unknown'
      return owner === uid ? 'own' : 'foreign'
    },
  }
}

/**
 * The uid of the socket whose own address is `peer` and whose far end is `local`; undefined when it is not in the table,
 * or no process holds it any more (its inode is 0 and its uid says nothing).
 */
export function ownerIn(table: string, peer: string, local: string): number | undefined {
  const at = table.indexOf(` ${peer} ${local} `)
  if (at === -1) return undefined
  const end = table.indexOf('\n', at)
  // local, remote, state, queues, timer, retransmits, uid, timeout, inode
  const fields = table
    .slice(at, end === -1 ? undefined : end)
    .trim()
    .split(/ +/)
  const uid = Number(fields[6])
  return fields[8] === undefined || fields[8] === '0' || !Number.isInteger(uid) ? undefined : uid
}

/** An address as the table writes it: 32-bit words in the machine's byte order, then the port, hexadecimal. */
function addressIn(host: string | undefined, port: number | undefined): { family: 4 | 6; text: string } | undefined {
  if (host === undefined || port === undefined) return undefined
  const family = isIP(host)
  const bytes = family === 4 ? Buffer.from(host.split('.').map(Number)) : family === 6 ? ipv6Bytes(host) : undefined
  if (bytes === undefined) return undefined
  if (endianness() === 'LE') bytes.swap32()
  const text = `${bytes.toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase()
  return { family: family === 4 ? 4 : 6, text }
}

/** Listeners are bound to 127.0.0.1 and ::1 only, so that this is the one IPv6 address there is. */
function ipv6Bytes(host: string): Buffer | undefined {
  if (host !== '::1') return undefined
  const bytes = Buffer.alloc(16)
  bytes[15] = 1
  return bytes
}
