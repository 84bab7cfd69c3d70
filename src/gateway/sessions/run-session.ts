/**
 * One client connection from its first byte to its last. The order of the dangerous steps stands here and nowhere else:
 * greet, write down, admit, open the credential, connect, relay. One signal ends all of it.
 */
import type { Duplex } from 'node:stream'
import { reasonOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Secret } from '../../base/secret.ts'
import { isHoopError } from '../../contract/error-codes.ts'
import type { RecordDraft } from '../../contract/record.ts'
import type { Refusal } from '../../contract/refusal.ts'
import type { Audit } from '../audit/audit.ts'
import { about, type Asker } from '../checkpoint/asked.ts'
import { isRefusal, refusedByAudit } from '../checkpoint/refusals.ts'
import type { createCheckpoint } from '../checkpoint.ts'
import type { AnyProtocol, Recordings, Target } from '../protocols/protocol.ts'

export interface Connection {
  readonly asker: Asker
  readonly protocol: AnyProtocol
  readonly target: Target
  readonly checkpoint: ReturnType<typeof createCheckpoint>
  readonly recordings: Recordings
  /** Aborted with a Refusal when the session is killed or the gateway stops. */
  readonly signal: AbortSignal
  readonly connectTimeoutMs: number
  readonly audit: Pick<Audit, 'append' | 'note'>
  readonly log: Log
  /** Why it may not be opened after all; asked when the client has said what it wants. */
  admit(): Refusal | undefined
  openCredential(signal: AbortSignal): Promise<Secret | undefined>
}

/** A client that is admitted has this long to say what it wants. */
const greetTimeoutMs = 30_000
/** After the signal, how long both ends may take to end well before the socket is cut. */
const endWithinMs = 3_000

/** Never rejects. */
export async function runConnection(connection: Connection, socket: Duplex): Promise<void> {
  const { asker, protocol, target, checkpoint, recordings, signal, audit } = connection
  const cut = cutLate(signal, socket)
  let refuse: (refusal: Refusal) => Promise<void> = async () => undefined
  let started = false
  let why = 'closed'
  try {
    const client: unknown = await protocol.greet(socket, AbortSignal.any([signal, AbortSignal.timeout(greetTimeoutMs)]))
    refuse = (refusal) => protocol.refuse(client, refusal)

    const unwritten = await writeStart(connection, protocol.describe(client))
    started = unwritten === undefined
    const refusal = unwritten ?? connection.admit()
    if (refusal !== undefined) throw refusal

    const secret = await connection.openCredential(signal)
    const bearer = { session: asker.session, user: asker.person.user, groups: asker.person.groups }
    const renew = (signal: AbortSignal) => connection.openCredential(signal)
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(connection.connectTimeoutMs)])
    const upstream: unknown = await protocol.connect(target, { secret, bearer, renew }, client, inTime)

    // From here on the conversation tells the client itself what goes wrong.
    refuse = async () => undefined
    await protocol.relay(client, upstream, { checkpoint, recordings, signal })
    if (signal.aborted) why = sentenceOf(signal.reason)
  } catch (error) {
    const refusal = refusalOf(error, connection)
    why = refusal.message
    // Turned away for its very first words: that is no connection, and yet something that somebody tried.
    if (!started && isHoopError(error) && error.code === 'protocol-error')
      started = (await writeStart(connection, null)) === undefined
    tellOperators(connection, refusal, error)
    await refuse(refusal).catch((failed: unknown) => {
      connection.log.info({ connection: asker.connection, err: reasonOf(failed) }, 'a client could not be told why')
    })
  } finally {
    checkpoint.close()
    if (started) audit.note({ ...about(asker), type: 'connection.end', why })
    cut.cancel()
  }
}

async function writeStart({ asker, audit }: Connection, detail: string | null): Promise<Refusal | undefined> {
  const draft: RecordDraft = { ...about(asker), type: 'connection.start', detail }
  try {
    await audit.append([draft])
    return undefined
  } catch (error) {
    return refusedByAudit({ session: asker.session }, reasonOf(error))
  }
}

function refusalOf(error: unknown, { asker, target, signal }: Connection): Refusal {
  const { session } = asker
  if (isRefusal(error)) return { ...error, session }
  // Whatever broke after the signal broke because of it.
  if (signal.aborted && isRefusal(signal.reason)) return { ...signal.reason, session }
  if (
    isHoopError(error) &&
    (error.code === 'target-unreachable' || error.code === 'target-refused' || error.code === 'not-allowed')
  )
    return {
      code: error.code,
      message: error.message,
      next: error.hint ?? 'try again later, or tell whoever runs the gateway',
      session,
    }
  if (isHoopError(error) && error.code === 'protocol-error')
    return { code: 'not-understood', message: error.message, next: 'connect again', session }
  return {
    code: 'internal',
    message: `the connection to "${target.name}" failed`,
    next: 'try again; the gateway log says more',
    session,
  }
}

function tellOperators({ asker, target, log }: Connection, { code }: Refusal, error: unknown): void {
  const fields = { session: asker.session, connection: asker.connection, target: target.name, code }
  // The cause is for operators only: it may name files and programs of the gateway's machine.
  const cause = error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : undefined
  if (code === 'internal') log.error({ ...fields, err: error }, 'a connection failed')
  else
    log.info(
      { ...fields, reason: isRefusal(error) ? error.message : reasonOf(error), cause },
      'a connection was refused',
    )
}

function sentenceOf(reason: unknown): string {
  return isRefusal(reason) ? reason.message : reasonOf(reason)
}

/** One bad neighbour hurts nobody: an end that does not come by itself is made. */
function cutLate(signal: AbortSignal, socket: Duplex): { cancel(): void } {
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(() => socket.destroy(), endWithinMs)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return {
    cancel() {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    },
  }
}
