/**
 * Whose connection it is takes milliseconds to find out (peer.ts). What a client says first asks for nothing yet, and
 * makes the gateway log in at the target, which takes as long: so these words go on at once, and all others wait for the
 * answer, as does every word that comes back. A foreign user's connection ends then, having asked for nothing.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ProtocolName } from '../contract/command.ts'

/** What a client has said begins with bytes … */
type Found =
  /** … that only this hop is asked, and answers. */
  | { readonly bytes: number; readonly answer: string }
  /** … that may go on: its first words. */
  | { readonly bytes: number }
  | 'unfinished'
  /** … that have to wait. */
  | 'other'
type Opening = (said: Buffer) => Found

const openings: Partial<Readonly<Record<ProtocolName, Opening>>> = { postgres }

const sslRequest = 80_877_103
const gssRequest = 80_877_104
const protocol3 = 3
/** As PostgreSQL limits it: MAX_STARTUP_PACKET_LENGTH. */
const longestStartup = 10_000

/**
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP. The startup message is all that may
 * go; a request to cancel is one to do something. Encryption is not offered on this hop, which never leaves the machine.
 */
function postgres(said: Buffer): Found {
  if (said.length < 8) return 'unfinished'
  const length = said.readInt32BE(0)
  const code = said.readInt32BE(4)
  // What follows a question before its answer is for the gateway to refuse (CVE-2021-23214).
  if (code === sslRequest || code === gssRequest)
    return length === 8 && said.length === 8 ? { bytes: 8, answer: 'N' } : 'other'
  if (code >> 16 !== protocol3 || length < 8 || length > longestStartup) return 'other'
  return said.length < length ? 'unfinished' : { bytes: length }
}

/** libpq asks for GSSAPI, then for TLS; who asks more often is answered by the gateway. */
const mostQuestions = 2

/**
 * Passes the first words on, until they have been said or `known` resolves, and gives back which. What may not go on yet is
 * put back into the socket.
 */
export async function passOpening(
  protocol: ProtocolName,
  socket: Socket,
  stream: Duplex,
  known: Promise<unknown>,
): Promise<Buffer | undefined> {
  const opening = openings[protocol]
  if (opening === undefined) return undefined
  let passed: Buffer | undefined
  let questions = 0
  /** Bytes that were looked at and did not suffice. */
  let looked = 0
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const end = () => {
    socket.off('readable', hear)
    socket.off('close', end)
    resolve()
  }

  const hear = () => {
    // Its end, with nothing before it, is not for us to hear.
    if (socket.readableLength === looked) return
    const said: Buffer | null = socket.read()
    if (said === null) return
    const found = opening(said)
    // Put back before anything else happens: an end that is behind these bytes must not come before them.
    const putBack = (bytes: Buffer) => {
      looked = bytes.length
      if (looked > 0) socket.unshift(bytes)
    }
    if (typeof found === 'string' || ('answer' in found && questions === mostQuestions)) {
      putBack(said)
      if (found !== 'unfinished') end()
      return
    }
    putBack(said.subarray(found.bytes))
    if ('answer' in found) {
      questions += 1
      socket.write(found.answer)
      return
    }
    passed = said.subarray(0, found.bytes)
    stream.write(passed)
    end()
  }
  socket.on('readable', hear)
  socket.once('close', end)
  await Promise.race([over, known])
  end()
  return passed
}
