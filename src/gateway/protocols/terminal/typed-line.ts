/**
 * What stands at a shell's prompt when Enter is pressed: read from a terminal that is fed what the person sees, because a
 * line is edited, completed and recalled from history before it is sent.
 *
 * Two things are held against each other: the keys since the last Enter, where they alone tell the line, and the line that
 * the cursor is in. Where the keys tell it and it stands before the cursor, that is certain. Where they do not, it is what
 * stands behind the prompt; and the prompt is what stood before the cursor when the first key came. What is neither is
 * unreadable, and must not be sent.
 */
import { type CursorLine, createScreen, type Mark } from './screen.ts'
import { createTypedKeys } from './typed-keys.ts'

export type TypedLine =
  /** The line that an Enter would send now. `certain`: the keys say so, and the screen. */
  | { readonly kind: 'line'; readonly text: string; readonly certain: boolean }
  /** What was typed is not shown: a password, or a terminal whose echo was turned off. It is not kept. */
  | { readonly kind: 'hidden' }
  /** A full-screen program has the screen: Enter sends no line. */
  | { readonly kind: 'screen' }
  | { readonly kind: 'unreadable'; readonly why: string }

export interface TypedLineReader {
  /** What the client's terminal was shown, before anything is masked in it. */
  shown(bytes: Uint8Array): void
  /**
   * What was typed and goes to the shell; an Enter once it is cleared. `atRest`: nothing has been shown for a moment, so that
   * what stands before the cursor is not the half of a prompt.
   */
  typed(bytes: Uint8Array, atRest?: boolean): void
  resize(columns: number, rows: number): void
  /** Waits until what was shown is taken in; what the shell has not shown yet, the caller has to wait for. */
  line(): Promise<TypedLine>
  /** The shell says that it wants pastes in brackets. */
  readonly bracketsPastes: boolean
  /** Bytes that were shown and not taken in yet. */
  readonly behind: number
  close(): void
}

interface Prompt {
  readonly text: string
  /** Behind the cursor: a prompt at the right edge. */
  readonly right: string
  readonly place: string
  readonly mark: Mark
  /** It stood there when the first key came, and was not still being printed. */
  readonly isWhole: boolean
}

export function createTypedLineReader({ columns, rows }: { columns: number; rows: number }): TypedLineReader {
  const screen = createScreen(columns, rows)
  /** As it stood when the first key came. */
  let prompt: Prompt | undefined
  /** So much of what the keys tell has been seen before the cursor. */
  let seen = 0
  let unwanted: string | undefined
  /** A program has taken keys since the last Enter: then the shell's line may hold what the keys do not tell. */
  let hasLostKeys = false
  /** Where lines were shown as they were typed: what is not shown there is no password. */
  const openPrompts = createRecentPrompts()
  const keys = createTypedKeys({
    fresh(abandoned) {
      // Whoever minds no signals keeps the line: then the next Enter would send it.
      if (abandoned) forget(keys.text ?? behindPrompt() ?? '')
      setPrompt(undefined)
      hasLostKeys = false
    },
    shortened(length) {
      seen = Math.min(seen, length)
    },
  })

  function forget(text: string): void {
    unwanted = text.trimEnd() === '' ? undefined : text.trimEnd()
  }

  function keepsUnwanted(line: CursorLine): boolean {
    if (unwanted !== undefined && !line.text.trimEnd().endsWith(unwanted)) unwanted = undefined
    return unwanted !== undefined
  }

  function behindPrompt(): string | undefined {
    const line = screen.cursorLine()
    return line !== undefined && prompt !== undefined && line.text.startsWith(prompt.text)
      ? line.text.slice(prompt.text.length)
      : line?.text
  }

  function setPrompt(line: CursorLine | undefined, isWhole = true): void {
    prompt?.mark.release()
    seen = 0
    prompt = line && {
      text: before(line),
      right: line.text.slice(line.cursor).trim(),
      place: line.place,
      mark: screen.mark(),
      isWhole,
    }
  }

  /** Before a key goes on its way. */
  function look(atRest: boolean): void {
    if (screen.isAlternate) {
      keys.reset()
      setPrompt(undefined)
      return
    }
    const line = screen.cursorLine()
    if (line === undefined) return
    keepsUnwanted(line)
    if (keys.isFresh) setPrompt(line, atRest)
    else if (wasConsumed(line)) {
      keys.reset()
      hasLostKeys = true
      setPrompt(line, atRest)
    }
    notice(line)
  }

  function notice(line: CursorLine): void {
    const { text } = keys
    if (text === undefined || text.length === seen || prompt === undefined) return
    if (seen === 0 && before(line) === prompt.text + text) openPrompts.add(prompt.text)
    // Where something else was printed behind it, it stands where it was typed.
    if (isShown(line) || prompt.mark.text()?.startsWith(prompt.text + text) === true) seen = text.length
  }

  /** Nothing of what was typed was ever shown, and something else was: a program has taken the keys (a pager's `q`). */
  function wasConsumed(line: CursorLine): boolean {
    notice(line)
    return keys.text !== undefined && seen === 0 && !isUnchanged(line) && !before(line).endsWith(keys.text)
  }

  function isUnchanged(line: CursorLine): boolean {
    return prompt !== undefined && line.place === prompt.place && before(line) === prompt.text
  }

  /** What the keys tell stands before the cursor: behind the prompt, or behind what has been seen of it already. */
  function isShown(line: CursorLine): boolean {
    const { text } = keys
    if (text === undefined || prompt === undefined) return false
    const whole = prompt.text + text
    const shown = line.unfilled === undefined ? [before(line)] : [before(line), before(line.unfilled)]
    if (seen > 0) return shown.some((one) => one.endsWith(text.slice(seen)))
    // Typed before its prompt stood there, it is still all that the shell was given.
    return shown.some(
      (one) => one === whole || (!hasLostKeys && text !== '' && one.endsWith(text) && one !== prompt?.text),
    )
  }

  function read(): TypedLine {
    if (screen.isAlternate) return { kind: 'screen' }
    const line = screen.cursorLine()
    if (line === undefined) return unreadable('it is longer than the screen')
    if (keepsUnwanted(line)) return unreadable('the line before it is still there')
    return readKeys(line) ?? readScreen(line)
  }

  function readKeys(line: CursorLine): TypedLine | undefined {
    const { text } = keys
    if (text === undefined) return undefined
    if (text.trim() === '') return { kind: 'line', text: '', certain: true }
    notice(line)
    if (isShown(line)) return { kind: 'line', text, certain: true }
    if (isUnchanged(line) && prompt !== undefined)
      return openPrompts.has(prompt.text) ? unreadable('what was typed is not shown') : { kind: 'hidden' }
    const shown = prompt === undefined ? '' : before(line).slice(prompt.text.length)
    return shown.length === text.length && /^(?:\*+|•+)$/.test(shown) ? { kind: 'hidden' } : undefined
  }

  function readScreen(line: CursorLine): TypedLine {
    const found = searched(line.text)
    if (found !== undefined) return found
    if (prompt === undefined) return unreadable('there is no telling where it begins')
    if (!line.text.startsWith(prompt.text)) return unreadable('the prompt is not where it was')
    if (prompt.text.trim() === '') return unreadable('there is no prompt')
    if (!prompt.isWhole && !openPrompts.has(prompt.text))
      return unreadable('it was typed before the prompt stood there')
    if (line.below !== '' && !isSearch(line.below)) return unreadable('there is more below it')
    if (line.unfilled !== undefined) return unreadable('there is no telling which spaces in it are its own')
    if (line.faintBehind) return unreadable('a suggestion stands behind the cursor')
    const text = withoutRight(line.text.slice(prompt.text.length), prompt.right)
    if (text.trim() === '' && keys.hasSigns && seen === 0) return unreadable('what was typed is not shown')
    return { kind: 'line', text, certain: false }
  }

  return {
    shown(bytes) {
      screen.write(bytes)
      if (keys.isFresh || keys.text === undefined || keys.text.length === seen) return
      screen.whenDrawn(() => {
        const line = screen.isAlternate ? undefined : screen.cursorLine()
        if (line !== undefined) notice(line)
      })
    },
    typed(bytes, atRest = true) {
      // In order with what is shown: what stands there before this key does anything.
      screen.whenDrawn(() => {
        look(atRest)
        keys.push(bytes)
      })
    },
    resize: (nextColumns, nextRows) => screen.whenDrawn(() => screen.resize(nextColumns, nextRows)),
    line: () => new Promise((resolve) => screen.whenDrawn(() => resolve(read()))),
    get bracketsPastes() {
      return screen.bracketsPastes
    },
    get behind() {
      return screen.behind
    },
    close: screen.close,
  }
}

const mostPrompts = 100

function createRecentPrompts(): { add(prompt: string): void; has(prompt: string): boolean } {
  const prompts = new Set<string>()
  return {
    add(prompt) {
      prompts.delete(prompt)
      prompts.add(prompt)
      const [oldest] = prompts
      if (prompts.size > mostPrompts && oldest !== undefined) prompts.delete(oldest)
    },
    has: (prompt) => prompts.has(prompt),
  }
}

function unreadable(why: string): TypedLine {
  return { kind: 'unreadable', why }
}

function before({ text, cursor }: Pick<CursorLine, 'text' | 'cursor'>): string {
  return text.slice(0, cursor)
}

function withoutRight(text: string, right: string): string {
  return right !== '' && text.endsWith(` ${right}`) ? text.slice(0, -right.length).trimEnd() : text
}

/** Bash shows what it searches in place of the prompt. */
function searched(text: string): TypedLine | undefined {
  const found = /^\((?:failed )?(?:reverse-)?i-search\)`(.*)$/s.exec(text)?.[1]
  if (found === undefined) return undefined
  const [, line, ...more] = found.split("': ")
  if (line === undefined || more.length > 0)
    return unreadable('the search in the history cannot be told from what it found')
  return { kind: 'line', text: line, certain: false }
}

/** Zsh shows it below. */
function isSearch(below: string): boolean {
  return /^(?:failing )?(?:bck|fwd)-i-search: .*$/.test(below)
}
