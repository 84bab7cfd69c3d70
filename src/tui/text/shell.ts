/**
 * Cuts a shell's command line into pieces for colouring. Only for the eye: what a line would do is decided by the gateway
 * with a shell's own grammar. Nothing is dropped: the pieces, put together, are the text.
 */
import type { Tone } from '../theme.ts'
import { longestColoured, type Piece } from './piece.ts'

/** Programs that take something away, stop something, or hand out rights. */
const grave = new Set(
  `chattr chgrp chmod chown crontab dd doas eval fdisk halt iptables kill killall mkfs mount mv nft passwd parted pkill
  poweroff reboot rm rmdir shred shutdown source su sudo systemctl tee truncate umount unlink useradd userdel usermod
  visudo wipefs`.split(/\s+/),
)
const reserved = new Set('! case do done elif else esac fi for function if in select then until while { }'.split(' '))
/** What is behind these is a program again. */
const wrappers = new Set('command doas env exec nice nohup setsid sudo time timeout watch xargs'.split(' '))

const space = /[ \t\r]+/y
const comment = /#[^\n]*/y
const separator = /\|\|?&?|&&?|;;?&?|\n/y
const redirection = /\d*(?:<<<|<<-?|<>|<&|>>|>&|>\||&>>?|[<>])/y
const variable = /\$(?:\{[^}\n]*\}?|[A-Za-z_]\w*|[0-9@*#?$!-])/y
const assignment = /[A-Za-z_]\w*\+?=/y
const plain = /[^\s"'`$\\|&;<>()]+/y

/** What is open around a place: the line itself, `$(…)` and `(…)`, backquotes, or a string in double quotes. */
type Open = 'line' | 'brackets' | 'backquotes' | 'string'

export function piecesOf(line: string): readonly Piece[] {
  if (line.length > longestColoured) return []
  const pieces: Piece[] = []
  const open: Open[] = ['line']
  /** The next word names a program. */
  let program = true
  let wordBegins = true
  let file = false
  let at = 0

  const found = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.test(line) ? pattern.lastIndex : at
  }
  const put = (end: number, tone: Tone | undefined): void => {
    pieces.push({ start: at, end, tone })
    at = end
  }
  const enter = (what: Open, end: number, tone: Tone): void => {
    put(end, tone)
    open.push(what)
    program = what !== 'string'
    wordBegins = true
  }
  const leave = (tone: Tone): void => {
    open.pop()
    put(at + 1, tone)
    program = false
    wordBegins = false
  }

  function inString(): void {
    const character = line.charAt(at)
    if (character === '"') leave('literal')
    else if (line.startsWith('$(', at)) enter('brackets', at + 2, 'grave')
    else if (character === '`') enter('backquotes', at + 1, 'grave')
    else if (found(variable) > at) put(found(variable), 'name')
    else {
      let end = at
      do end += line.charAt(end) === '\\' ? 2 : 1
      while (end < line.length && !'"`$'.includes(line.charAt(end)))
      put(Math.min(end, line.length), 'literal')
    }
  }

  function inCommand(): void {
    const character = line.charAt(at)
    if (found(space) > at) {
      put(found(space), undefined)
      wordBegins = true
    } else if (character === '#' && wordBegins) put(found(comment), 'comment')
    else if (character === '`' && open.at(-1) === 'backquotes') leave('grave')
    else if (character === ')' && open.at(-1) === 'brackets') leave('grave')
    else if (line.startsWith('$(', at) || line.startsWith('<(', at) || line.startsWith('>(', at))
      enter('brackets', at + 2, 'grave')
    else if (character === '`') enter('backquotes', at + 1, 'grave')
    else if (character === '(') enter('brackets', at + 1, 'keyword')
    else if (found(redirection) > at && (wordBegins || '<>'.includes(character) || character === '&')) {
      const end = found(redirection)
      put(end, line.slice(at, end).includes('>') ? 'grave' : 'keyword')
      file = true
      wordBegins = true
    } else if (found(separator) > at) {
      put(found(separator), 'keyword')
      program = true
      file = false
      wordBegins = true
    } else word(character)
  }

  function word(character: string): void {
    const begins = wordBegins
    wordBegins = false
    if (character === '"') enter('string', at + 1, 'literal')
    else if (character === "'") {
      const close = line.indexOf("'", at + 1)
      put(close === -1 ? line.length : close + 1, 'literal')
      program = false
    } else if (character === '\\') put(Math.min(at + 2, line.length), undefined)
    else if (found(variable) > at) {
      put(found(variable), 'name')
      program = false
    } else if (begins && program && found(assignment) > at) put(found(assignment), 'name')
    else if (found(plain) > at) plainWord(begins)
    else put(at + 1, undefined)
  }

  function plainWord(begins: boolean): void {
    const end = found(plain)
    const text = line.slice(at, end)
    put(end, toneOfWord(text, begins))
  }

  function toneOfWord(text: string, begins: boolean): Tone | undefined {
    if (file) {
      file = false
      return 'name'
    }
    if (!begins || !program || text.startsWith('-')) return undefined
    if (reserved.has(text)) return 'keyword'
    const name = text.slice(text.lastIndexOf('/') + 1)
    program = wrappers.has(name)
    return grave.has(name) || name.startsWith('mkfs.') ? 'grave' : 'strong'
  }

  while (at < line.length) {
    if (open.at(-1) === 'string') inString()
    else inCommand()
  }
  return pieces
}
