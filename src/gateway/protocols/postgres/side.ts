/**
 * The side connection: the same login to the same database for the gateway's own questions (what a name means, what a
 * held command would touch). Read-only, each question under a time limit, opened at the first question and closed when
 * there is none for a while.
 */
import { serialize } from 'pg-protocol'
import { hoopError } from '../../../contract/error-codes.ts'
import type { LoggedIn } from './login.ts'
import { code, endsConnection, readFields, View } from './messages.ts'
import type { OpenSideConnection, SideConnection } from './parts.ts'
import { createCutter, type Piece } from './wire.ts'

/** Settings of the side connection, as startup options. */
export const sideOptions: readonly (readonly [Buffer, Buffer])[] = [
  ['application_name', 'hoop side'],
  ['client_encoding', 'UTF8'],
  ['default_transaction_read_only', 'on'],
  ['statement_timeout', '5000'],
  ['lock_timeout', '1000'],
  ['standard_conforming_strings', 'on'],
].map(([name = '', value = '']) => [Buffer.from(name), Buffer.from(value)] as const)

/**
 * Planning the question to the catalog anew each time would cost several times its execution. Asked of pg_settings,
 * because older servers refuse to log in with a setting that they do not know.
 */
const tuning = `SELECT pg_catalog.set_config(name, CASE name WHEN 'jit' THEN 'off' ELSE 'force_generic_plan' END, false)
FROM pg_catalog.pg_settings WHERE name IN ('jit', 'plan_cache_mode')`

const longestAnswerFrame = 16 * 1024 * 1024

/** What is prepared is known to one server process: a pooler may have handed us to another. */
const noSuchStatement = '26000'

/** More different questions than these are not prepared. */
const mostPrepared = 20

/**
 * Less than the five seconds for which PostgreSQL waits for others to leave a database that is to be dropped, renamed or
 * copied: the gateway's own connection must not be what such a command fails for.
 */
const defaultIdleMs = 3000

export interface Side {
  readonly open: OpenSideConnection
  /** It is closed when idle, but only while this holds. */
  restWhile(isFree: () => boolean): void
  close(): void
}

/** At most one connection, opened when it is first asked for, again if it was lost or had been idle. */
export function createSide(log: (signal: AbortSignal) => Promise<LoggedIn>, idleMs = defaultIdleMs): Side {
  const over = new AbortController()
  let current: Promise<OpenSide> | undefined
  let timer: NodeJS.Timeout | undefined
  let isFree = () => true

  async function rest(): Promise<void> {
    const mine = timer
    const side = await current?.catch(() => undefined)
    // Somebody has just been given it.
    if (side === undefined || timer !== mine) return
    if (side.busy || !isFree()) return stir()
    current = undefined
    side.close()
  }
  function stir(): void {
    clearTimeout(timer)
    if (!over.signal.aborted) timer = setTimeout(() => void rest(), idleMs).unref()
  }

  return {
    async open() {
      stir()
      const existing = await current?.catch(() => undefined)
      if (existing !== undefined && !existing.lost) return existing
      if (over.signal.aborted) throw hoopError('cancelled', 'the conversation has ended')
      current = log(over.signal).then((loggedIn) => createSideConnection(loggedIn, stir))
      // Whoever asked is told; the next one tries anew.
      current.catch(() => {
        current = undefined
      })
      return current
    },
    restWhile(condition) {
      isFree = condition
    },
    close() {
      clearTimeout(timer)
      over.abort()
      current?.then(
        (side) => side.close(),
        () => undefined,
      )
    },
  }
}

interface OpenSide extends SideConnection {
  readonly lost: boolean
  /** Questions are on their way. */
  readonly busy: boolean
}

/** `onAnswer`: after each, also a failed one. */
function createSideConnection({ intake, outlet }: LoggedIn, onAnswer: () => void): OpenSide {
  const cutter = createCutter({ from: 'the target', limit: () => longestAnswerFrame })
  let last: Promise<unknown> = Promise.resolve()
  /** Questions that were asked before → the name under which the server has them. */
  const prepared = new Map<string, string | undefined>()
  let names = 0
  let open = 0
  let closed = false

  async function nextPiece(): Promise<Piece> {
    for (;;) {
      const piece = cutter.next()
      if (piece !== undefined) {
        if (!piece.last) throw hoopError('target-refused', 'an answer on the side connection is too large')
        return piece
      }
      const chunk = await intake.next()
      if (chunk === undefined) throw hoopError('target-unreachable', 'the side connection to the target was lost')
      cutter.feed(chunk)
    }
  }

  async function ask(sql: string, params: readonly (string | null)[]): Promise<(string | null)[][]> {
    const known = prepared.get(sql)
    // Prepared when it comes back, and under a new name each time: what has failed may be there or not.
    const name = known ?? (prepared.has(sql) ? `hoop_${names++}` : '')
    outlet.add(
      Buffer.concat([
        ...(known === undefined ? [serialize.parse({ name, text: sql })] : []),
        serialize.bind({ statement: name, values: [...params] }),
        serialize.execute(),
        serialize.sync(),
      ]),
    )
    await outlet.flush()
    const rows: (string | null)[][] = []
    let failure: Error | undefined
    let forgotten = false
    for (;;) {
      const { type, bytes } = await nextPiece()
      if (type === code('D')) rows.push(readRow(bytes))
      else if (type === code('E')) {
        const fields = readFields(bytes)
        failure = hoopError('target-refused', `the target answers: ${fields.get('M')} (SQLSTATE ${fields.get('C')})`)
        if (endsConnection(fields)) throw failure
        forgotten = known !== undefined && fields.get('C') === noSuchStatement
      } else if (type === code('Z')) {
        if (forgotten) {
          prepared.delete(sql)
          return ask(sql, params)
        }
        if (failure !== undefined) throw failure
        if (name !== '') prepared.set(sql, name)
        else if (prepared.size < mostPrepared) prepared.set(sql, undefined)
        return rows
      }
    }
  }

  function query(sql: string, params: readonly (string | null)[] = []): Promise<(string | null)[][]> {
    open += 1
    const answer = last
      .then(() => ask(sql, params))
      .finally(() => {
        open -= 1
        onAnswer()
      })
    last = answer.catch((error: unknown) => {
      // After anything but a plain SQL error it is unknown where in the conversation we are.
      if (cutter.midFrame || !isPlainError(error)) outlet.destroy()
    })
    return answer
  }

  // Only about speed; and a connection that is lost tells the next question.
  query(tuning).catch(() => undefined)
  return {
    query,
    close() {
      closed = true
      outlet.add(serialize.end())
      void outlet.end()
      setTimeout(() => outlet.destroy(), 1000).unref()
    },
    get lost() {
      return closed || intake.gone.aborted || outlet.closed.aborted
    },
    get busy() {
      return open > 0
    },
  }
}

function isPlainError(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('the target answers: ')
}

function readRow(bytes: Buffer): (string | null)[] {
  const view = new View(bytes)
  const row: (string | null)[] = []
  for (let count = view.uint16(); count > 0; count -= 1) {
    const length = view.int32()
    row.push(length === -1 ? null : view.take(length).toString('utf8'))
  }
  return row
}
