/** The audit as it is written, newest last. Draws the state and hands keys on; decides nothing. */
import { visibleLine } from '../../../base/visible.ts'
import { bannerLine, barLine, helpBarLine, helpLines, inputLine, titleLine } from '../../parts/chrome.ts'
import { Rows } from '../../parts/rows.tsx'
import { Screen } from '../../parts/screen.tsx'
import type { Store } from '../../store.ts'
import { windowOf } from '../../text/block.ts'
import type { Line } from '../../text/span.ts'
import { useStore } from '../../use-store.ts'
import { formatFilter } from './filter.ts'
import { helpParts, listKeys, recordKeys } from './keys.ts'
import { layoutOf, type TailLayout } from './layout.ts'
import { headingLine, recordLine } from './list.ts'
import type { TailEvent, TailState } from './model.ts'
import { recordBlock } from './record.ts'

export function TailScreen({ store }: { readonly store: Store<TailState, TailEvent> }) {
  const state = useStore(store)
  const { columns, rows } = state.size
  return (
    <Screen
      columns={columns}
      rows={rows}
      onKey={(key) => store.dispatch({ type: 'key', key })}
      onPaste={(text) => store.dispatch({ type: 'paste', text })}
    >
      {columns < 20 || rows < 5 ? (
        <Rows lines={[[{ text: 'window too small' }]]} width={columns} height={rows} />
      ) : (
        <Tail state={state} />
      )}
    </Screen>
  )
}

function Tail({ state }: { readonly state: TailState }) {
  const layout = layoutOf(state)
  const { columns: width } = state.size
  const stale = state.connection.state !== 'connected' && state.view !== 'help'
  return (
    <>
      <Rows lines={[title(state)]} width={width} height={layout.title} />
      <Rows lines={[bannerLine(state.connection, width)]} width={width} height={layout.banner} />
      <Rows lines={[heading(state, layout)]} width={width} height={layout.heading} />
      <Rows lines={body(state, layout)} width={width} height={layout.list} stale={stale} />
      <Rows lines={bottom(state)} width={width} height={layout.bottom} />
      <Rows lines={[bar(state, layout)]} width={width} height={layout.bar} />
    </>
  )
}

function title(state: TailState): Line {
  const filter = formatFilter(state.filter)
  const count =
    filter === ''
      ? `${state.received} records`
      : `${state.shown.length} of ${state.kept.length} for “${visibleLine(filter)}”`
  return titleLine('hoop logs', [{ text: count }], [following(state)], state.size.columns)
}

function following(state: TailState): Line[number] {
  if (state.following) return { text: 'following', tone: 'good' }
  return { text: state.fresh === 0 ? 'paused' : `paused, ${state.fresh} new`, tone: 'warning' }
}

function heading(state: TailState, { list }: TailLayout): Line {
  if (state.view === 'help') return [{ text: 'Keys', tone: 'strong' }]
  if (state.view === 'list' || state.opened === null) return headingLine(state.size.columns)
  const { rows } = recordBlock(state.opened, state.size.columns)
  const last = Math.min(rows, state.scroll + list)
  const place = `rows ${state.scroll + 1}–${last} of ${rows}${last < rows ? ' ▼' : ''}`
  return [
    { text: `Record ${state.opened.seq}`, tone: 'strong' },
    { text: `  ${place}`, tone: last < rows ? 'warning' : 'quiet' },
  ]
}

function body(state: TailState, { list }: TailLayout): readonly Line[] {
  const { columns: width } = state.size
  if (state.view === 'help') return helpLines(helpParts, width).slice(state.helpScroll)
  if (state.view === 'record' && state.opened !== null)
    return windowOf(recordBlock(state.opened, width), state.scroll, list)
  if (state.shown.length === 0)
    return [
      [],
      [{ text: state.received === 0 ? '  Nothing has been recorded yet.' : '  Nothing that is kept fits the filter.' }],
    ]
  return state.shown
    .slice(state.listFrom, state.listFrom + list)
    .map((record) => recordLine(record, record.seq === state.selected, width))
}

function bottom(state: TailState): readonly Line[] {
  const notice: readonly Line[] = state.notice === null ? [] : [[{ text: state.notice, tone: 'warning' }]]
  const prompt = state.prompt === null ? [] : [inputLine('filter: ', visibleLine(state.prompt), state.size.columns)]
  return [...prompt, ...notice]
}

function bar(state: TailState, { list }: TailLayout): Line {
  const { columns: width } = state.size
  if (state.prompt !== null)
    return barLine(
      [
        { keys: ['enter'], action: 'apply', help: '', bar: 'apply' },
        { keys: ['escape'], action: 'back', help: '', bar: 'go back' },
      ],
      width,
    )
  if (state.view === 'help') return helpBarLine(helpLines(helpParts, width).length, list, width)
  return barLine(state.view === 'list' ? listKeys : recordKeys, width)
}
