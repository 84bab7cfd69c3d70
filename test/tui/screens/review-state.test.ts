import { describe, expect, it } from 'vitest'
import type { Approval, ApprovalEvent } from '../../../src/contract/api.ts'
import { summaryOf } from '../../../src/tui/screens/review/list.ts'
import type { ReviewEffect, ReviewState } from '../../../src/tui/screens/review/model.ts'
import { initialReview, reduceReview, shownItems, viewOf } from '../../../src/tui/screens/review/state.ts'
import { dba, noon, sampleApproval, sampleCommand } from '../../support/samples.ts'

const at = (seconds: number): string => new Date(noon + seconds * 1000).toISOString()
const oldest = sampleApproval('apr_old', { created: at(-300) })
const middle = sampleApproval('apr_middle', { created: at(-200), confirm: 'public.orders' })
const newest = sampleApproval('apr_new', { created: at(-100) })

/** Plays events on a screen that is connected and shows three approvals. */
function play(state: ReviewState, ...steps: (string | ApprovalEvent)[]) {
  const effects: ReviewEffect[] = []
  for (const step of steps) {
    const event =
      typeof step === 'string' ? ({ type: 'key', key: step } as const) : ({ type: 'arrived', event: step } as const)
    const [next, ...asked] = reduceReview(state, event)
    state = next
    effects.push(...asked)
  }
  return { state, effects }
}

function opened(...approvals: Approval[]): ReviewState {
  const [state] = reduceReview(initialReview(dba, noon, { columns: 80, rows: 24 }), {
    type: 'connection',
    connection: { state: 'connected' },
  })
  return play(state, { event: 'snapshot', approvals }).state
}
const three = (): ReviewState => opened(oldest, newest, middle)
const changed = (approval: Approval): ApprovalEvent => ({ event: 'changed', approval })
const ids = (state: ReviewState): string[] => shownItems(state).map(({ approval }) => approval.id)
const word = (text: string): string[] => [...text]

describe('the list', () => {
  it('has the newest first and selects it', () => {
    expect(ids(three())).toEqual(['apr_new', 'apr_middle', 'apr_old'])
    expect(three().selected).toBe('apr_new')
  })

  it('stays on the selected one when newer ones arrive', () => {
    const { state } = play(three(), 'j', changed(sampleApproval('apr_newer', { created: at(-1) })))
    expect(ids(state)[0]).toBe('apr_newer')
    expect(state.selected).toBe('apr_middle')
  })

  it('keeps one that ends while it is looked at, and drops it on leaving it', () => {
    const ended = changed({ ...middle, state: 'expired', ended: at(0) })
    const { state } = play(three(), 'j', ended)
    expect(state.selected).toBe('apr_middle')
    expect(ids(state)).toContain('apr_middle')
    expect(ids(play(state, 'j').state)).toEqual(['apr_new', 'apr_old'])
    expect(play(state, 'j').state.selected).toBe('apr_old')
  })

  it('drops one that ends elsewhere', () => {
    expect(ids(play(three(), changed({ ...oldest, state: 'denied' })).state)).toEqual(['apr_new', 'apr_middle'])
  })

  it('marks the one looked at as ended when a snapshot after a lost connection lacks it', () => {
    const { state } = play(three(), { event: 'snapshot', approvals: [oldest] })
    expect(state.selected).toBe('apr_new')
    expect(viewOf(state).item?.gone).toBe(true)
    expect(play(state, 'a').state.prompt).toBeNull()
    expect(play(state, 'a').state.notice?.text).toMatch(/ended while the connection was lost/)
  })

  it('filters while one types, on every word, and goes back with escape', () => {
    const typed = play(three(), '/', ...word('middle dev')).state
    expect(ids(typed)).toEqual(['apr_middle'])
    expect(ids(play(typed, 'escape').state)).toHaveLength(3)
    expect(ids(play(typed, 'enter').state)).toEqual(['apr_middle'])
    expect(play(typed, 'enter').state.selected).toBe('apr_middle')
  })

  it('moves by key to the ends and no further', () => {
    expect(play(three(), 'G').state.selected).toBe('apr_old')
    expect(play(three(), 'G', 'j', 'j').state.selected).toBe('apr_old')
    expect(play(three(), 'G', 'g', 'k').state.selected).toBe('apr_new')
  })
})

it('calls a batch by what is held in it', () => {
  const command = (verb: string, verdict: 'allow' | 'hold') => ({
    ...{ id: verb, asked: sampleCommand(verb, { verb, objects: verdict === 'hold' ? ['public.t'] : [] }) },
    decision: { verdict, rule: 'r', reason: 'x', config: 'c' },
  })
  const approval = { ...newest, commands: [command('BEGIN', 'allow'), command('DROP TABLE', 'hold')] }
  expect(summaryOf({ approval })).toBe('DROP TABLE public.t (+1 more)')
})

describe('deciding', () => {
  it('sends the digest that was shown', () => {
    const { effects, state } = play(three(), 'a', 'enter')
    expect(effects).toEqual([
      { effect: 'decide', id: 'apr_new', wish: { decision: 'approve', reason: null, digest: 'digest of apr_new' } },
    ])
    expect(state.sending).toBe('apr_new')
  })

  it('asks for a reason to deny, and sends it', () => {
    const { effects } = play(three(), 'd', ...word('not on a Friday'), 'enter')
    expect(effects).toMatchObject([{ wish: { decision: 'deny', reason: 'not on a Friday' } }])
  })

  it.each(['', 'orders', 'public.order', 'PUBLIC.ORDERS', 'public.orders '])(
    'does not take %j for the name',
    (typed) => {
      const { effects, state } = play(three(), 'j', 'a', ...word(typed), 'enter')
      expect(effects).toEqual([])
      expect(state.prompt).not.toBeNull()
    },
  )

  it('approves what destroys once its name is typed', () => {
    expect(play(three(), 'j', 'a', ...word('public.orders'), 'enter').effects).toHaveLength(1)
  })

  it('does not take letters for keys while a name is typed', () => {
    const { effects, state } = play(three(), 'j', 'a', 'q', 'd', 'j')
    expect(effects).toEqual([])
    expect(state).toMatchObject({ selected: 'apr_middle', prompt: { kind: 'approve', input: 'qdj' } })
  })

  it('says why not, instead of asking, where the gateway says so', () => {
    const { state } = play(opened({ ...newest, whyNot: 'it is your own command' }), 'a')
    expect(state.prompt).toBeNull()
    expect(state.notice?.text).toMatch(/own command/)
  })

  it.each([
    ['ended', { state: 'cancelled' } as const, /whoever asked gave up/],
    [
      'was denied',
      { state: 'denied', decisions: [{ user: 'x@y', decision: 'deny', reason: 'no', at: at(0) }] } as const,
      /denied by x@y: no/,
    ],
    ['changed', { digest: 'another' } as const, /changed meanwhile/],
  ])('withdraws the question when the approval %s meanwhile', (_, change, why) => {
    const { effects, state } = play(three(), 'a', changed({ ...newest, ...change } as Approval), 'enter')
    expect(effects).toEqual([])
    expect(state.prompt).toBeNull()
    expect(play(three(), 'a', changed({ ...newest, ...change } as Approval)).state.notice?.text).toMatch(why)
  })

  it('keeps the question when only the impact arrives', () => {
    const { state } = play(three(), 'a', 'x', changed({ ...newest, impact: { lines: ['12 rows'] } }))
    expect(state.prompt).toMatchObject({ input: 'x' })
  })

  it('does not decide while the connection is lost, neither before nor after the question', () => {
    const lose = (state: ReviewState) =>
      reduceReview(state, { type: 'connection', connection: { state: 'lost', reason: 'x' } })[0]
    expect(play(lose(three()), 'a').state.prompt).toBeNull()
    expect(play(lose(play(three(), 'a').state), 'enter').effects).toEqual([])
  })

  it('does not decide when the time is over', () => {
    const [late] = reduceReview(three(), { type: 'tick', now: Date.parse(newest.expires) + 1 })
    expect(play(late, 'a').state.prompt).toBeNull()
  })

  it('sends one decision at a time', () => {
    expect(play(three(), 'a', 'enter', 'j', 'd').state.prompt).toBeNull()
  })

  it('shows the answer, or the refusal', () => {
    const sent = play(three(), 'a', 'enter').state
    const [done] = reduceReview(sent, {
      type: 'decided',
      decision: 'approve',
      approval: { ...newest, state: 'approved' },
    })
    expect(done).toMatchObject({ sending: null, notice: { text: 'You approved: apr_new is approved.' } })
    const [more] = reduceReview(sent, { type: 'decided', decision: 'approve', approval: newest })
    expect(more.notice?.text).toMatch(/waits for more reviewers/)
    const [failed] = reduceReview(sent, { type: 'failed', id: 'apr_new', message: 'Not decided: it changed' })
    expect(failed).toMatchObject({ sending: null, notice: { tone: 'bad', text: 'Not decided: it changed' } })
  })

  it('never takes pasted text for keys', () => {
    const [pasted] = reduceReview(three(), { type: 'paste', text: 'a\rq' })
    expect(pasted).toMatchObject({ prompt: null, view: 'list' })
    const asking = play(three(), 'j', 'a').state
    const [named] = reduceReview(asking, { type: 'paste', text: 'public.orders\n' })
    expect(named.prompt).toMatchObject({ input: 'public.orders ' })
  })
})

describe('reading', () => {
  const long = sampleApproval('apr_long', { text: Array.from({ length: 300 }, (_, row) => `-- ${row}`).join('\n') })

  it('scrolls the text to its end and no further', () => {
    const { state } = play(opened(long), 'enter', 'G')
    const { detail, layout } = viewOf(state)
    expect(state.scroll).toBe((detail?.block.rows ?? 0) - layout.text)
    expect(play(state, 'pageDown', 'j').state.scroll).toBe(state.scroll)
  })

  it('counts only rows that were on the screen as read: jumping to the end is not reading', () => {
    const state = opened(long)
    expect(play(state, 'enter', 'G').state.seen).toBeLessThan(50)
    const read = play(state, 'enter', ...Array<string>(30).fill('pageDown')).state
    expect(read.seen).toBeGreaterThanOrEqual(viewOf(read).detail?.essential ?? Number.POSITIVE_INFINITY)
  })

  it('starts at the beginning of another text', () => {
    expect(play(opened(long, newest), 'pageDown', 'pageDown', 'j').state).toMatchObject({ scroll: 0 })
  })

  it('stays within the text when the window grows', () => {
    const { state } = play(opened(long), 'enter', 'G')
    const [grown] = reduceReview(state, { type: 'resize', columns: 200, rows: 60 })
    const { detail, layout } = viewOf(grown)
    expect(grown.scroll + layout.text).toBeLessThanOrEqual(detail?.block.rows ?? 0)
  })

  it('closes the help with any key that does not move in it, without doing what the key does', () => {
    const { state, effects } = play(three(), '?', 'j', 'q')
    expect(state.view).toBe('list')
    expect(effects).toEqual([])
  })

  it('leaves with q from the list, and goes back with q from a text', () => {
    expect(play(three(), 'q').effects).toEqual([{ effect: 'leave' }])
    expect(play(three(), 'enter', 'q')).toMatchObject({ effects: [], state: { view: 'list' } })
  })
})

it('gives the parts of the screen exactly the rows there are, in every size and view', () => {
  const states = [
    three(),
    play(three(), 'enter').state,
    play(three(), '?').state,
    play(three(), 'a').state,
    play(three(), '/').state,
    play(opened({ ...newest, whyNot: 'no' }), 'a').state,
    opened(),
  ]
  for (const state of states)
    for (const connection of [{ state: 'connected' }, { state: 'lost', reason: 'x' }] as const)
      for (let rows = 5; rows < 60; rows += 1) {
        const [connected] = reduceReview(state, { type: 'connection', connection })
        const [sized] = reduceReview(connected, { type: 'resize', columns: 80, rows })
        const parts = Object.values(viewOf(sized).layout)
        expect(parts.every((part) => part >= 0)).toBe(true)
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(rows)
      }
})
