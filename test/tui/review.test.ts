import { describe, expect, it, onTestFinished } from 'vitest'
import type { Approval, ApprovalEvent, Decide } from '../../src/contract/api.ts'
import { hoopError } from '../../src/contract/error-codes.ts'
import { runReview } from '../../src/tui/review.tsx'
import type { Connection } from '../../src/tui/source.ts'
import { createFeed } from '../support/feed.ts'
import { dba, noon, sampleApproval, sampleCommand, sampleLine } from '../support/samples.ts'
import { createScreen, keys } from '../support/screen.ts'

const hostile = "DROP TABLE orders; -- \x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u202c\u200b '漢字 😀'"
const approvals = [
  sampleApproval('apr_one', {
    ...{ text: hostile, confirm: 'public.orders', user: 'dev@demo\x1b[31m', agent: 'devin\u202e', reason: 'x\x9b31m' },
    impact: { lines: ['public.orders: about 12,400 rows \x1b[5m'] },
    created: new Date(noon - 1000).toISOString(),
  }),
  sampleApproval('apr_two', { text: `SELECT\n${'  -- a row of it\n'.repeat(100)}1` }),
  ...Array.from({ length: 30 }, (_, index) =>
    sampleApproval(`apr_x${index}`, { target: '漢字データベース'.repeat(3) }),
  ),
]

interface Options {
  readonly columns?: number
  readonly rows?: number
  readonly approvals?: readonly Approval[]
  decide?(id: string, wish: Decide): Promise<Approval>
}

async function open({ columns = 80, rows = 24, approvals: shown = approvals, decide }: Options = {}) {
  const screen = createScreen(columns, rows)
  const feed = createFeed<ApprovalEvent>()
  const stop = new AbortController()
  const sent: { id: string; wish: Decide }[] = []
  let now = noon
  let tell: (connection: Connection) => void = () => undefined
  const ended = runReview({
    source: {
      me: dba,
      watchApprovals: feed.read,
      onConnection(listener) {
        tell = listener
        return () => undefined
      },
      async decide(id, wish) {
        sent.push({ id, wish })
        if (decide !== undefined) return decide(id, wish)
        const approval = shown.find((one) => one.id === id) ?? sampleApproval(id)
        return { ...approval, state: wish.decision === 'approve' ? 'approved' : 'denied' }
      },
    },
    ...{ io: screen.io, env: {}, signal: stop.signal },
    clock: { now: () => now, elapsed: () => now },
  })
  // Some tests look at how it ends; the others must not leave it running, nor its failure unhandled.
  const settled = ended.catch(() => undefined)
  onTestFinished(async () => {
    stop.abort()
    await settled
  })
  tell({ state: 'connected' })
  feed.push({ event: 'snapshot', approvals: [...shown] })
  await Promise.race([
    screen.until(shown.length === 0 ? 'Nothing waits' : columns < 30 ? '▸' : `${shown.length} pending`),
    ended,
  ])
  return { screen, feed, stop, ended, sent, tell, setNow: (to: number) => (now = to) }
}

const sizes = [
  [80, 24],
  [40, 10],
  [120, 40],
  [20, 5],
  [24, 6],
] as const

describe.each(sizes)('at %i × %i', (columns, rows) => {
  it('draws every frame from the first row to the last, in each view', async () => {
    const { screen, sent } = await open({ columns, rows })
    const broken: string[] = []
    let frames = 0
    screen.onFrame(() => {
      frames += 1
      const shown = screen.rows()
      const titles = shown.filter((row) => row.startsWith('hoop approve')).length
      if (titles !== 1 || !shown[0]?.startsWith('hoop approve') || shown.at(-1) === '') broken.push(shown.join('\n'))
    })
    for (const [typed, seen] of [
      [keys.enter, 'Esc back'],
      ['G', 'Esc back'],
      [keys.escape, 'q quit'],
      ['?', 'Esc close'],
      ['x', 'q quit'],
      [`gG${keys.down}k${keys.pageDown}`, 'q quit'],
      ['ga', 'Enter approve'],
      ['public', 'public'],
      [keys.escape, 'q quit'],
      ['/', 'Enter keep'],
      [`one${keys.enter}`, 'q quit'],
    ] as const) {
      screen.press(typed)
      await screen.until(seen)
    }
    expect(broken).toEqual([])
    expect(frames).toBeGreaterThan(5)
    expect(sent).toEqual([])
    expect(screen.isAlternate()).toBe(true)
  })
})

it('shows what it was given and obeys none of it', async () => {
  const { screen } = await open({ columns: 120, rows: 40 })
  const text = screen.text()
  expect(text).toContain("DROP TABLE orders; -- ␛[2J␛]0;owned␇ <U+202E>gnp.exe<U+202C><U+200B> '漢字 😀'")
  expect(text).toContain('dev@demo␛[31m')
  expect(text).toContain('devin<U+202E>')
  expect(text).toContain('x<U+009B>31m')
  expect(screen.written()).not.toMatch(/\x1b\]0;|\x1b\[2J\x1b\]|\u202e|\u200b|\x9b|\x1b\[5m/)
})

it('shows of a held command line what would run, on what, and what cannot be known', async () => {
  const decision = { verdict: 'hold', rule: 'hold-rm', reason: 'removing needs a second person', config: 'c0' } as const
  const approval = sampleApproval('apr_rm', {
    ...{ protocol: 'ssh', target: 'ssh-prod', confirm: '/srv/app' },
    commands: [{ id: 'cmd_rm', asked: sampleLine(), decision }],
  })
  const { screen } = await open({ approvals: [approval] })
  await screen.until('Command line')
  const text = screen.text()
  expect(text).toContain('$ sudo rm -rf /srv/app "$DIR"')
  expect(text).toContain("sudo rm -rf /srv/app '$DIR'")
  expect(text).toContain("rm -rf /srv/app '$DIR' · without a bound")
  expect(text).toContain('runs code that is made while it runs')
  expect(text).toContain('runs too: nohup')
  expect(text).toContain('reaches: file')
  expect(text).not.toContain('asking the target')
  expect(text).not.toContain('every row')
})

it('approves what destroys only after its name was typed, and sends the digest that was shown', async () => {
  const { screen, sent } = await open()
  screen.press('a')
  await screen.until('Type public.orders to approve')
  screen.press(`public.order${keys.enter}`)
  await screen.until('not the word')
  expect(sent).toEqual([])
  screen.press(`s${keys.enter}`)
  await screen.until('apr_one is approved')
  expect(sent).toEqual([{ id: 'apr_one', wish: { decision: 'approve', reason: null, digest: 'digest of apr_one' } }])
})

it('denies with the reason that was typed', async () => {
  const { screen, sent } = await open()
  screen.press('d')
  await screen.until('Deny DROP TABLE')
  screen.press(`wrong${keys.backspace}${keys.backspace}${keys.enter}`)
  await screen.until('apr_one is denied')
  expect(sent[0]?.wish).toMatchObject({ decision: 'deny', reason: 'wro' })
})

it('says what the gateway answered when a decision fails', async () => {
  const decide = () => Promise.reject(hoopError('conflict', 'it was decided already'))
  const { screen } = await open({ decide })
  screen.press(`d${keys.enter}`)
  await screen.until('Not decided: it was decided already')
})

it('ignores pasted text outside a question', async () => {
  const { screen, sent, ended } = await open()
  screen.press(keys.paste(`d${keys.enter}q`))
  screen.press('?')
  await screen.until('Keys')
  expect(sent).toEqual([])
  await expect(Promise.race([ended, Promise.resolve('open')])).resolves.toBe('open')
})

it('keeps what it showed when the connection is lost, says why, and goes on afterwards', async () => {
  const { screen, tell, feed } = await open()
  tell({ state: 'lost', reason: 'cannot reach gateway.acme.dev:443\x1b[2J' })
  await screen.until('trying again: cannot reach gateway.acme.dev:443␛[2J')
  expect(screen.text()).toContain('▸')
  tell({ state: 'connected' })
  feed.push({ event: 'snapshot', approvals: [sampleApproval('apr_after')] })
  await screen.until((text) => text.includes('1 pending') && !text.includes('trying again'))
})

it('says so when what is being decided has ended meanwhile', async () => {
  const { screen, feed, sent } = await open()
  screen.press('d')
  await screen.until('Deny DROP TABLE')
  const first = approvals[0] ?? sampleApproval('none')
  feed.push({ event: 'changed', approval: { ...first, state: 'expired' } })
  await screen.until('Nothing was sent: its time was over meanwhile.')
  expect(sent).toEqual([])
})

it('follows the window when it is resized, down and up', async () => {
  const { screen } = await open()
  for (const [columns, rows] of [
    [40, 10],
    [20, 5],
    [10, 3],
    [120, 40],
    [60, 12],
    [80, 24],
  ] as const) {
    screen.resize(columns, rows)
    const isTiny = columns < 20
    const isWhole = (): boolean => {
      const shown = screen.rows()
      return isTiny
        ? shown[0] === 'window to…'
        : (shown[0]?.startsWith('hoop approve') ?? false) && (shown.at(-1)?.includes('q quit') ?? false)
    }
    await screen.until(isWhole)
    expect(screen.rows()).toHaveLength(rows)
    expect(screen.rows().filter((row) => row.startsWith('hoop approve'))).toHaveLength(isTiny ? 0 : 1)
  }
})

it('says so when nothing waits', async () => {
  const { screen } = await open({ approvals: [] })
  expect(screen.text()).toContain('Nothing waits for a decision.')
})

describe('leaving', () => {
  const whole = (screen: ReturnType<typeof createScreen>): void => {
    expect(screen.isAlternate()).toBe(false)
    expect(screen.isRaw()).toBe(false)
    // Wrapping on again, pasting off again, cursor seen again: each was switched, and back last.
    for (const [on, off] of [
      ['\x1b[?7h', '\x1b[?7l'],
      ['\x1b[?2004l', '\x1b[?2004h'],
      ['\x1b[?25h', '\x1b[?25l'],
    ] as const)
      expect(screen.written().lastIndexOf(on)).toBeGreaterThan(screen.written().lastIndexOf(off))
  }

  it.each([
    ['q', 'q'],
    ['Ctrl-C', keys.ctrlC],
    ['Ctrl-C while a question is open', `d${keys.ctrlC}`],
  ])('gives the terminal back on %s', async (_, typed) => {
    const { screen, ended, sent } = await open()
    screen.press(typed)
    await ended
    await screen.until(() => !screen.isAlternate())
    whole(screen)
    expect(sent).toEqual([])
  })

  it('gives the terminal back when it is told to end', async () => {
    const { screen, ended, stop } = await open()
    stop.abort()
    await ended
    whole(screen)
  })

  it('gives the terminal back before it reports that the source failed', async () => {
    const { screen, ended, feed } = await open()
    feed.fail(hoopError('sign-in-needed', 'the session is over'))
    await expect(ended).rejects.toMatchObject({ code: 'sign-in-needed' })
    whole(screen)
  })
})

it('counts down and shows what comes while nobody touches a key', async () => {
  const { screen, feed, setNow } = await open()
  expect(screen.text()).toContain('14:30')
  setNow(noon + 5000)
  await screen.until('14:25')
  const asked = sampleCommand('TRUNCATE t', { verb: 'TRUNCATE', objects: ['public.t'] })
  const decision = { verdict: 'hold', rule: 'r', reason: 'x', config: 'c' } as const
  feed.push({ event: 'changed', approval: sampleApproval('apr_late', { commands: [{ id: 'c', asked, decision }] }) })
  await screen.until(`${approvals.length + 1} pending`)
})
