/**
 * The client's first words: requests for encryption (not needed, the link to the gateway has it), a request to cancel, or
 * the startup message that names a user and a database. No password is asked for: who the caller is, is known already.
 */
import type { Duplex } from 'node:stream'
import { hoopError } from '../../../contract/error-codes.ts'
import { createIntake, type Intake } from '../wire/intake.ts'
import { createOutlet, type Outlet } from '../wire/outlet.ts'
import { errorResponse } from './messages.ts'
import { cstring, frame, int32 } from './wire.ts'

export interface StartupClient {
  readonly kind: 'startup'
  readonly intake: Intake
  readonly outlet: Outlet
  /** What it asked for, in its order, without user, database, replication and protocol extensions. */
  readonly options: readonly (readonly [name: Buffer, value: Buffer])[]
  readonly database: Buffer | undefined
  /** The server's own last words, when it let us in and then refused the client: told instead of ours. */
  farewell?: Buffer
}

export interface CancelClient {
  readonly kind: 'cancel'
  readonly intake: Intake
  readonly outlet: Outlet
  readonly pid: number
  readonly secret: Buffer
}

export type Client = StartupClient | CancelClient

const sslRequest = 80_877_103
const gssEncRequest = 80_877_104
const cancelRequest = 80_877_102
/** As in PostgreSQL (MAX_STARTUP_PACKET_LENGTH). */
const longestStartup = 10_000

export async function greet(socket: Duplex, signal: AbortSignal, timeoutMs: number): Promise<Client> {
  const intake = createIntake(socket)
  const outlet = createOutlet(socket)
  const stop = () => outlet.destroy()
  const timer = setTimeout(stop, timeoutMs)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await readGreeting(intake, outlet)
  } catch (error) {
    void outlet.end()
    throw error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

async function readGreeting(intake: Intake, outlet: Outlet): Promise<Client> {
  // libpq asks for GSSAPI, then for TLS; more than one question of each kind is no client we know.
  for (let questions = 0; questions < 3; questions += 1) {
    const packet = await readPacket(intake, outlet)
    const code = packet.readInt32BE(4)
    if (code === sslRequest || code === gssEncRequest) {
      // What was sent before the answer would be read as if it had been encrypted (CVE-2021-23214).
      if (intake.waiting > 0) throw refused(outlet, 'received unencrypted data after an encryption request')
      outlet.add(Buffer.from('N'))
      await outlet.flush()
      continue
    }
    if (code === cancelRequest) return readCancel(packet, intake, outlet)
    return readStartup(packet, intake, outlet)
  }
  throw refused(outlet, 'too many encryption requests')
}

/** A packet without a type: four bytes of length, then the rest. */
async function readPacket(intake: Intake, outlet: Outlet): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0)
  for (;;) {
    const length = bytes.length < 4 ? 8 : bytes.readInt32BE(0)
    if (length < 8 || length > longestStartup) throw refused(outlet, 'invalid length of startup packet')
    if (bytes.length >= length && bytes.length >= 4) {
      intake.unread(bytes.subarray(length))
      return bytes.subarray(0, length)
    }
    const chunk = await intake.next()
    if (chunk === undefined) throw hoopError('cancelled', 'the client left before it said what it wants')
    bytes = Buffer.concat([bytes, chunk])
  }
}

function readCancel(packet: Buffer, intake: Intake, outlet: Outlet): CancelClient {
  // Up to 256 bytes of secret since protocol 3.2.
  if (packet.length < 16 || packet.length > 12 + 256) throw refused(outlet, 'invalid length of cancel request')
  return { kind: 'cancel', intake, outlet, pid: packet.readInt32BE(8), secret: Buffer.from(packet.subarray(12)) }
}

function readStartup(packet: Buffer, intake: Intake, outlet: Outlet): StartupClient {
  const major = packet.readUInt16BE(4)
  const minor = packet.readUInt16BE(6)
  if (major !== 3) {
    throw refused(outlet, `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.0`, '0A000')
  }
  const options: (readonly [Buffer, Buffer])[] = []
  const extensions: Buffer[] = []
  let database: Buffer | undefined
  for (const [name, value] of readPairs(packet, outlet)) {
    const key = name.toString('latin1')
    if (key.startsWith('_pq_.')) extensions.push(name)
    else if (key === 'database') database = value
    else if (key === 'replication') refuseReplication(value, outlet)
    else if (key !== 'user') options.push([name, value])
  }
  if (minor > 0 || extensions.length > 0) {
    outlet.add(frame('v', int32(3 << 16), int32(extensions.length), ...extensions.map(cstring)))
  }
  return { kind: 'startup', intake, outlet, options, database: database?.length === 0 ? undefined : database }
}

function readPairs(packet: Buffer, outlet: Outlet): [name: Buffer, value: Buffer][] {
  const pairs: [Buffer, Buffer][] = []
  for (let at = 8; ; ) {
    const nameEnd = packet.indexOf(0, at)
    if (nameEnd < 0) throw refused(outlet, 'invalid startup packet layout: expected terminator as last byte')
    if (nameEnd === at) {
      if (nameEnd !== packet.length - 1) throw refused(outlet, 'invalid startup packet layout: bytes after its end')
      return pairs
    }
    const valueEnd = packet.indexOf(0, nameEnd + 1)
    if (valueEnd < 0) throw refused(outlet, 'invalid startup packet layout: a name without a value')
    pairs.push([packet.subarray(at, nameEnd), packet.subarray(nameEnd + 1, valueEnd)])
    at = valueEnd + 1
  }
}

/** A replication connection speaks another language (START_REPLICATION …) and reads everything, past every rule. */
function refuseReplication(value: Buffer, outlet: Outlet): void {
  const asked = value.toString('latin1').toLowerCase()
  if (['false', 'off', 'no', '0', 'f', 'n'].includes(asked)) return
  throw refused(outlet, 'replication connections do not pass through the gateway', '42501')
}

function refused(outlet: Outlet, message: string, sqlState = '08P01'): Error {
  outlet.add(errorResponse({ severity: 'FATAL', sqlState, message }))
  return hoopError('protocol-error', `the client was turned away: ${message}`)
}
