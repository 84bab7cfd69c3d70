import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Approval, ApprovalEvent } from '../../../src/contract/api.ts'
import { systemClock } from '../../../src/base/clock.ts'
import type { Question } from '../../../src/gateway/approvals/approvals.ts'
import { createApprovals } from '../../../src/gateway/approvals/create-approvals.ts'
import type { Caller } from '../../../src/gateway/identity/caller.ts'
import { command, person } from '../../support/commands.ts'
import { type MemoryAudit, memoryAudit } from '../../support/memory-audit.ts'

const caller = (name: string, groups: string[], roles: Caller['roles'] = []): Caller => ({
  ...person(name, ...groups),
  roles,
  expires: Number.MAX_SAFE_INTEGER,
})
const dev = caller('dev', ['engineering'])
const dba = caller('dba', ['dba'])
const dba2 = caller('dba2', ['dba'])
const digest = 'd1'

function question(given: Partial<Question> = {}): Question {
  return {
    id: 'apr_1',
    digest,
    session: 'ses_1',
    user: dev.user,
    subject: dev.subject,
    groups: dev.groups,
    agent: 'devin',
    reason: 'ticket 7',
    target: 'pg-prod',
    protocol: 'postgres',
    commands: [
      {
        id: 'cmd_1',
        asked: command(),
        decision: { verdict: 'hold', rule: 'ddl', reason: 'because', config: 'c0ffee' },
      },
    ],
    needs: [{ rule: 'ddl', groups: ['dba'], count: 1 }],
    earlier: [],
    confirm: null,
    expiresIn: 60_000,
    ...given,
  }
}

const never = new AbortController().signal
const approve = { decision: 'approve', reason: null, digest } as const
const deny = { decision: 'deny', reason: 'not on a Friday', digest } as const

let audit: MemoryAudit
let approvals: ReturnType<typeof createApprovals>

beforeEach(() => {
  audit = memoryAudit()
  approvals = createApprovals({ audit, clock: systemClock })
})
afterEach(async () => {
  vi.useRealTimers()
  audit.failing = () => false
  await approvals.close()
})

const ask = (given: Partial<Question> = {}, signal = never) => approvals.ask(question(given), signal, undefined)

describe('a decision', () => {
  it('by a reviewer ends it, with both records durable before the answer', async () => {
    const answer = ask()
    const decided = await approvals.decide(dba, 'apr_1', { ...approve, reason: 'fine' })
    expect(decided).toMatchObject({ state: 'approved', decisions: [{ user: 'dba@demo', decision: 'approve' }] })
    expect(await answer).toEqual({ end: 'approved', why: 'approved by dba@demo: fine' })
    expect(audit.records).toMatchObject([
      { type: 'approval.decision', user: 'dba@demo', session: 'ses_1', decision: 'approve', digest, reason: 'fine' },
      { type: 'approval.end', user: 'dev@demo', groups: ['engineering'], agent: 'devin', end: 'approved' },
    ])
  })

  it('to deny ends it at once, with the reason', async () => {
    const answer = ask({ needs: [{ rule: 'ddl', groups: ['dba'], count: 2 }] })
    await approvals.decide(dba, 'apr_1', deny)
    expect(await answer).toEqual({ end: 'denied', why: 'denied by dba@demo: not on a Friday' })
  })

  it('is not for the one who asked, whatever their groups and roles', async () => {
    void ask({ subject: dba.subject, user: dba.user })
    const admin = { ...dba, roles: ['admin'] as const }
    await expect(approvals.decide(admin as unknown as Caller, 'apr_1', approve)).rejects.toMatchObject({
      code: 'not-allowed',
    })
    await expect(approvals.decide(dba, 'apr_1', deny)).rejects.toMatchObject({ code: 'not-allowed' })
    expect(audit.records).toEqual([])
  })

  it('is not for the one who asked under another subject of the same name', async () => {
    void ask({ user: dba.user })
    await expect(approvals.decide(dba, 'apr_1', approve)).rejects.toMatchObject({ code: 'not-allowed' })
  })

  it('is not for an admin who is in none of the groups', async () => {
    void ask()
    const admin = caller('root', ['ops'], ['admin'])
    await expect(approvals.decide(admin, 'apr_1', approve)).rejects.toMatchObject({ code: 'not-allowed' })
    expect(approvals.get(admin, 'apr_1').whyNot).toMatch(/dba/)
  })

  it('about something else than what was looked at counts for nothing', async () => {
    void ask()
    await expect(approvals.decide(dba, 'apr_1', { ...approve, digest: 'd2' })).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(audit.records).toEqual([])
    expect(approvals.get(dba, 'apr_1').state).toBe('pending')
  })

  it('is told nothing of an approval that the caller may not see', async () => {
    void ask()
    await expect(approvals.decide(caller('eve', ['sales']), 'apr_1', approve)).rejects.toMatchObject({
      code: 'not-found',
    })
  })

  it('comes too late after the end', async () => {
    const answer = ask()
    await approvals.decide(dba, 'apr_1', approve)
    await answer
    await expect(approvals.decide(dba2, 'apr_1', deny)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('that cannot be written down is none', async () => {
    const answer = ask()
    audit.failing = () => true
    await expect(approvals.decide(dba, 'apr_1', approve)).rejects.toMatchObject({ code: 'audit-unavailable' })
    expect(approvals.get(dba, 'apr_1')).toMatchObject({ state: 'pending', decisions: [] })
    audit.failing = () => false
    await approvals.decide(dba, 'apr_1', approve)
    expect((await answer).end).toBe('approved')
  })

  it('whose end cannot be written down cancels: a yes that left no trace is not given', async () => {
    const answer = ask()
    audit.failing = ([draft]) => draft?.type === 'approval.end'
    await approvals.decide(dba, 'apr_1', approve)
    expect(await answer).toMatchObject({ end: 'cancelled', why: expect.stringContaining('disk is full') })
    expect(audit.of('approval.end')).toMatchObject([{ end: 'cancelled' }])
  })
})

describe('several people', () => {
  const needs = [{ rule: 'ddl', groups: ['dba'], count: 2 }]

  it('have to be distinct', async () => {
    const answer = ask({ needs })
    expect((await approvals.decide(dba, 'apr_1', approve)).state).toBe('pending')
    await expect(approvals.decide(dba, 'apr_1', approve)).rejects.toMatchObject({ code: 'conflict' })
    expect((await approvals.decide(dba2, 'apr_1', approve)).state).toBe('approved')
    expect((await answer).why).toBe('approved by dba@demo, dba2@demo')
  })

  it('are not made of one who clicks twice at once', async () => {
    void ask({ needs })
    const both = await Promise.allSettled([
      approvals.decide(dba, 'apr_1', approve),
      approvals.decide(dba, 'apr_1', approve),
    ])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(approvals.get(dba2, 'apr_1').state).toBe('pending')
  })

  it('of two rules are all needed', async () => {
    const answer = ask({
      needs: [
        { rule: 'ddl', groups: ['dba'], count: 1 },
        { rule: 'b', groups: ['ciso'], count: 1 },
      ],
    })
    expect((await approvals.decide(dba, 'apr_1', approve)).state).toBe('pending')
    expect((await approvals.decide(caller('ciso', ['ciso']), 'apr_1', approve)).state).toBe('approved')
    expect((await answer).end).toBe('approved')
  })
})

describe('an approval', () => {
  it('expires when nobody decides in time', async () => {
    vi.useFakeTimers()
    const answer = ask()
    await vi.advanceTimersByTimeAsync(59_999)
    expect(approvals.get(dba, 'apr_1').state).toBe('pending')
    await vi.advanceTimersByTimeAsync(1)
    expect(await answer).toMatchObject({ end: 'expired' })
    expect(audit.of('approval.end')).toMatchObject([{ end: 'expired' }])
  })

  it('is cancelled when the client goes away', async () => {
    const client = new AbortController()
    const answer = ask({}, client.signal)
    client.abort()
    expect(await answer).toEqual({ end: 'cancelled', why: 'the client went away' })
    await expect(approvals.decide(dba, 'apr_1', approve)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('is cancelled with the reason of a kill', async () => {
    const kill = new AbortController()
    const answer = ask({}, kill.signal)
    kill.abort({ code: 'killed', message: 'killed by ana@acme: runaway agent', next: '' })
    expect((await answer).why).toBe('killed by ana@acme: runaway agent')
  })

  it('of a client that had gone before it was asked is cancelled', async () => {
    expect((await ask({}, AbortSignal.abort())).end).toBe('cancelled')
  })

  it('does not expire and get approved both, when time runs out while the yes is written down', async () => {
    vi.useFakeTimers()
    const answer = ask()
    audit.slow = () => new Promise((resolve) => setTimeout(resolve, 10_000))
    await vi.advanceTimersByTimeAsync(55_000)
    const decision = approvals.decide(dba, 'apr_1', approve)
    const told = expect(decision).rejects.toMatchObject({ code: 'conflict' })
    await vi.advanceTimersByTimeAsync(30_000)
    await told
    expect((await answer).end).toBe('expired')
    expect(audit.of('approval.end')).toMatchObject([{ end: 'expired' }])
  })

  it('leaves none pending when the gateway stops', async () => {
    const answers = [ask(), ask({ id: 'apr_2' })]
    await approvals.close()
    expect(await Promise.all(answers)).toMatchObject([{ end: 'cancelled' }, { end: 'cancelled' }])
    expect(audit.of('approval.end')).toHaveLength(2)
    expect((await ask({ id: 'apr_3' })).end).toBe('cancelled')
  })
})

describe('who sees what', () => {
  it('is the asker, the reviewers, admins and auditors', () => {
    void ask()
    const sees = (who: Caller) => approvals.list(who, 'pending').length === 1
    expect(sees(dev)).toBe(true)
    expect(sees(dba)).toBe(true)
    expect(sees(caller('auditor', ['audit'], ['auditor']))).toBe(true)
    expect(sees(caller('eve', ['sales']))).toBe(false)
    expect(() => approvals.get(caller('eve', ['sales']), 'apr_1')).toThrow(/no approval/)
  })

  it('says to each why they may not decide', () => {
    void ask()
    expect(approvals.get(dba, 'apr_1').whyNot).toBeNull()
    expect(approvals.get(dev, 'apr_1').whyNot).toMatch(/own command/)
  })

  it('lists newest first, and ended ones on request', async () => {
    void ask()
    void ask({ id: 'apr_2' })
    await approvals.decide(dba, 'apr_1', deny)
    expect(approvals.list(dba, 'all').map(({ id }) => id)).toEqual(['apr_2', 'apr_1'])
    expect(approvals.list(dba, 'denied').map(({ id }) => id)).toEqual(['apr_1'])
    expect(approvals.list(dba, 'pending').map(({ id }) => id)).toEqual(['apr_2'])
  })
})

describe('a watcher', () => {
  const states = (event: ApprovalEvent | undefined) =>
    event?.event === 'snapshot'
      ? event.approvals.map(({ id }) => id)
      : event?.event === 'changed'
        ? `${event.approval.id} ${event.approval.state}`
        : undefined

  it('gets what is pending, then each change up to the end', async () => {
    void ask()
    const watch = approvals.watch(dba, never)[Symbol.asyncIterator]()
    expect(states((await watch.next()).value)).toEqual(['apr_1'])
    const next = watch.next()
    void ask({ id: 'apr_2' })
    expect(states((await next).value)).toBe('apr_2 pending')
    await approvals.decide(dba, 'apr_1', approve)
    expect(states((await watch.next()).value)).toBe('apr_1 approved')
    await watch.return?.()
  })

  it('that is slow gets the latest state once, not every step', async () => {
    const watch = approvals.watch(dba, never)[Symbol.asyncIterator]()
    await watch.next()
    const answer = ask({ needs: [{ rule: 'ddl', groups: ['dba'], count: 2 }] })
    await approvals.decide(dba, 'apr_1', approve)
    await approvals.decide(dba2, 'apr_1', approve)
    await answer
    expect(states((await watch.next()).value)).toBe('apr_1 approved')
    const nothingMore = watch.next()
    void ask({ id: 'apr_2' })
    expect(states((await nothingMore).value)).toBe('apr_2 pending')
  })

  it('is not told of what it may not see', async () => {
    const watch = approvals.watch(caller('eve', ['sales']), never)[Symbol.asyncIterator]()
    expect(await watch.next()).toMatchObject({ value: { event: 'snapshot', approvals: [] } })
    void ask()
    const next = watch.next()
    void ask({ id: 'apr_2', needs: [{ rule: 'x', groups: ['sales'], count: 1 }] })
    expect(states((await next).value)).toBe('apr_2 pending')
  })

  it('ends with its signal and with the gateway', async () => {
    const stop = new AbortController()
    const one = approvals.watch(dba, stop.signal)[Symbol.asyncIterator]()
    const two = approvals.watch(dba, never)[Symbol.asyncIterator]()
    await Promise.all([one.next(), two.next()])
    const ends = [one.next(), two.next()]
    stop.abort()
    await approvals.close()
    expect(await Promise.all(ends)).toMatchObject([{ done: true }, { done: true }])
  })

  it('sees the impact once it is known, and never waits for it', async () => {
    const impact = Promise.withResolvers<{ lines: string[]; rows: number }>()
    void approvals.ask(question(), never, impact.promise)
    const watch = approvals.watch(dba, never)[Symbol.asyncIterator]()
    await watch.next()
    const next = watch.next()
    impact.resolve({ lines: ['public.orders: 12 rows'], rows: 12 })
    const event = (await next).value as { approval: Approval }
    expect(event.approval.impact).toMatchObject({ rows: 12 })
  })
})
