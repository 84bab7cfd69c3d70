/** The review screen's state and how it changes. Pure: time, keys and news come in as events. */
import type { Approval, ApprovalEvent, Decide, Me } from '../../../contract/api.ts'
import { actionOf } from '../../keys.ts'
import { helpKeys, helpLines } from '../../parts/chrome.ts'
import { type Movement, move, reveal } from '../../scrolling.ts'
import type { Step } from '../../store.ts'
import { clampScroll } from '../../text/block.ts'
import { type Detail, detailOf } from './detail.ts'
import { apply, type Item, isPending, matches, tidy } from './items.ts'
import { detailKeys, helpParts, listKeys, type ReviewAction } from './keys.ts'
import { layoutOf, type ReviewLayout } from './layout.ts'
import type { Prompt, ReviewEffect, ReviewEvent, ReviewState } from './model.ts'
import { endSentence, promptFor, promptKey, promptPaste } from './prompt.ts'

type ReviewStep = Step<ReviewState, ReviewEffect>

export function initialReview(me: Me, now: number, size: ReviewState['size']): ReviewState {
  return {
    ...{ me, now, size, connection: { state: 'connecting' }, loaded: false, items: [], selected: null },
    ...{ listFrom: 0, scroll: 0, helpScroll: 0, seen: 0, view: 'list', before: 'list', filter: '' },
    ...{ prompt: null, sending: null, notice: null },
  }
}

export function reduceReview(state: ReviewState, event: ReviewEvent): ReviewStep {
  const [next, ...effects] = change(state, event)
  return [next === state ? state : settle(state, next), ...effects]
}

export function shownItems(state: Pick<ReviewState, 'items' | 'filter'>): readonly Item[] {
  return state.items.filter((item) => matches(item, state.filter))
}

export function selectedItem(state: ReviewState): Item | undefined {
  return state.items.find(({ approval }) => approval.id === state.selected)
}

export interface View {
  readonly shown: readonly Item[]
  readonly item: Item | undefined
  readonly layout: ReviewLayout
  readonly detail: Detail | undefined
}

/** What follows from the state, for drawing and for moving in it. */
export function viewOf(state: ReviewState): View {
  const shown = shownItems(state)
  const item = selectedItem(state)
  const layout = layoutOf(state, shown.length)
  const detail = item === undefined ? undefined : detailOf(item.approval, state.size.columns)
  return { shown, item, layout, detail }
}

function change(state: ReviewState, event: ReviewEvent): ReviewStep {
  switch (event.type) {
    case 'arrived':
      return [arrive(state, event.event)]
    case 'connection':
      return [{ ...state, connection: event.connection }]
    case 'tick':
      return [{ ...state, now: event.now }]
    case 'resize':
      return [{ ...state, size: { columns: event.columns, rows: event.rows } }]
    case 'paste':
      return [state.prompt === null ? state : { ...state, ...promptPaste(state.prompt, event.text) }]
    case 'key':
      return press({ ...state, notice: null }, event.key)
    case 'decided':
      return [decided(state, event.decision, event.approval)]
    case 'failed':
      return [{ ...state, sending: null, notice: { tone: 'bad', text: event.message } }]
    default:
      return event satisfies never
  }
}

function arrive(state: ReviewState, event: ApprovalEvent): ReviewState {
  if (event.event === 'beat') return state
  const items = apply(state.items, event, state.selected)
  const next = { ...state, items, loaded: true }
  return state.prompt === null ? next : { ...next, ...stillAsked(state.prompt, items) }
}

/** A decision is about what was shown when it was asked for. If that changed or ended, the question is withdrawn. */
function stillAsked(prompt: Prompt, items: readonly Item[]): Partial<ReviewState> {
  if (prompt.kind === 'filter') return {}
  const item = items.find(({ approval }) => approval.id === prompt.id)
  if (item === undefined || !isPending(item)) {
    const how = item === undefined ? 'it ended' : endSentence(item)
    return { prompt: null, notice: { tone: 'warning', text: `Nothing was sent: ${how} meanwhile.` } }
  }
  if (item.approval.digest !== prompt.digest) {
    const text = 'Nothing was sent: what is asked changed meanwhile. Read it again.'
    return { prompt: null, scroll: 0, helpScroll: 0, seen: 0, notice: { tone: 'warning', text } }
  }
  return {}
}

function decided(state: ReviewState, decision: Decide['decision'], approval: Approval): ReviewState {
  const items = apply(state.items, { event: 'changed', approval }, state.selected)
  const what = `${approval.id} ${approval.state === 'pending' ? 'waits for more reviewers' : `is ${approval.state}`}`
  const text = `${decision === 'approve' ? 'You approved' : 'You denied'}: ${what}.`
  return { ...state, items, sending: null, notice: { tone: decision === 'approve' ? 'good' : 'warning', text } }
}

function press(state: ReviewState, key: string): ReviewStep {
  if (state.prompt !== null) {
    const { wish, ...rest } = promptKey(state, state.prompt, key)
    const next = { ...state, ...rest }
    return wish === undefined
      ? [next]
      : [
          { ...next, sending: wish.id },
          { effect: 'decide', id: wish.id, wish: wish.decide },
        ]
  }
  if (state.view === 'help') return [readHelp(state, key)]
  const action = actionOf(state.view === 'list' ? listKeys : detailKeys, key)
  return action === undefined ? [state] : act(state, action)
}

function readHelp(state: ReviewState, key: string): ReviewState {
  const movement = actionOf(helpKeys, key)
  if (movement === undefined) return { ...state, view: state.before, helpScroll: 0 }
  const height = layoutOf(state, 0).text
  const places = Math.max(1, helpLines(helpParts, state.size.columns).length - height + 1)
  return { ...state, helpScroll: move(state.helpScroll, movement, places, height) }
}

function act(state: ReviewState, action: ReviewAction): ReviewStep {
  switch (action) {
    case 'leave':
      return [state, { effect: 'leave' }]
    case 'help':
      return [{ ...state, view: 'help', before: state.view === 'detail' ? 'detail' : 'list' }]
    case 'open':
      return [state.selected === null ? state : { ...state, view: 'detail' }]
    case 'back':
      return [{ ...state, view: 'list' }]
    case 'filter':
      return [{ ...state, prompt: { kind: 'filter', input: state.filter, before: state.filter } }]
    case 'approve':
    case 'deny':
      return [{ ...state, ...promptFor(state, selectedItem(state), action) }]
    case 'textUp':
      return [scrollText(state, 'pageUp')]
    case 'textDown':
      return [scrollText(state, 'pageDown')]
    default:
      return [state.view === 'list' ? select(state, action) : scrollText(state, action)]
  }
}

function select(state: ReviewState, movement: Movement): ReviewState {
  const { shown, layout } = viewOf(state)
  const at = shown.findIndex(({ approval }) => approval.id === state.selected)
  const next = shown[move(at, movement, shown.length, layout.list - 1)]
  return next === undefined ? state : { ...state, selected: next.approval.id }
}

function scrollText(state: ReviewState, movement: Movement): ReviewState {
  const { detail, layout } = viewOf(state)
  if (detail === undefined) return state
  const places = Math.max(1, detail.block.rows - layout.text + 1)
  return { ...state, scroll: move(state.scroll, movement, places, layout.text) }
}

/** Puts right what follows from a change: something is selected, in sight, and scrolled no further than it goes. */
function settle(before: ReviewState, state: ReviewState): ReviewState {
  const kept = tidy(state.items, state.selected)
  const shown = shownItems({ items: kept, filter: state.filter })
  const at = shown.findIndex(({ approval }) => approval.id === state.selected)
  const selected = at >= 0 ? state.selected : (shown[0]?.approval.id ?? null)
  const another = selected !== before.selected
  const next: ReviewState = {
    ...state,
    items: tidy(kept, selected),
    selected,
    view: selected === null && state.view === 'detail' ? 'list' : state.view,
    scroll: another ? 0 : state.scroll,
  }
  const { layout, detail } = viewOf(next)
  const scroll = clampScroll(next.scroll, detail?.block.rows ?? 0, layout.text)
  const resized = before.size.columns !== next.size.columns
  const seenBefore = another || resized || next.seen < before.seen ? 0 : next.seen
  const visible = next.view === 'help' ? 0 : layout.text
  return {
    ...next,
    scroll,
    // Only what was on the screen without a gap counts: jumping to the end is not reading.
    seen: scroll <= seenBefore ? Math.max(seenBefore, visible === 0 ? 0 : scroll + visible) : seenBefore,
    listFrom: reveal(next.listFrom, Math.max(0, at), shown.length, Math.max(1, layout.list - 1)),
  }
}
