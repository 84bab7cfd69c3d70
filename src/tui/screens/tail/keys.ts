/** What the keys do on the tail screen; the help and the bottom line are made from these. */
import type { KeyTable } from '../../keys.ts'
import type { Movement } from '../../scrolling.ts'

export type TailAction =
  | Movement
  | 'pause'
  | 'follow'
  | 'open'
  | 'back'
  | 'filter'
  | 'verdict'
  | 'clear'
  | 'help'
  | 'leave'

export const listKeys: KeyTable<TailAction> = [
  { keys: [' ', 'p'], action: 'pause', help: 'pause, or follow again', bar: 'pause' },
  { keys: ['enter', 'right', 'l'], action: 'open', help: 'show the whole record', bar: 'open' },
  { keys: ['j', 'down'], action: 'down', help: 'next' },
  { keys: ['k', 'up'], action: 'up', help: 'previous; pauses' },
  { keys: ['pageDown', 'ctrl+d'], action: 'pageDown', help: 'one page down' },
  { keys: ['pageUp', 'ctrl+u'], action: 'pageUp', help: 'one page up; pauses' },
  { keys: ['g', 'home'], action: 'top', help: 'oldest that is kept; pauses' },
  { keys: ['G', 'end', 'f'], action: 'follow', help: 'newest, and follow', bar: 'follow' },
  { keys: ['/'], action: 'filter', help: 'words, user: target: verdict: session:', bar: 'filter' },
  { keys: ['v'], action: 'verdict', help: 'only deny, hold, allow, or all', bar: 'verdict' },
  { keys: ['x'], action: 'clear', help: 'show all again' },
  { keys: ['?'], action: 'help', help: 'this help', bar: 'help' },
  { keys: ['q'], action: 'leave', help: 'leave', bar: 'quit' },
]

export const recordKeys: KeyTable<TailAction> = [
  { keys: ['j', 'down'], action: 'down', help: 'one row down' },
  { keys: ['k', 'up'], action: 'up', help: 'one row up' },
  { keys: ['pageDown', ' ', 'ctrl+d'], action: 'pageDown', help: 'one page down', bar: 'page' },
  { keys: ['pageUp', 'ctrl+u'], action: 'pageUp', help: 'one page up' },
  { keys: ['g', 'home'], action: 'top', help: 'to the beginning', bar: 'top' },
  { keys: ['G', 'end'], action: 'bottom', help: 'to the end', bar: 'end' },
  { keys: ['escape', 'enter', 'left', 'h', 'q'], action: 'back', help: 'back to the list', bar: 'back' },
  { keys: ['?'], action: 'help', help: 'this help', bar: 'help' },
]
