/**
 * What stood on a terminal's lines, as text without escapes, for readers that are no terminal: a line that was edited or
 * drawn over is read as it stood in the end. A screen that is drawn all over comes as its pieces, one below the other. Pure.
 */
import { visible } from '../../base/visible.ts'
import { createTerminalReader } from './terminal-sequences.ts'

export interface PlainText {
  /** The lines that are complete now, each with its line feed. */
  pass(text: string): string
  /** The line that has not ended. */
  rest(): string
}

/** A line that goes on for ever is let go in pieces. */
const longestLine = 8192

export function createPlainText(): PlainText {
  let lines = ''
  let line: string[] = []
  let column = 0

  function endLine(): void {
    lines += `${visible(line.join('').trimEnd())}\n`
    line = []
    column = 0
  }

  function move(to: number): void {
    column = Math.max(0, Math.min(to, longestLine))
    while (line.length < column) line.push(' ')
  }

  function erase(what: string): void {
    if (what === '1') line.fill(' ', 0, column)
    else line.length = what === '2' ? 0 : Math.min(line.length, column)
    move(column)
  }

  const read = createTerminalReader({
    text(text) {
      for (const character of text) {
        line[column] = character
        column += 1
        if (column >= longestLine) endLine()
      }
    },
    control(character) {
      if (character === '\n' || character === '\v' || character === '\f') endLine()
      else if (character === '\r') column = 0
      else if (character === '\b') move(column - 1)
      else if (character === '\t') move((Math.floor(column / 8) + 1) * 8)
    },
    escape() {},
    sequence({ marker, parameters, intermediates, final }) {
      if (marker === '?' && isOtherScreen(parameters) && line.length > 0) endLine()
      if (marker !== '' || intermediates !== '') return
      const count = Math.max(1, Number.parseInt(parameters, 10) || 1)
      if (final === 'C') move(column + count)
      else if (final === 'D') move(column - count)
      else if (final === 'G') move(count - 1)
      else if (final === 'K') erase(parameters)
      else if (final === 'P') line.splice(column, count)
      else if (final === '@') {
        line.splice(column, 0, ...Array.from({ length: Math.min(count, longestLine) }, () => ' '))
        line.length = Math.min(line.length, longestLine)
      } else if ('ABEFHJdf'.includes(final) && line.length > 0) endLine()
    },
  })

  return {
    pass(text) {
      lines = ''
      read(text)
      return lines
    },
    rest() {
      lines = ''
      if (line.length > 0) endLine()
      return lines
    },
  }
}

/** A full-screen program begins or ends there. */
function isOtherScreen(parameters: string): boolean {
  return parameters.split(';').some((mode) => mode === '47' || mode === '1047' || mode === '1049')
}
