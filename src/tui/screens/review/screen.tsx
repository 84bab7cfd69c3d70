/** Pending approvals above, what the selected one asks below. Draws the state and hands keys on; decides nothing. */
import { visibleLine } from '../../../base/visible.ts'
import { bannerLine, barLine, dividerLine, helpBarLine, helpLines, inputLine, titleLine } from '../../parts/chrome.ts'
import { Rows } from '../../parts/rows.tsx'
import { Screen } from '../../parts/screen.tsx'
import type { Store } from '../../store.ts'
import { windowOf } from '../../text/block.ts'
import { fitted, type Line } from '../../text/span.ts'
import { useStore } from '../../use-store.ts'
import { isPending } from './items.ts'
import { detailKeys, helpParts, listKeys } from './keys.ts'
import { smallest } from './layout.ts'
import { listLines, summaryOf } from './list.ts'
import type { Prompt, ReviewEvent, ReviewState } from './model.ts'
import { endSentence, standing } from './prompt.ts'
import { type View, viewOf } from './state.ts'

export function ReviewScreen({ store }: { readonly store: Store<ReviewState, ReviewEvent> }) {
  const state = useStore(store)
  const { columns, rows } = state.size
  return (
    <Screen
      columns={columns}
      rows={rows}
      onKey={(key) => store.dispatch({ type: 'key', key })}
      onPaste={(text) => store.dispatch({ type: 'paste', text })}
    >
      {columns < smallest.columns || rows < smallest.rows ? (
        <Rows lines={[[{ text: 'window too small' }]]} width={columns} height={rows} />
      ) : (
        <Review state={state} />
      )}
    </Screen>
  )
}

function Review({ state }: { readonly state: ReviewState }) {
  const view = viewOf(state)
  const { layout } = view
  const { columns: width } = state.size
  const stale = state.connection.state !== 'connected'
  const text = state.view === 'help' ? helpLines(helpParts, width).slice(state.helpScroll) : textLines(state, view)
  return (
    <>
      <Rows lines={[title(state, view)]} width={width} height={layout.title} />
      <Rows lines={[bannerLine(state.connection, width)]} width={width} height={layout.banner} />
      <Rows lines={list(state, view)} width={width} height={layout.list} stale={stale} />
      <Rows lines={[divider(state, view)]} width={width} height={layout.divider} stale={stale} />
      <Rows lines={text} width={width} height={layout.text} stale={stale && state.view !== 'help'} />
      <Rows lines={bottom(state, view)} width={width} height={layout.bottom} />
      <Rows lines={[bar(state, view)]} width={width} height={layout.bar} />
    </>
  )
}

function title(state: ReviewState, { shown }: View): Line {
  const waiting = state.items.filter(isPending).length
  const found = state.filter === '' ? '' : `, ${shown.length} shown for “${state.filter}”`
  return titleLine(
    'hoop approve',
    [{ text: state.loaded ? `${waiting} pending${found}` : '' }],
    [{ text: visibleLine(state.me.user), tone: 'quiet' }],
    state.size.columns,
  )
}

function list(state: ReviewState, { shown, layout }: View): readonly Line[] {
  if (!state.loaded) return []
  if (shown.length > 0)
    return listLines(shown, {
      ...{ selected: state.selected, from: state.listFrom, height: layout.list },
      ...{ width: state.size.columns, now: state.now },
    })
  if (state.filter !== '') return [[], [{ text: '  Nothing pending fits the filter.' }]]
  return [
    [],
    [{ text: '  Nothing waits for a decision.' }],
    [{ text: '  New requests appear here by themselves.', tone: 'quiet' }],
  ]
}

function divider(state: ReviewState, { item, detail, layout }: View): Line {
  const { columns: width } = state.size
  if (state.view === 'help') return dividerLine([{ text: 'Keys', tone: 'strong' }], [], width)
  if (item === undefined) return dividerLine([], [], width)
  const left: Line = [
    { text: item.approval.id, tone: 'strong' },
    { text: ' ' },
    isPending(item) ? { text: `${standing(item, state.now)} left` } : { text: endSentence(item), tone: 'warning' },
  ]
  const rows = detail?.block.rows ?? 0
  const last = Math.min(rows, state.scroll + layout.text)
  const right: Line =
    rows <= layout.text
      ? []
      : [
          {
            text: `rows ${state.scroll + 1}–${last} of ${rows}${last < rows ? ' ▼' : ''}`,
            tone: last < rows ? 'warning' : 'quiet',
          },
        ]
  return dividerLine(left, right, width)
}

function textLines(state: ReviewState, { detail, layout }: View): readonly Line[] {
  return detail === undefined ? [] : windowOf(detail.block, state.scroll, layout.text)
}

function bottom(state: ReviewState, view: View): readonly Line[] {
  const { columns: width } = state.size
  const sending: Line = state.sending === null ? [] : [{ text: 'Sending the decision …', tone: 'quiet' }]
  const notice: Line = state.notice === null ? sending : [{ text: state.notice.text, tone: state.notice.tone }]
  if (state.prompt === null) return [notice]
  const input = inputLine(labelOf(state.prompt), visibleLine(state.prompt.input), width)
  if (view.layout.bottom < 2) return [state.notice === null ? input : notice]
  return [state.notice === null ? fitted(questionOf(state.prompt, view, state.seen), width) : notice, input]
}

function questionOf(prompt: Prompt, { item, detail }: View, seen: number): Line {
  if (prompt.kind === 'filter') return [{ text: 'Words to look for in who, target, rule and text', tone: 'quiet' }]
  if (item === undefined) return []
  const asks = `${summaryOf(item)} for ${visibleLine(item.approval.user)}`
  if (prompt.kind === 'deny') return [{ text: `Deny ${asks}?`, tone: 'bad' }]
  const unseen = (detail?.essential ?? 0) - seen
  const warning: Line = unseen > 0 ? [{ text: `${unseen} rows not read yet! `, tone: 'bad' }] : []
  const question =
    prompt.confirm === null ? `Approve ${asks}?` : `Type ${visibleLine(prompt.confirm)} to approve ${asks}.`
  return [...warning, { text: question, tone: 'warning' }]
}

/** Short, so that what is typed is seen in a narrow window too. */
const labels = { filter: 'filter: ', deny: 'reason: ', note: 'note: ', confirm: 'name: ' } as const

function labelOf(prompt: Prompt): string {
  if (prompt.kind !== 'approve') return labels[prompt.kind]
  return prompt.confirm === null ? labels.note : labels.confirm
}

function bar(state: ReviewState, { layout: { text } }: View): Line {
  const { columns: width } = state.size
  if (state.prompt !== null)
    return barLine(
      [
        { keys: ['enter'], action: 'send', help: '', bar: state.prompt.kind === 'filter' ? 'keep' : state.prompt.kind },
        { keys: ['escape'], action: 'back', help: '', bar: 'go back' },
      ],
      width,
    )
  if (state.view === 'help') return helpBarLine(helpLines(helpParts, width).length, text, width)
  return state.view === 'list' ? barLine(listKeys, width) : barLine(detailKeys, width)
}
