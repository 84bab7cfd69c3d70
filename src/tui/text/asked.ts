/** The colours of what was asked, by the language that it is in. */
import type { Command } from '../../contract/command.ts'
import { isCommandLine } from '../../contract/told.ts'
import type { Piece } from './piece.ts'
import { piecesOfRequest } from './request.ts'
import { piecesOf as shellPieces } from './shell.ts'
import { piecesOf as sqlPieces } from './sql.ts'

export function piecesOfAsked(asked: Command): readonly Piece[] {
  switch (asked.protocol) {
    case 'postgres':
      return sqlPieces(asked.text)
    case 'ssh':
      // A file's name or a forward's address has no grammar.
      return isCommandLine(asked) ? shellPieces(asked.text) : []
    case 'http':
    case 'kubernetes':
      return piecesOfRequest(asked.text)
    default:
      return asked.protocol satisfies never
  }
}
