/** Keys as data: what is pressed has a name, a table says what it does, and the help is made from the same table. */
import type { Key } from 'ink'
import { graphemesOf } from './text/width.ts'

export interface Binding<Action extends string> {
  readonly keys: readonly string[]
  readonly action: Action
  /** For the help screen. */
  readonly help: string
  /** A word for the bottom line; absent: only in the help. */
  readonly bar?: string
}

export type KeyTable<Action extends string> = readonly Binding<Action>[]

export function actionOf<Action extends string>(table: KeyTable<Action>, key: string): Action | undefined {
  return table.find((binding) => binding.keys.includes(key))?.action
}

const pictures: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  pageUp: 'PgUp',
  pageDown: 'PgDn',
  home: 'Home',
  end: 'End',
  enter: 'Enter',
  escape: 'Esc',
  ' ': 'Space',
  left: '←',
  right: '→',
}

export function keyLabel(key: string): string {
  return pictures[key] ?? key.replace(/^ctrl\+/, 'Ctrl-')
}

const named = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const satisfies readonly (readonly [keyof Key, string])[]

/**
 * The names of what was pressed: `j`, `G`, `enter`, `ctrl+u`. Several when a terminal hands over what was typed fast in one
 * piece; none for keys that mean nothing here.
 */
export function keysOf(input: string, key: Key): readonly string[] {
  for (const [flag, name] of named) if (key[flag] === true) return [name]
  if (input === '' || key.meta) return []
  if (key.ctrl) return [`ctrl+${input}`]
  return Array.from(graphemesOf(input), keyOfCharacter).filter((name) => name !== '')
}

function keyOfCharacter(character: string): string {
  if (character >= ' ') return character
  if (/^[\r\n]+$/.test(character)) return 'enter'
  if (character === '\t') return 'tab'
  const code = character.charCodeAt(0)
  return code >= 1 && code <= 26 ? `ctrl+${String.fromCharCode(code + 96)}` : ''
}
