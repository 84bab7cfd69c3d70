/** How the tail screen's state changes. Pure: keys and batches of records come in as events. */
import type { AuditRecord } from '../../../contract/record.ts'
import { edit, insert } from '../../editing.ts'
import { actionOf } from '../../keys.ts'
import { helpKeys, helpLines } from '../../parts/chrome.ts'
import { type Movement, move, reveal } from '../../scrolling.ts'
import type { TailFilter } from '../../source.ts'
import type { Step } from '../../store.ts'
import { clampScroll } from '../../text/block.ts'
import { createMatcher, formatFilter, parseFilter } from './filter.ts'
import { helpParts, listKeys, recordKeys, type TailAction } from './keys.ts'
import { layoutOf } from './layout.ts'
import type { TailEffect, TailEvent, TailState } from './model.ts'
import { recordBlock } from './record.ts'

/** How much is kept to scroll back in: whichever is reached first. */
export const mostRecords = 5000
const mostWeight = 32 * 1024 ** 2

type TailStep = Step<TailState, TailEffect>

export function initialTail(filter: TailFilter, size: TailState['size']): TailState {
  return {
    ...{ size, connection: { state: 'connecting' }, kept: [], shown: [], weight: 0, received: 0, filter },
    ...{ following: true, selected: null, listFrom: 0, fresh: 0, view: 'list', before: 'list' },
    ...{ opened: null, scroll: 0, helpScroll: 0, prompt: null, notice: null },
  }
}

export function reduceTail(state: TailState, event: TailEvent): TailStep {
  const [next, ...effects] = change(state, event)
  return [next === state ? state : settle(next), ...effects]
}

function change(state: TailState, event: TailEvent): TailStep {
  switch (event.type) {
    case 'arrived':
      return [event.records.length === 0 ? state : arrive(state, event.records)]
    case 'connection':
      return [{ ...state, connection: event.connection }]
    case 'resize':
      return [{ ...state, size: { columns: event.columns, rows: event.rows } }]
    case 'paste':
      return [state.prompt === null ? state : { ...state, prompt: insert(state.prompt, event.text) }]
    case 'key':
      return press({ ...state, notice: null }, event.key)
    default:
      return event satisfies never
  }
}

function arrive(state: TailState, records: readonly AuditRecord[]): TailState {
  const all = [...state.kept, ...records]
  let weight = records.reduce((sum, record) => sum + weightOf(record), state.weight)
  let first = Math.max(0, all.length - mostRecords)
  weight -= all.slice(0, first).reduce((sum, record) => sum + weightOf(record), 0)
  for (; weight > mostWeight && first < all.length - 1; first += 1) weight -= weightOf(all[first])
  const kept = all.slice(first)
  const oldest = kept[0]?.seq ?? 0
  const found = records.filter(createMatcher(state.filter))
  const staying = state.shown.findIndex(({ seq }) => seq >= oldest)
  const lost = staying < 0 ? state.shown.length : staying
  return {
    ...state,
    kept,
    weight,
    received: state.received + records.length,
    shown: [...state.shown.slice(lost), ...found.filter(({ seq }) => seq >= oldest)],
    // The rows on the screen stay where they are while older ones go.
    listFrom: Math.max(0, state.listFrom - lost),
    fresh: state.following ? 0 : state.fresh + found.length,
  }
}

function weightOf(record: AuditRecord | undefined): number {
  if (record === undefined) return 0
  if (record.type === 'outcome') {
    const rows = record.outcome.result?.rows ?? []
    return 500 + rows.reduce((sum, row) => sum + row.reduce((all, value) => all + (value?.length ?? 0), 0), 0)
  }
  if (record.type !== 'command') return 500
  return (
    500 + record.asked.text.length + record.asked.parameters.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  )
}

function press(state: TailState, key: string): TailStep {
  if (state.prompt !== null) return [answer(state, state.prompt, key)]
  if (state.view === 'help') return [readHelp(state, key)]
  const action = actionOf(state.view === 'list' ? listKeys : recordKeys, key)
  return action === undefined ? [state] : act(state, action)
}

function answer(state: TailState, prompt: string, key: string): TailState {
  if (key === 'escape') return { ...state, prompt: null }
  if (key !== 'enter') return { ...state, prompt: edit(prompt, key) ?? prompt }
  const parsed = parseFilter(prompt)
  return 'mistake' in parsed
    ? { ...state, notice: parsed.mistake }
    : filterBy({ ...state, prompt: null }, parsed.filter)
}

function filterBy(state: TailState, filter: TailFilter): TailState {
  return { ...state, filter, shown: state.kept.filter(createMatcher(filter)), fresh: 0 }
}

function readHelp(state: TailState, key: string): TailState {
  const movement = actionOf(helpKeys, key)
  if (movement === undefined) return { ...state, view: state.before, helpScroll: 0 }
  const height = layoutOf(state).list
  const places = Math.max(1, helpLines(helpParts, state.size.columns).length - height + 1)
  return { ...state, helpScroll: move(state.helpScroll, movement, places, height) }
}

function act(state: TailState, action: TailAction): TailStep {
  switch (action) {
    case 'leave':
      return [state, { effect: 'leave' }]
    case 'help':
      return [{ ...state, view: 'help', before: state.view === 'record' ? 'record' : 'list' }]
    case 'pause':
      return [state.following ? { ...state, following: false, fresh: 0 } : follow(state)]
    case 'follow':
      return [follow(state)]
    case 'open':
      return [open(state)]
    case 'back':
      return [{ ...state, view: 'list', opened: null }]
    case 'filter':
      return [{ ...state, prompt: formatFilter(state.filter) }]
    case 'verdict':
      return [filterBy(state, { ...state.filter, verdict: nextVerdict(state.filter.verdict) })]
    case 'clear':
      return [filterBy(state, {})]
    default:
      return [state.view === 'list' ? select(state, action) : scrollRecord(state, action)]
  }
}

function follow(state: TailState): TailState {
  return { ...state, following: true, fresh: 0 }
}

/** deny, hold, allow, all. */
function nextVerdict(verdict: TailFilter['verdict']): TailFilter['verdict'] {
  const order: readonly TailFilter['verdict'][] = [undefined, 'deny', 'hold', 'allow']
  return order[(order.indexOf(verdict) + 1) % order.length]
}

function select(state: TailState, movement: Movement): TailState {
  const next = state.shown[move(indexOfSelected(state), movement, state.shown.length, layoutOf(state).list)]
  if (next === undefined || next.seq === state.selected) return state
  return { ...state, selected: next.seq, following: false, fresh: state.following ? 0 : state.fresh }
}

function open(state: TailState): TailState {
  const opened = state.shown[indexOfSelected(state)]
  return opened === undefined ? state : { ...state, view: 'record', opened, scroll: 0 }
}

function scrollRecord(state: TailState, movement: Movement): TailState {
  if (state.opened === null) return state
  const height = layoutOf(state).list
  const places = Math.max(1, recordBlock(state.opened, state.size.columns).rows - height + 1)
  return { ...state, scroll: move(state.scroll, movement, places, height) }
}

/** Records come in the order of their numbers, so the place can be found by halving. */
function indexOfSelected({ shown, selected }: Pick<TailState, 'shown' | 'selected'>): number {
  let low = 0
  let high = shown.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((shown[middle]?.seq ?? 0) < (selected ?? 0)) low = middle + 1
    else high = middle
  }
  return low
}

function settle(state: TailState): TailState {
  const { list } = layoutOf(state)
  const last = state.shown.length - 1
  const at = state.following ? last : indexOfSelected(state)
  const rows = state.opened === null ? 0 : recordBlock(state.opened, state.size.columns).rows
  return {
    ...state,
    selected: state.shown[at]?.seq ?? null,
    listFrom: reveal(state.listFrom, Math.max(0, at), state.shown.length, Math.max(1, list)),
    scroll: clampScroll(state.scroll, rows, list),
  }
}
