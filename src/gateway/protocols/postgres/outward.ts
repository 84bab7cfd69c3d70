/**
 * The only way to the target. A message that makes something happen needs the permits of what it asks for; a message that
 * only keeps house needs none and cannot carry SQL. Every permit lets one message through, once.
 */
import { hoopError } from '../../../contract/error-codes.ts'
import type { Permit } from '../../checkpoint.ts'
import type { Outlet } from '../wire/outlet.ts'
import type { ReadAhead } from './judged.ts'
import { bindUnknown, code, describePortal, emptyParse, emptyQuery, flush, type ParseView, sync } from './messages.ts'
import { nameOfType, type Piece } from './wire.ts'

export interface Outward {
  /** Query, Execute or FunctionCall: the first bytes of the message, with a permit for each command in it. */
  run(piece: Piece, permits: readonly [Permit, ...Permit[]]): void
  /** Execute of a portal that was let through before and stopped at its row limit. */
  runOn(piece: Piece, permit: Permit): void
  /** Parse: makes nothing happen yet, but only what has been looked at gets there. */
  prepare(piece: Piece, read: ReadAhead): void
  /** Bind, Describe, Close, Sync, Flush, CopyData, CopyDone, CopyFail, Terminate. */
  keepHouse(piece: Piece): void
  /** The rest of a message that came in parts and whose first part was let through. */
  more(piece: Piece): void
  /** What the gateway says of its own accord. Fixed words: nothing of the client's gets in. */
  say(what: 'sync' | 'flush' | 'empty query' | 'failure'): void
  prepareNothing(parse: ParseView): void
  /** Execute of an empty statement, whose Parse was `prepareNothing`. */
  runNothing(piece: Piece): void
  describePortal(name: Buffer): void
  flush(): Promise<void>
  /** Says that the client says no more. */
  end(): void
  destroy(): void
}

const describeUnnamed = describePortal(Buffer.alloc(0))
const housekeeping = new Set(['B', 'D', 'C', 'S', 'H', 'd', 'c', 'f', 'X'].map(code))

/** `failureName`: a statement name that nobody can know, so that binding it always fails. */
export function createOutward(outlet: Outlet, failureName: string): Outward {
  const used = new WeakSet<Permit>()
  const words = {
    sync,
    flush,
    'empty query': emptyQuery,
    // Fails wherever it is said, and takes an open transaction with it, as a refused command must.
    failure: bindUnknown(failureName),
  }
  let unfinished = false

  function start({ bytes, last }: Piece): void {
    if (unfinished) throw hoopError('internal', 'a message to the target was begun inside another')
    unfinished = !last
    outlet.add(bytes)
  }

  function say(bytes: Buffer): void {
    // The rest of the client's message would be read as messages of its own: fail closed.
    if (unfinished) throw hoopError('internal', 'the gateway spoke inside a message to the target')
    outlet.add(bytes)
  }

  return {
    run(piece, permits) {
      for (const permit of permits) {
        if (used.has(permit)) throw hoopError('internal', 'a permit was used twice')
        used.add(permit)
      }
      start(piece)
    },
    runOn(piece, permit) {
      if (!used.has(permit)) throw hoopError('internal', 'a portal was run on that never ran')
      start(piece)
    },
    prepare(piece, _read) {
      start(piece)
    },
    keepHouse(piece) {
      if (!housekeeping.has(piece.type))
        throw hoopError('internal', `a message of type ${nameOfType(piece.type)} needs a permit`)
      start(piece)
    },
    more({ bytes, first, last }) {
      if (first || !unfinished) throw hoopError('internal', 'the rest of a message without its beginning')
      unfinished = !last
      outlet.add(bytes)
    },
    say: (what) => say(words[what]),
    prepareNothing: (parse) => say(emptyParse(parse)),
    runNothing: start,
    describePortal: (name) => say(name.length === 0 ? describeUnnamed : describePortal(name)),
    flush: () => outlet.flush(),
    end: () => void outlet.end(),
    destroy: () => outlet.destroy(),
  }
}
