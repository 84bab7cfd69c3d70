/**
 * Logs in at a server as the target's own user: trust, password, md5 or SCRAM-SHA-256. Ends where the server waits for
 * the first command; what it said after letting us in is kept for the client.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { serialize } from 'pg-protocol'
import { hoopError } from '../../../contract/error-codes.ts'
import type { Credential, Target } from '../protocol.ts'
import { createIntake, type Intake } from '../wire/intake.ts'
import { createOutlet, type Outlet } from '../wire/outlet.ts'
import { dial } from './dial.ts'
import { code, readBackendKey, readFields, View } from './messages.ts'
import { createScram, type Scram } from './scram.ts'
import { createCutter, cstring, int32, type Piece } from './wire.ts'

export interface LoggedIn {
  readonly intake: Intake
  readonly outlet: Outlet
  /** ParameterStatus, notices, BackendKeyData and ReadyForQuery, in the server's order. */
  readonly welcome: readonly Buffer[]
  readonly pid: number
  readonly secret: Buffer
}

export interface LoginWish {
  readonly target: Target
  readonly credential: Credential
  readonly database: Buffer
  readonly options: readonly (readonly [name: Buffer, value: Buffer])[]
  readonly signal: AbortSignal
  /** Called with the server's ErrorResponse, if it may be shown to the client: it says nothing about our credential. */
  onRefusal?(error: Buffer): void
}

const longestLoginFrame = 1024 * 1024

export async function login(wish: LoginWish): Promise<LoggedIn> {
  const socket = await dial(wish.target, wish.signal)
  const intake = createIntake(socket)
  const outlet = createOutlet(socket)
  const stop = () => socket.destroy()
  wish.signal.addEventListener('abort', stop, { once: true })
  try {
    outlet.add(startup(wish))
    await outlet.flush()
    const welcome = await converse(wish, socket, intake, outlet)
    const key = welcome.find((bytes) => bytes[0] === code('K'))
    return { intake, outlet, welcome, ...(key === undefined ? noKey : readBackendKey(key)) }
  } catch (error) {
    socket.destroy()
    if (wish.signal.aborted)
      throw hoopError('target-unreachable', `target "${wish.target.name}" did not finish the login in time`, {
        cause: error,
      })
    throw error
  } finally {
    wish.signal.removeEventListener('abort', stop)
  }
}

/** A server without cancellation (some poolers) sends no key. */
const noKey = { pid: 0, secret: Buffer.alloc(4) }

/** Not pg-protocol's: that one adds a client_encoding of its own, and would take the client's bytes for UTF-8. */
function startup({ target, database, options }: LoginWish): Buffer {
  const pairs = [[Buffer.from('user'), Buffer.from(target.user)], [Buffer.from('database'), database], ...options]
  const body = Buffer.concat([
    int32(3 << 16),
    ...pairs.flatMap((pair) => pair.map((text) => cstring(text ?? Buffer.alloc(0)))),
    Buffer.alloc(1),
  ])
  return Buffer.concat([int32(body.length + 4), body])
}

async function converse(wish: LoginWish, socket: Socket, intake: Intake, outlet: Outlet): Promise<Buffer[]> {
  const cutter = createCutter({ from: 'the target', limit: () => longestLoginFrame })
  const answer = createAnswers(wish, socket)
  const welcome: Buffer[] = []
  let admitted = false
  for (;;) {
    const piece = cutter.next()
    if (piece === undefined) {
      const chunk = await intake.next()
      if (chunk === undefined) throw refused(wish.target, 'it ended the connection during the login')
      cutter.feed(chunk)
      continue
    }
    if (!piece.last) throw refused(wish.target, 'it sent a message of more than 1 MiB during the login')
    if (piece.type === code('E')) throw refusalOf(wish, piece.bytes, admitted)
    if (piece.type === code('R')) {
      if (admitted) throw refused(wish.target, 'it asked for a password twice')
      if (piece.bytes.length >= 9 && piece.bytes.readInt32BE(5) === 0) {
        answer.finish()
        admitted = true
        continue
      }
      const reply = await answer.to(piece)
      if (reply === undefined) continue
      outlet.add(reply)
      await outlet.flush()
      continue
    }
    if (!admitted && piece.type !== code('N')) throw refused(wish.target, 'it does not speak the PostgreSQL protocol')
    welcome.push(piece.bytes)
    if (piece.type === code('Z')) {
      // The pieces are slices of one chunk; after ReadyForQuery a server is silent until it is asked.
      const more = cutter.next()
      if (more !== undefined || cutter.midFrame) throw refused(wish.target, 'it speaks without being asked')
      return welcome
    }
  }
}

const knownWays = 'the gateway knows trust, password, md5 and scram-sha-256 (pg_hba.conf)'

interface Answers {
  /** What to send back; undefined for nothing. */
  to(piece: Piece): Promise<Buffer | undefined>
  /** Throws if the server let us in without a proof that it began. */
  finish(): void
}

function createAnswers({ target, credential }: LoginWish, socket: Socket): Answers {
  let scram: Scram | undefined
  let proved = true

  function password(): string {
    if (credential.secret === undefined)
      throw refused(target, 'it asks for a password, and the target has no secret', 'give the target a secret')
    return credential.secret.reveal()
  }

  return {
    async to(piece) {
      const asked = readAuthentication(piece.bytes)
      switch (asked.way) {
        case 'password':
          return serialize.password(password())
        case 'md5':
          return serialize.password(md5Answer(target.user, password(), asked.salt))
        case 'sasl': {
          proved = false
          scram = createScram({
            mechanisms: asked.mechanisms,
            nonce: randomBytes(18).toString('base64'),
            certificate: socket instanceof TLSSocket ? certificateOf(socket) : undefined,
          })
          return serialize.sendSASLInitialResponseMessage(scram.mechanism, scram.first)
        }
        case 'sasl-continue':
          if (scram === undefined) throw refused(target, 'it does not follow SASL')
          return serialize.sendSCRAMClientFinalMessage(await scram.answer(asked.data, password()))
        case 'sasl-final':
          if (scram === undefined) throw refused(target, 'it does not follow SASL')
          scram.check(asked.data)
          proved = true
          return undefined
        default:
          throw refused(target, 'it asks for a way to log in that the gateway does not know', knownWays)
      }
    },
    finish() {
      if (!proved) throw refused(target, 'it broke off SCRAM: it may be an impostor')
    },
  }
}

type Authentication =
  | { readonly way: 'password' | 'unknown' }
  | { readonly way: 'md5'; readonly salt: Buffer }
  | { readonly way: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly way: 'sasl-continue' | 'sasl-final'; readonly data: string }

/** The manual, "Message Formats", Authentication…; GSSAPI, SSPI and what comes later are not known here. */
function readAuthentication(bytes: Buffer): Authentication {
  const view = new View(bytes)
  switch (view.int32()) {
    case 3:
      return { way: 'password' }
    case 5:
      return { way: 'md5', salt: view.take(4) }
    case 10:
      return { way: 'sasl', mechanisms: view.take(view.left).toString('latin1').split('\0').filter(Boolean) }
    case 11:
      return { way: 'sasl-continue', data: view.take(view.left).toString('latin1') }
    case 12:
      return { way: 'sasl-final', data: view.take(view.left).toString('latin1') }
    default:
      return { way: 'unknown' }
  }
}

/** md5(md5(password + user) + salt): the manual, "AuthenticationMD5Password". */
function md5Answer(user: string, password: string, salt: Buffer): string {
  const inner = createHash('md5').update(password).update(user).digest('hex')
  return `md5${createHash('md5').update(inner).update(salt).digest('hex')}`
}

function certificateOf(socket: TLSSocket): { raw: Buffer; signatureHash: string } | undefined {
  const certificate = socket.getPeerX509Certificate()
  // Without the signature's hash there is no binding (RFC 5929): Ed25519 has none.
  const [, hash] = certificate?.signatureAlgorithm?.toLowerCase().match(/(md5|sha1|sha224|sha256|sha384|sha512)/) ?? []
  return certificate === undefined || hash === undefined ? undefined : { raw: certificate.raw, signatureHash: hash }
}

/** The server's no. What it says about our own login (class 28) is for the gateway's log, not for the client. */
function refusalOf(wish: LoginWish, bytes: Buffer, admitted: boolean): Error {
  const fields = readFields(bytes)
  if (admitted || !fields.get('C')?.startsWith('28')) wish.onRefusal?.(Buffer.from(bytes))
  return refused(wish.target, `${fields.get('M') ?? 'no reason given'} (SQLSTATE ${fields.get('C') ?? 'unknown'})`)
}

function refused(target: Target, why: string, hint?: string): Error {
  return hoopError('target-refused', `target "${target.name}" refuses the gateway: ${why}`, { hint })
}
