/** What the keys do on the review screen; the help and the bottom line are made from these. */
import type { KeyTable } from '../../keys.ts'
import type { HelpPart } from '../../parts/chrome.ts'
import type { Movement } from '../../scrolling.ts'

export type ReviewAction =
  | Movement
  | 'textUp'
  | 'textDown'
  | 'open'
  | 'back'
  | 'approve'
  | 'deny'
  | 'filter'
  | 'help'
  | 'leave'

const deciding: KeyTable<ReviewAction> = [
  { keys: ['a'], action: 'approve', help: 'approve', bar: 'approve' },
  { keys: ['d'], action: 'deny', help: 'deny, with a reason', bar: 'deny' },
]

/** The list, with the beginning of the selected one below it. */
export const listKeys: KeyTable<ReviewAction> = [
  ...deciding,
  { keys: ['enter'], action: 'open', help: 'on the whole screen', bar: 'open' },
  { keys: ['j', 'down'], action: 'down', help: 'next' },
  { keys: ['k', 'up'], action: 'up', help: 'previous' },
  { keys: ['pageDown', ' '], action: 'textDown', help: 'scroll its text down', bar: 'scroll' },
  { keys: ['pageUp'], action: 'textUp', help: 'scroll its text up' },
  { keys: ['g', 'home'], action: 'top', help: 'newest' },
  { keys: ['G', 'end'], action: 'bottom', help: 'oldest' },
  { keys: ['/'], action: 'filter', help: 'only what has these words', bar: 'filter' },
  { keys: ['?'], action: 'help', help: 'this help', bar: 'help' },
  { keys: ['q'], action: 'leave', help: 'leave', bar: 'quit' },
]

/** One command on the whole screen. */
export const detailKeys: KeyTable<ReviewAction> = [
  ...deciding,
  { keys: ['j', 'down'], action: 'down', help: 'one row down' },
  { keys: ['k', 'up'], action: 'up', help: 'one row up' },
  { keys: ['pageDown', ' '], action: 'pageDown', help: 'one page down', bar: 'page' },
  { keys: ['pageUp'], action: 'pageUp', help: 'one page up' },
  { keys: ['g', 'home'], action: 'top', help: 'to the beginning' },
  { keys: ['G', 'end'], action: 'bottom', help: 'to the end' },
  { keys: ['escape', 'q'], action: 'back', help: 'back to the list', bar: 'back' },
  { keys: ['?'], action: 'help', help: 'this help', bar: 'help' },
]

export const helpParts: readonly HelpPart<ReviewAction>[] = [
  { title: 'In the list', table: listKeys },
  { title: 'In one command', table: detailKeys },
]
