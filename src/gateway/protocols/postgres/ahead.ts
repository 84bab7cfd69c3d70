/**
 * Commands that wait together in one pipeline are written down together: while the first of them is made durable, those
 * behind it that have arrived are taken to the checkpoint too, and share its flush. They are forwarded one after the other
 * as ever, each with its own permit; what the client's pipeline then skips is settled as not run.
 *
 * Looked at ahead is only what needs no waiting and no people: what policy plainly allows, and whose meaning nothing in
 * between can change. At anything else the look ends, and the rest gets its turn in its time.
 */
import type { Command } from '../../../contract/command.ts'
import { isHoopError } from '../../../contract/error-codes.ts'
import { readBind } from './bind.ts'
import { type Cleared, clear, commandsOf, type Some } from './clear.ts'
import { mayChangeMeaning } from './ledger.ts'
import { nameKey, readExecute, readParse } from './messages.ts'
import { readParameters } from './parameters.ts'
import type { ReadResult, Statement } from './parts.ts'
import type { Portal } from './prepared.ts'
import { mentionsExecute } from './simple.ts'
import type { Soon } from './soon.ts'
import type { Talk } from './talk.ts'
import type { Piece } from './wire.ts'

export interface Ahead {
  /** Looks at what has arrived behind the message that is dealt with now. */
  look(): void
  /** What this Parse is read as, if that has begun: reading it again would make other statements of it. */
  reading(parse: Piece): Soon<ReadResult> | undefined
  /** A portal was opened by this Bind. */
  bound(bind: Piece, portal: Portal): void
  /** What this Execute was cleared with, if it was and still is the very same command. */
  take(execute: Piece, portal: Portal | undefined, statements: readonly Statement[]): Promise<Cleared> | undefined
  /** What was cleared and has not been taken is not forwarded any more. */
  drop(): Promise<void>
}

interface Early {
  readonly bind: Piece
  readonly statements: readonly Statement[]
  readonly cleared: Promise<Cleared>
  /** The portal that its Bind has opened since. */
  portal?: Portal
}

/** What a portal will stand for, once its Bind is forwarded. */
interface Bound {
  readonly bind: Piece
  readonly statements: Some<Statement>
  readonly commands: Some<Command>
}

/** Enough to share a flush well; each holds a record in memory. */
const mostAhead = 128

/** `upcoming`: what has arrived behind the message that is dealt with now, whole or in parts. */
export function createAhead(talk: Talk, upcoming: () => Iterable<Piece>): Ahead {
  const { session } = talk
  const early = new Map<Piece, Early>()
  const readings = new Map<Piece, Soon<ReadResult>>()

  const keyOf = (name: Buffer) => nameKey(name, session.parameters.get('client_encoding'))

  /** Their statements as they will be judged; undefined where finding out takes time or changes something. */
  function plain(statements: readonly Statement[]): Some<Statement> | undefined {
    const plain: Statement[] = []
    for (const statement of statements) {
      const fresh = talk.reader.refresh(statement, session)
      if (fresh instanceof Promise || fresh.eager || mayChangeMeaning(fresh)) return undefined
      plain.push(fresh)
    }
    const [first, ...others] = plain
    return first && [first, ...others]
  }

  function* commandsAhead(): Generator<Bound & { readonly execute: Piece }> {
    const prepared = new Map<string, { readonly statements: readonly Statement[]; readonly types: readonly number[] }>()
    const portals = new Map<string, Bound>()
    for (const piece of upcoming()) {
      if (!piece.first || !piece.last) return
      switch (String.fromCharCode(piece.type)) {
        case 'P': {
          const { name, sql, types } = readParse(piece.bytes)
          const key = keyOf(name)
          // What EXECUTE stands for may hang on answers that are still to come.
          if (key === undefined || mentionsExecute(sql)) return
          const read = talk.reader.read(sql, session)
          readings.set(piece, read)
          if (read instanceof Promise) return
          prepared.set(key, { statements: read.statements, types })
          break
        }
        case 'B': {
          const { statement, portal, values } = readBind(piece.bytes)
          const [from, to] = [keyOf(statement), keyOf(portal)]
          if (from === undefined || to === undefined) return
          const { value, group = talk.group } = session.statements.meaning(from)
          const meant = prepared.get(from) ?? (group === talk.group ? value : undefined)
          const statements = meant && plain(meant.statements)
          if (statements === undefined) return
          const commands = commandsOf(statements, readParameters(values, meant?.types ?? []))
          portals.set(to, { bind: piece, statements, commands })
          break
        }
        case 'E': {
          const bound = portals.get(keyOf(readExecute(piece.bytes).portal) ?? '')
          if (bound === undefined) return
          yield { ...bound, execute: piece }
          break
        }
        case 'D':
        case 'H':
          break
        default:
          return
      }
    }
  }

  return {
    look() {
      if (early.size > 0 || talk.unsettled !== undefined || !session.certain) return
      try {
        for (const { execute, bind, statements, commands } of commandsAhead()) {
          if (commands.some((command) => talk.checkpoint.preview(command).verdict !== 'allow')) return
          early.set(execute, { bind, statements, cleared: clear(talk, statements, commands) })
          if (early.size === mostAhead) return
        }
      } catch (error) {
        // A message that breaks the protocol is complained of when it is its turn.
        if (!isHoopError(error)) throw error
      }
    },
    reading: (parse) => readings.get(parse),
    bound(bind, portal) {
      for (const one of early.values()) if (one.bind === bind) one.portal = portal
    },
    take(execute, portal, statements) {
      const found = early.get(execute)
      if (found === undefined || portal === undefined || found.portal !== portal) return undefined
      const isSame =
        found.statements.length === statements.length && found.statements.every((one, at) => one === statements[at])
      if (!isSame) return undefined
      early.delete(execute)
      return found.cleared
    },
    async drop() {
      const left = [...early.values()]
      early.clear()
      readings.clear()
      for (const { cleared } of left) {
        const end = await cleared
        if (end !== 'skipped' && 'runs' in end) for (const run of end.runs) run.settle({ status: 'not-run' })
      }
    },
  }
}
