/** FunctionCall, the old fast path: runs a function by its OID, past every statement. libpq's large objects use it. */
import type { Parameter } from '../../../contract/command.ts'
import { clear, commandsOf } from './clear.ts'
import { View } from './messages.ts'
import { refuseSimply } from './simple.ts'
import { drop, type Rest } from './rest.ts'
import { type Talk, untilCertain } from './talk.ts'
import type { Piece } from './wire.ts'

export async function callFunction(talk: Talk, piece: Piece): Promise<Rest | undefined> {
  await untilCertain(talk)
  if (talk.skipping || talk.over) return drop
  const view = new View(piece.bytes)
  const statement = await talk.reader.functionCall(view.uint32(), talk.session)
  const cleared = await clear(talk, [statement], commandsOf([statement], piece.last ? readArguments(view) : []))
  if (cleared === 'skipped') return drop
  if ('refusal' in cleared) {
    refuseSimply(talk, cleared.refusal)
    return drop
  }
  const [run] = cleared.runs
  talk.ledger.push({ kind: 'call', group: talk.group, run })
  talk.group += 1
  talk.outward.run(piece, [run.permit])
  run.sent(piece.bytes.length)
  return (part) => {
    run.sent(part.bytes.length)
    talk.outward.more(part)
    return talk.outward.flush()
  }
}

function readArguments(view: View): Parameter[] {
  const formats = Array.from({ length: view.uint16() }, () => view.uint16())
  return Array.from({ length: view.uint16() }, (_, index) => {
    const length = view.int32()
    if (length === -1) return { value: null }
    const bytes = view.take(length)
    const binary = (formats.length === 1 ? formats[0] : formats[index]) === 1
    return { value: binary ? `\\x${bytes.toString('hex')}` : bytes.toString('utf8') }
  })
}
