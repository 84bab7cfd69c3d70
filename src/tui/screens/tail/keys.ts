/** What the keys do on the tail screen; the help and the bottom line are made from these. */
import type { KeyTable } from '../../keys.ts'
import type { HelpPart } from '../../parts/chrome.ts'
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
  { keys: ['enter'], action: 'open', help: 'show the whole record', bar: 'open' },
  { keys: ['j', 'down'], action: 'down', help: 'next' },
  { keys: ['k', 'up'], action: 'up', help: 'previous; pauses' },
  { keys: ['pageDown'], action: 'pageDown', help: 'one page down' },
  { keys: ['pageUp'], action: 'pageUp', help: 'one page up; pauses' },
  { keys: ['g', 'home'], action: 'top', help: 'oldest kept; pauses' },
  { keys: ['G', 'f', 'end'], action: 'follow', help: 'newest, and follow', bar: 'follow' },
  { keys: ['/'], action: 'filter', help: 'words user:x verdict:deny', bar: 'filter' },
  { keys: ['v'], action: 'verdict', help: 'deny, hold, allow, all', bar: 'verdict' },
  { keys: ['x'], action: 'clear', help: 'show all again' },
  { keys: ['?'], action: 'help', help: 'this help', bar: 'help' },
  { keys: ['q'], action: 'leave', help: 'leave', bar: 'quit' },
]

export const recordKeys: KeyTable<TailAction> = [
  { keys: ['j', 'down'], action: 'down', help: 'one row down' },
  { keys: ['k', 'up'], action: 'up', help: 'one row up' },
  { keys: ['pageDown', ' '], action: 'pageDown', help: 'one page down', bar: 'page' },
  { keys: ['pageUp'], action: 'pageUp', help: 'one page up' },
  { keys: ['g', 'home'], action: 'top', help: 'to the beginning', bar: 'top' },
  { keys: ['G', 'end'], action: 'bottom', help: 'to the end', bar: 'end' },
  { keys: ['escape', 'q'], action: 'back', help: 'back to the list', bar: 'back' },
  { keys: ['?'], action: 'help', help: 'this help', bar: 'help' },
]

export const helpParts: readonly HelpPart<TailAction>[] = [
  { title: 'In the list', table: listKeys },
  { title: 'In one record', table: recordKeys },
]
