import { describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../../src/contract/record.ts'
import { createMatcher, formatFilter, parseFilter } from '../../../src/tui/screens/tail/filter.ts'
import { layoutOf } from '../../../src/tui/screens/tail/layout.ts'
import type { TailState } from '../../../src/tui/screens/tail/model.ts'
import { initialTail, mostRecords, reduceTail } from '../../../src/tui/screens/tail/state.ts'
import type { TailFilter } from '../../../src/tui/source.ts'
import { sampleCommand, sampleRecord } from '../../support/samples.ts'

const records = (from: number, to: number): AuditRecord[] =>
  Array.from({ length: to - from + 1 }, (_, index) => sampleRecord(from + index))

function play(state: TailState, ...steps: (string | readonly AuditRecord[])[]): TailState {
  for (const step of steps)
    [state] = reduceTail(
      state,
      typeof step === 'string' ? { type: 'key', key: step } : { type: 'arrived', records: step },
    )
  return state
}

function opened(filter: TailFilter = {}): TailState {
  const [state] = reduceTail(initialTail(filter, { columns: 80, rows: 24 }), {
    type: 'connection',
    connection: { state: 'connected' },
  })
  return state
}

describe('following', () => {
  it('selects the newest, at the bottom', () => {
    const state = play(opened(), records(1, 50), records(51, 60))
    expect(state).toMatchObject({ selected: 60, following: true, fresh: 0, received: 60 })
    expect(state.listFrom).toBe(60 - layoutOf(state).list)
  })

  it.each([' ', 'k', 'pageUp', 'g'])('pauses with %j, and then nothing moves but the count', (key) => {
    const paused = play(opened(), records(1, 100), key)
    const later = play(paused, records(101, 300))
    expect(later).toMatchObject({ following: false, fresh: 200, selected: paused.selected, listFrom: paused.listFrom })
  })

  it('counts as new only what fits the filter', () => {
    const deny = sampleRecord(11, { decision: { verdict: 'deny', rule: 'r', reason: 'x', config: 'c' } })
    expect(play(opened({ verdict: 'deny' }), records(1, 10), ' ', [deny, ...records(12, 20)]).fresh).toBe(1)
  })

  it.each(['G', 'f', ' '])('goes on with %j', (key) => {
    expect(play(opened(), records(1, 100), 'k', records(101, 300), key)).toMatchObject({ selected: 300, fresh: 0 })
  })
})

describe('what is kept', () => {
  it('is bounded in number', () => {
    const state = play(opened(), records(1, mostRecords), records(mostRecords + 1, mostRecords + 700))
    expect(state.kept).toHaveLength(mostRecords)
    expect(state.shown).toHaveLength(mostRecords)
    expect(state).toMatchObject({ received: mostRecords + 700, selected: mostRecords + 700 })
  })

  it('is bounded in size, and always has the latest', () => {
    const large = (seq: number) => sampleRecord(seq, { asked: sampleCommand('x'.repeat(15 * 1024 ** 2)) })
    const state = play(opened(), [large(1)], [large(2)], [large(3)], [large(4)])
    expect(state.kept.map(({ seq }) => seq)).toEqual([3, 4])
  })

  it('keeps the rows on the screen in place while older ones go', () => {
    const paused = play(opened(), records(1, mostRecords), 'k', 'k')
    const later = play(paused, records(mostRecords + 1, mostRecords + 100))
    expect(later.selected).toBe(paused.selected)
    expect(later.shown[later.listFrom]?.seq).toBe(paused.shown[paused.listFrom]?.seq)
  })

  it('selects the oldest when the selected one is gone', () => {
    const state = play(opened(), records(1, 100), 'g', records(101, mostRecords + 500))
    expect(state.selected).toBe(501)
  })

  it('shows an open record to its end, though the list has lost it', () => {
    const state = play(opened(), records(1, 100), 'g', 'enter', records(101, mostRecords + 500))
    expect(state.opened?.seq).toBe(1)
    expect(play(state, 'escape')).toMatchObject({ view: 'list', opened: null })
  })
})

describe('the filter', () => {
  const mixed: AuditRecord[] = [
    sampleRecord(1),
    sampleRecord(2, { user: 'ana@example.org' }),
    sampleRecord(3, { decision: { verdict: 'deny', rule: 'no-copy', reason: 'x', config: 'c' } }),
    sampleRecord(4, { target: 'Reports' }),
  ]
  const found = (filter: TailFilter): number[] => mixed.filter(createMatcher(filter)).map(({ seq }) => seq)

  it.each<[TailFilter, number[]]>([
    [{}, [1, 2, 3, 4]],
    [{ user: 'ANA' }, [2]],
    [{ verdict: 'deny' }, [3]],
    [{ target: 'report' }, [4]],
    [{ session: 'ses_2' }, []],
    [{ text: 'select 3' }, [3]],
    [{ text: 'no-copy' }, [3]],
    [{ user: 'dev', target: 'report', text: 'number' }, [4]],
  ])('%j finds %j', (filter, seqs) => {
    expect(found(filter)).toEqual(seqs)
  })

  it('is typed as words and names, and written the same way', () => {
    const typed = 'user:dev target:pg-prod session:ses_1 verdict:deny drop table'
    expect(parseFilter(typed)).toEqual({
      filter: { user: 'dev', target: 'pg-prod', session: 'ses_1', verdict: 'deny', text: 'drop table' },
    })
    expect(formatFilter({ user: 'dev', verdict: 'deny', text: 'drop table' })).toBe('user:dev verdict:deny drop table')
  })

  it.each(['verdict:maybe', 'user:'])('says what is wrong with %j and keeps the question', (typed) => {
    const state = play(opened(), mixed, '/', ...typed, 'enter')
    expect(state.notice).toBeTruthy()
    expect(state.prompt).toBe(typed)
    expect(state.filter).toEqual({})
  })

  it('applies to what is kept, and is cleared with x', () => {
    const filtered = play(opened(), mixed, '/', ...'verdict:deny', 'enter')
    expect(filtered.shown.map(({ seq }) => seq)).toEqual([3])
    expect(play(filtered, 'x').shown).toHaveLength(4)
  })

  it('goes through the verdicts with v', () => {
    const verdicts = ['v', 'v', 'v', 'v'].map(
      (_, count) => play(opened(), ...Array<string>(count + 1).fill('v')).filter.verdict,
    )
    expect(verdicts).toEqual(['deny', 'hold', 'allow', undefined])
  })
})

it('gives the parts of the screen exactly the rows there are, in every size', () => {
  for (const state of [opened(), play(opened(), '/'), play(opened(), '/', ...'verdict:x', 'enter')])
    for (let rows = 5; rows < 60; rows += 1) {
      const parts = Object.values(layoutOf({ ...state, size: { columns: 80, rows } }))
      expect(parts.every((part) => part >= 0)).toBe(true)
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(rows)
    }
})
