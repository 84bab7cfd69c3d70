import { describe, expect, test } from 'vitest'
import { compileMasks } from '../../../../../src/gateway/policy/masks.ts'
import { codecOf } from '../../../../../src/gateway/protocols/postgres/masking/codec.ts'
import { createCopyFilter } from '../../../../../src/gateway/protocols/postgres/masking/copy.ts'
import { createRowPlan } from '../../../../../src/gateway/protocols/postgres/masking/row-filter.ts'
import { createRowPlans } from '../../../../../src/gateway/protocols/postgres/masking/row-plans.ts'
import type { ValuePlan } from '../../../../../src/gateway/protocols/postgres/masking/values.ts'
import { createCutter, frame, int16, int32 } from '../../../../../src/gateway/protocols/postgres/wire.ts'
import { cuts } from '../../../../support/chunks.ts'

const subject: Parameters<typeof compileMasks>[1] = {
  target: { name: 'pg', protocol: 'postgres', labels: {} },
  person: { user: 'a', subject: 'a', groups: [] },
  agent: null,
}
const rule = { name: 'r', match: {}, style: 'partial' } as const
const masks = compileMasks(
  [
    { ...rule, columns: ['*.*.secret'] },
    { ...rule, detectors: ['email', 'card'] },
  ],
  subject,
  Buffer.from('key'),
)
const codec = codecOf('UTF8')

const text = 25
const int4 = 23
const column = (style: ValuePlan['style'], type = text): ValuePlan => ({ type, binary: false, carrier: 'text', style })
const columns = [
  column(undefined, int4),
  column('partial'),
  column(undefined),
  column('hash'),
  { ...column('redact'), carrier: 'null' as const },
]

function row(...values: readonly (string | null)[]): Buffer {
  const fields = values.flatMap((value) =>
    value === null ? [int32(-1)] : [int32(Buffer.byteLength(value)), Buffer.from(value)],
  )
  return frame('D', int16(values.length), ...fields)
}

const rows = [
  row('1', 'ana@acme.com', 'plain', 'x', null),
  row('2', null, null, null, null),
  row('3', '', '', '', ''),
  row('4', 'jürgen@bücher.example', 'mail ana@acme.com now', 'y', 'z'),
  row('5', 'x', 'plain', null, null),
  // Not what was described: too few values, and a length that leads out of the row.
  row('6', 'ana@acme.com'),
  frame('D', int16(5), int32(999), Buffer.alloc(16)),
  row('8', '4111 1111 1111 1111', '4111111111111111', 'a'.repeat(200), 'b'),
]

function plan(given = columns, sampleRows = 0, clean = false) {
  const seen = { columns: given, masks }
  const names = given.map((_, index) => `c${index}`)
  return createRowPlan({ names, codec, shown: seen, recorded: seen, clean, sampleRows })
}

describe('a run of rows', () => {
  const alone = Buffer.concat(rows.map((one) => plan()().rows(one)))

  test('is masked as each of its rows would be', () => {
    const shown = plan()().rows(Buffer.concat(rows))
    expect(shown.equals(alone)).toBe(true)
    expect(shown.toString('latin1')).not.toMatch(/ana@|rgen@b|4111 ?1111/)
    const cutter = createCutter({ from: 'the gateway', limit: () => 1000 })
    cutter.feed(shown)
    let count = 0
    for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) count++
    expect(count).toBe(rows.length)
    expect(cutter.midFrame).toBe(false)
  })

  test('shows the same however its bytes were cut', () => {
    for (const chunks of cuts(Buffer.concat(rows))) {
      const filter = plan()()
      const cutter = createCutter({ from: 'the target', limit: () => 1000, runs: () => true })
      const shown: Buffer[] = []
      for (const chunk of chunks) {
        cutter.feed(chunk)
        for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) shown.push(filter.rows(piece.bytes))
      }
      expect(Buffer.concat(shown).equals(alone)).toBe(true)
    }
  })

  test('in which nothing changes is handed back uncopied, and is not called masked', () => {
    const filter = plan([column(undefined, int4), column(undefined)])()
    const run = Buffer.concat([row('1', 'a'), row('2', null)])
    expect(filter.rows(run)).toBe(run)
    expect(filter.masked).toBe(false)
    filter.rows(row('3', 'ana@acme.com'))
    expect(filter.masked).toBe(true)
  })

  test('gives its first rows to the record as they are shown, and says that there were more', () => {
    const filter = plan(columns, 2)()
    filter.rows(Buffer.concat([rows[0] ?? row(), rows[4] ?? row()]))
    expect(filter.sample()).toMatchObject({
      rows: [
        ['1', 'a•••@acme.com', 'plain', expect.stringMatching(/^#/), null],
        ['5', '•••', 'plain', null, null],
      ],
      truncated: false,
    })
    filter.rows(Buffer.concat(rows))
    expect(filter.sample()).toMatchObject({ truncated: true })
    expect(filter.sample()?.rows).toHaveLength(2)
  })

  test('need not be looked at any more once the sample is full and nothing can be masked', () => {
    const filter = plan([column(undefined, int4)], 1, true)()
    filter.rows(row('1'))
    expect(filter.sated).toBe(false)
    filter.rows(row('2'))
    expect(filter.sated).toBe(true)
  })

  test('of one execution leaves nothing to the next', () => {
    const begin = plan(columns, 1)
    begin().rows(Buffer.concat(rows))
    expect(begin().sample()).toEqual({ columns: expect.anything(), rows: [], truncated: false })
  })
})

describe('a run of COPY lines', () => {
  const lines = [
    '1\tana@acme.com\tplain\tx\t\\N\n',
    '2\t\\N\t\\N\t\\N\t\\N\n',
    '3\tta\\tb@acme.com\tana\\x40acme.com\ty\tz\n',
    '4\ttoo few\n',
    '5\tx\tto ana@acme.com\t\ty\n',
  ]
  const copy = (format: 'text' | 'csv') =>
    createCopyFilter({
      columns: columns.map((one, index) => ({ ...one, name: `c${index}` })),
      masks,
      codec,
      options: {
        format,
        delimiter: '\t',
        nullText: '\\N',
        header: false,
        quote: '"',
        escape: '"',
        encoding: undefined,
      },
      record: { columns, masks },
      sampleRows: 0,
    })

  test.each(['text', 'csv'] as const)('is masked as each of its lines would be (%s)', (format) => {
    const frames = lines.map((line) => frame('d', Buffer.from(line)))
    const shown = copy(format).data(Buffer.concat(frames))
    expect(shown.equals(Buffer.concat(frames.map((one) => copy(format).data(one))))).toBe(true)
    if (format === 'text') expect(shown.toString('latin1')).not.toMatch(/ana@|b@acme|x40acme/)
  })

  test('keeps what it need not change', () => {
    const shown = copy('text').data(frame('d', Buffer.from(lines[0] ?? '')))
    expect(shown.toString('utf8', 5)).toMatch(/^1\ta•••@acme\.com\tplain\t#[0-9a-f]{12}\t\\N\n$/)
    expect(shown.readInt32BE(1)).toBe(shown.length - 1)
  })
})

describe('a plan', () => {
  const tree = { SelectStmt: {} }
  const permit = { masks, recordMasks: masks, sampleRows: 5 }
  const grounds = { description: Buffer.from('T1'), permit, generation: 3, clientEncoding: 'UTF8', fresh: true }
  const other = compileMasks([{ ...rule, columns: ['*.*.*'] }], subject, Buffer.from('key'))

  test('is found again for the same statement on the same grounds', () => {
    const plans = createRowPlans()
    const made = plan()
    plans.keep(tree, grounds, made)
    expect(plans.find(tree, { ...grounds, description: Buffer.from('T1') })).toBe(made)
    expect(plans.find({ SelectStmt: {} }, grounds)).toBeUndefined()
  })

  test.each([
    ['description', { description: Buffer.from('T2') }],
    ['snapshot', { generation: 4 }],
    ['certainty', { generation: undefined }],
    ['encoding', { clientEncoding: 'LATIN1' }],
    ['freshness', { fresh: false }],
    ['masks', { permit: { ...permit, masks: other } }],
    ['masks for the record', { permit: { ...permit, recordMasks: other } }],
    ['number of sampled rows', { permit: { ...permit, sampleRows: 0 } }],
  ])('is not used under another %s', (_, change) => {
    const plans = createRowPlans()
    plans.keep(tree, grounds, plan())
    expect(plans.find(tree, { ...grounds, ...change })).toBeUndefined()
  })

  test('does not change with the bytes that its description was a view into', () => {
    const plans = createRowPlans()
    const arrived = Buffer.from('T1')
    plans.keep(tree, { ...grounds, description: arrived }, 'untouched')
    arrived.write('T2')
    expect(plans.find(tree, grounds)).toBe('untouched')
  })
})
