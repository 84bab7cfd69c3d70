/**
 * Recognises the other half of `scp -O` in a command line: `scp -t PATH` takes files, `scp -f PATH` gives them. Only where
 * every word is plain, so that what a shell makes of the line is known here; anything else stays a program like others. Pure.
 */

export interface ScpCall {
  readonly direction: 'upload' | 'download'
  /** Relative to the login's home unless it begins with a slash. */
  readonly path: string
  /** Its last part is a pattern that the target's shell fills in. */
  readonly hasPattern: boolean
  /** Files go into the path, never to it. */
  readonly intoDirectory: boolean
}

interface Word {
  readonly text: string
  readonly hasPattern: boolean
  /** Begins with a tilde that a shell takes for the home directory. */
  readonly isHome: boolean
}

export function readScp(line: string): ScpCall | undefined {
  const words = readWords(line)
  if (words === undefined) return undefined
  const [program, ...rest] = words
  if (program === undefined || !isPlain(program) || !['scp', '/usr/bin/scp', '/bin/scp'].includes(program.text))
    return undefined
  let flags = ''
  let at = 0
  for (let word = rest[at]; word?.text.startsWith('-') === true; word = rest[at]) {
    at += 1
    if (word.text === '--') break
    if (!isPlain(word) || !/^-[rpqvdtf]+$/.test(word.text)) return undefined
    flags += word.text.slice(1)
  }
  const path = rest[at]
  if (path === undefined || rest.length > at + 1) return undefined
  const [takes, gives] = [flags.includes('t'), flags.includes('f')]
  if (takes === gives) return undefined
  // A pattern further up would hide where the files are; one in what is written to is nothing a client asks.
  if (path.hasPattern && (takes || /[*?[\]][^/]*\//.test(path.text))) return undefined
  return {
    direction: takes ? 'upload' : 'download',
    path: path.isHome ? path.text.replace(/^~\/*/, './') : path.text || '.',
    hasPattern: path.hasPattern,
    intoDirectory: flags.includes('d') || isDirectoryByName(path),
  }
}

/** `x/`, `.`, `..`, `~` and what ends so. */
function isDirectoryByName({ text, isHome }: Word): boolean {
  return /(?:^|\/)(?:\.{0,2})$/.test(text) || (isHome && text === '~')
}

function isPlain({ hasPattern, isHome }: Word): boolean {
  return !hasPattern && !isHome
}

/** A word, quotes and backslashes taken away; undefined for whatever a shell would work out. */
const piece = /'([^']*)'|"([^"$`\\!]*)"|\\([^\n])|([\p{L}\p{N}_./:=@%+,^~*?[\]-]+)/uy

function readWords(line: string): readonly Word[] | undefined {
  const words: Word[] = []
  let at = 0
  while (at < line.length) {
    if (line[at] === ' ') {
      at += 1
      continue
    }
    let text = ''
    let hasPattern = false
    const isHome = /^~(?:\/| |$)/.test(line.slice(at))
    // `~somebody`, and what bash makes of a tilde behind an equals sign or a colon.
    if (!isHome && line[at] === '~') return undefined
    while (at < line.length && line[at] !== ' ') {
      piece.lastIndex = at
      const found = piece.exec(line)
      if (found === null) return undefined
      const [whole, single, double, escaped, bare] = found
      if (bare !== undefined && /[*?[\]]/.test(bare)) hasPattern = true
      if (bare !== undefined && /[=:]~/.test(bare)) return undefined
      text += single ?? double ?? escaped ?? bare ?? ''
      at += whole.length
    }
    words.push({ text, hasPattern, isHome })
  }
  return words
}
