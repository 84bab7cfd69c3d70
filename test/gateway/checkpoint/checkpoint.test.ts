import { beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { Command } from '../../../src/contract/command.ts'
import type { Refusal } from '../../../src/contract/refusal.ts'
import type { Answer, Approvals, Question } from '../../../src/gateway/approvals/approvals.ts'
import { createApprovals } from '../../../src/gateway/approvals/create-approvals.ts'
import { digestOf } from '../../../src/gateway/checkpoint/asked.ts'
import { createHistory } from '../../../src/gateway/checkpoint/history.ts'
import { type Clearance, createCheckpoint, type Hold, type Permit } from '../../../src/gateway/checkpoint.ts'
import { compilePolicy } from '../../../src/gateway/policy/decide.ts'
import { compileMasks, compileRecordMasks } from '../../../src/gateway/policy/masks.ts'
import { command, config, person } from '../../support/commands.ts'
import { type MemoryAudit, memoryAudit } from '../../support/memory-audit.ts'

const rules = [
  { name: 'all', effect: 'allow' },
  { name: 'no-drop', effect: 'deny', match: { verbs: ['DROP'] } },
  { name: 'ask', effect: 'hold', match: { kinds: ['ddl'] }, approvers: { groups: ['dba'] }, expires: '5m' },
]
const hashKey = new Uint8Array(32)
const dev = person('dev', 'engineering')
const dba = { ...person('dba', 'dba'), roles: [], expires: Number.MAX_SAFE_INTEGER }
const read = command({ text: 'select 1 from orders' })
const drop = command({ text: 'drop table t', actions: [{ verb: 'DROP TABLE', kind: 'ddl', objects: ['public.t'] }] })
const alter = command({ text: 'alter table t', actions: [{ verb: 'ALTER TABLE', kind: 'ddl', objects: ['public.t'] }] })

let audit: MemoryAudit
let approvals: Approvals
let defects: string[]
let kill: AbortController

beforeEach(() => {
  audit = memoryAudit()
  approvals = createApprovals({ audit, clock: systemClock })
  defects = []
  kill = new AbortController()
})

function checkpoint(given: { approvals?: Pick<Approvals, 'ask'>; rules?: () => unknown[]; masks?: unknown[] } = {}) {
  const inForce = () => {
    const now = config({ rules: given.rules?.() ?? rules, masks: given.masks ?? [] })
    const policy = compilePolicy(now)
    const target = policy.target('pg-prod')
    if (target === undefined) throw new Error('no target')
    return {
      policy,
      masks: compileMasks(now.masks, { target, person: dev, agent: null }, hashKey),
      recordMasks: compileRecordMasks(now.masks, target, hashKey),
      sampleRows: 3,
      sampleBytes: 0,
    }
  }
  return createCheckpoint({
    asker: { session: 'ses_1', connection: 'con_1', target: 'pg-prod', person: dev, agent: 'devin', reason: 'why not' },
    inForce,
    audit,
    approvals: given.approvals ?? approvals,
    history: createHistory(),
    metrics: { judged: () => undefined },
    clock: systemClock,
    signal: kill.signal,
    onDefect: (what) => defects.push(what),
  })
}

function permitsOf(clearance: Clearance): readonly Permit[] {
  if ('permits' in clearance) return clearance.permits
  throw new Error(`refused: ${clearance.refusal.message}`)
}
function refusalOf(clearance: Clearance): Refusal {
  if ('refusal' in clearance) return clearance.refusal
  throw new Error('permitted')
}
/** Asks for a hold and gives the pending approval's question as reviewers see it. */
async function held(asking: Promise<unknown>) {
  void asking
  await vi.waitFor(() => expect(approvals.list(dba, 'pending')).toHaveLength(1))
  const [approval] = approvals.list(dba, 'pending')
  if (approval === undefined) throw new Error('nothing is held')
  return approval
}
const approveWith = (digest: string) => ({ decision: 'approve', reason: null, digest }) as const

describe('an allowed command', () => {
  it('is durable in the audit before its permit exists', async () => {
    const writing = Promise.withResolvers<void>()
    audit.slow = () => writing.promise
    const clearance = checkpoint().clear([read])
    const first = await Promise.race([clearance, new Promise((resolve) => setImmediate(() => resolve('waits')))])
    expect(first).toBe('waits')
    writing.resolve()
    const [permit] = permitsOf(await clearance)
    expect(permit).toMatchObject({ sampleRows: 3, command: expect.stringMatching(/^cmd_/) })
    expect(audit.records).toMatchObject([
      {
        type: 'command',
        command: permit?.command,
        session: 'ses_1',
        connection: 'con_1',
        target: 'pg-prod',
        user: 'dev@demo',
        agent: 'devin',
        approval: null,
        asked: { text: 'select 1 from orders' },
        decision: { verdict: 'allow', rule: 'all', config: 'c0ffee' },
      },
    ])
  })

  it('is settled once, with the time it took', async () => {
    const gate = checkpoint()
    const [permit] = permitsOf(await gate.clear([read]))
    if (permit === undefined) throw new Error('no permit')
    gate.settle(permit, { status: 'done', rows: 2 })
    gate.settle(permit, { status: 'failed' })
    expect(audit.of('outcome')).toMatchObject([{ command: permit.command, outcome: { status: 'done', rows: 2 } }])
    expect(audit.of('outcome')[0]?.outcome.durationMs).toBeGreaterThanOrEqual(0)
    expect(defects).toEqual(['a permit was settled twice, or was never issued here'])
  })

  it('that failed is recorded without the secrets that its error repeats', async () => {
    const gate = checkpoint({
      masks: [{ name: 'mail', detectors: ['email'], style: 'redact', except: { groups: ['engineering'] } }],
    })
    const [permit] = permitsOf(await gate.clear([read]))
    if (permit === undefined) throw new Error('no permit')
    const message = 'invalid input syntax for type integer: "ana@example.com"'
    gate.settle(permit, { status: 'failed', error: { code: '22P02', message } })
    const [{ outcome } = { outcome: undefined }] = audit.of('outcome')
    expect(outcome?.error).toEqual({ code: '22P02', message: 'invalid input syntax for type integer: "•••"' })
  })

  it('that is never settled is settled as unknown when the connection is over', async () => {
    const gate = checkpoint()
    const [first, second] = permitsOf(await gate.clear([read, read]))
    if (first === undefined || second === undefined) throw new Error('no permits')
    gate.settle(first, { status: 'done' })
    gate.close()
    gate.close()
    expect(audit.of('outcome').map(({ command, outcome }) => [command, outcome.status])).toEqual([
      [first.command, 'done'],
      [second.command, 'unknown'],
    ])
  })
})

describe('a denied command', () => {
  it('is recorded, with its siblings, and none of them runs', async () => {
    const refusal = refusalOf(await checkpoint().clear([read, drop, read]))
    const records = audit.of('command')
    expect(records.map(({ decision }) => decision.verdict)).toEqual(['allow', 'deny', 'allow'])
    expect(audit.of('outcome').map(({ outcome }) => outcome.status)).toEqual(['not-run', 'refused', 'not-run'])
    expect(refusal).toMatchObject({ code: 'denied', rule: 'no-drop', session: 'ses_1', command: records[1]?.command })
    expect(refusal.next).toMatch(/no-drop/)
  })

  it('outweighs a hold in the same batch: nobody is asked in vain', async () => {
    expect(refusalOf(await checkpoint().clear([alter, drop])).code).toBe('denied')
    expect(approvals.list(dba, 'all')).toEqual([])
  })

  it('that was not understood says so', async () => {
    const unparsed = command({ facts: { parsed: false } })
    expect(refusalOf(await checkpoint().clear([unparsed]))).toMatchObject({ code: 'not-understood', rule: undefined })
  })
})

describe('what the protocol itself refuses', () => {
  it('is recorded as refused, whatever the rules say of it', async () => {
    const refusal = await checkpoint().refuse([read], 'its name is unclear')
    const [record] = audit.of('command')
    expect(record).toMatchObject({ decision: { verdict: 'deny', rule: null, reason: 'its name is unclear' } })
    expect(record?.decision.config).not.toBe('')
    expect(audit.of('outcome')).toMatchObject([{ command: record?.command, outcome: { status: 'refused' } }])
    expect(refusal).toMatchObject({ code: 'not-understood', command: record?.command, session: 'ses_1' })
    expect(refusal.message).toContain('its name is unclear')
  })

  it('stays refused when it cannot be written down', async () => {
    audit.failing = () => true
    expect(await checkpoint().refuse([read], 'no')).toMatchObject({ code: 'audit-unavailable' })
  })
})

describe('fail closed', () => {
  it.each([
    ['allowed', read],
    ['denied', drop],
    ['held', alter],
  ])('a command that is %s is refused when it cannot be written down', async (_, asked) => {
    audit.failing = () => true
    expect(refusalOf(await checkpoint().clear([asked]))).toMatchObject({ code: 'audit-unavailable' })
    expect(approvals.list(dba, 'all')).toEqual([])
  })

  it('works again as soon as the audit does', async () => {
    const gate = checkpoint()
    audit.failing = () => true
    refusalOf(await gate.clear([read]))
    audit.failing = () => false
    expect(permitsOf(await gate.clear([read]))).toHaveLength(1)
  })

  it('refuses what cannot be judged, and records that without its text', async () => {
    const broken = { ...read, text: 'secret', facts: undefined } as unknown as Command
    expect(refusalOf(await checkpoint().clear([broken])).code).toBe('not-understood')
    expect(audit.of('command')).toMatchObject([{ asked: { text: '', actions: [{ kind: 'admin' }] } }])
    expect(defects).toHaveLength(1)
  })

  it('refuses when approvals break', async () => {
    const broken = { ask: () => Promise.reject(new Error('broken')) }
    expect(refusalOf(await checkpoint({ approvals: broken }).clear([alter, read]))).toMatchObject({ code: 'internal' })
    expect(audit.of('outcome').map(({ outcome }) => outcome.status)).toEqual(['refused', 'not-run'])
  })

  it('refuses when an approval ends in a way nobody knows', async () => {
    const odd = { ask: () => Promise.resolve({ end: 'granted', why: '' } as unknown as Answer) }
    expect('permits' in (await checkpoint({ approvals: odd }).clear([alter]))).toBe(false)
  })

  it('previews a denial for what cannot be judged', () => {
    expect(checkpoint().preview({ ...read, actions: undefined } as unknown as Command).verdict).toBe('deny')
  })
})

describe('a held command', () => {
  it('is forwarded, with its whole batch, after a reviewer agreed', async () => {
    const clearance = checkpoint().clear([read, alter])
    const approval = await held(clearance)
    expect(approval).toMatchObject({
      user: 'dev@demo',
      agent: 'devin',
      reason: 'why not',
      confirm: 'public.t',
      needs: [{ rule: 'ask', groups: ['dba'], count: 1 }],
      commands: [{ decision: { verdict: 'allow' } }, { decision: { verdict: 'hold', rule: 'ask' } }],
    })
    expect(audit.of('command').map(({ approval }) => approval)).toEqual([approval.id, approval.id])
    await approvals.decide(dba, approval.id, approveWith(approval.digest))
    expect(permitsOf(await clearance)).toHaveLength(2)
    expect(audit.records.map(({ type }) => type)).toEqual(['command', 'command', 'approval.decision', 'approval.end'])
  })

  it.each([
    ['deny', 'approval-denied', 'refused'],
    ['cancel', 'cancelled', 'cancelled'],
    ['kill', 'killed', 'cancelled'],
  ])('%s: is refused as %s and settled as %s', async (how, code, status) => {
    const client = new AbortController()
    const clearance = checkpoint().clear([alter, read], { signal: client.signal })
    const approval = await held(clearance)
    if (how === 'deny')
      await approvals.decide(dba, approval.id, { ...approveWith(approval.digest), decision: 'deny', reason: 'no' })
    if (how === 'cancel') client.abort()
    if (how === 'kill') kill.abort({ code: 'killed', message: 'killed by ana', next: '' } satisfies Refusal)
    expect(refusalOf(await clearance)).toMatchObject({ code, approval: approval.id })
    expect(audit.of('outcome').map(({ outcome }) => outcome.status)).toEqual([status, 'not-run'])
  })

  it('tells who waits at once and every 30 seconds, until the end, which may be by expiry', async () => {
    vi.useFakeTimers()
    const told: Hold[] = []
    const clearance = checkpoint().clear([alter], { onHold: (hold) => told.push(hold) })
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toHaveLength(1)
    expect(told[0]).toMatchObject({ rule: 'ask', session: 'ses_1', groups: ['dba'], expires: Date.now() + 300_000 })
    expect(told[0]?.hint).toContain(`hoop approve ${told[0]?.approval}`)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(told).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(240_000)
    expect(refusalOf(await clearance)).toMatchObject({ code: 'approval-expired' })
    await vi.advanceTimersByTimeAsync(120_000)
    expect(told.length).toBeLessThanOrEqual(11)
    vi.useRealTimers()
  })

  it('shows the reviewer what came before', async () => {
    const gate = checkpoint()
    await gate.clear([command({ text: 'select\n  1' })])
    await gate.clear([drop])
    const approval = await held(gate.clear([alter]))
    expect(approval.earlier.map(({ text, verdict }) => [text, verdict])).toEqual([
      ['select 1', 'allow'],
      ['drop table t', 'deny'],
    ])
  })

  it('asks for the impact once, of the held command, and survives its failure', async () => {
    const asked: string[] = []
    const impact = (command: Command) => {
      asked.push(command.text)
      return Promise.reject(new Error('timed out after 2 s'))
    }
    const approval = await held(checkpoint().clear([read, alter, alter], { impact }))
    await vi.waitFor(() =>
      expect(approvals.get(dba, approval.id).impact).toEqual({ lines: [], unknown: 'timed out after 2 s' }),
    )
    expect(asked).toEqual(['alter table t'])
  })

  it('is judged again when people have agreed: rules that were reloaded meanwhile count', async () => {
    let now: unknown[] = rules
    const clearance = checkpoint({ rules: () => now }).clear([alter])
    const approval = await held(clearance)
    now = [...rules, { name: 'freeze', effect: 'deny', match: { kinds: ['ddl'] } }]
    await approvals.decide(dba, approval.id, approveWith(approval.digest))
    expect(refusalOf(await clearance)).toMatchObject({ code: 'denied', rule: 'freeze' })
    expect(audit.of('outcome').map(({ outcome }) => outcome.status)).toEqual(['refused'])
  })

  it('is not forwarded when the rules ask for other people by then', async () => {
    let now: unknown[] = rules
    const clearance = checkpoint({ rules: () => now }).clear([alter])
    const approval = await held(clearance)
    now = [...rules, { name: 'two', effect: 'hold', match: { kinds: ['ddl'] }, approvers: { groups: ['ciso'] } }]
    await approvals.decide(dba, approval.id, approveWith(approval.digest))
    expect(refusalOf(await clearance)).toMatchObject({ code: 'cancelled', approval: approval.id })
  })

  it('is not forwarded when the client went away in the very moment of the yes', async () => {
    const client = new AbortController()
    const late = {
      ask: (_: Question) => {
        client.abort()
        return Promise.resolve<Answer>({ end: 'approved', why: '' })
      },
    }
    const clearance = await checkpoint({ approvals: late }).clear([alter], { signal: client.signal })
    expect(refusalOf(clearance).code).toBe('cancelled')
    expect(audit.of('outcome').map(({ outcome }) => outcome.status)).toEqual(['not-run'])
  })
})

describe('a killed connection', () => {
  it('clears nothing any more', async () => {
    kill.abort({ code: 'killed', message: 'killed by ana', next: '' } satisfies Refusal)
    expect(refusalOf(await checkpoint().clear([read]))).toMatchObject({ code: 'killed', session: 'ses_1' })
  })

  it('while a command is being written down does not forward it', async () => {
    audit.slow = () => {
      kill.abort({ code: 'killed', message: 'killed by ana', next: '' } satisfies Refusal)
      return Promise.resolve()
    }
    expect(refusalOf(await checkpoint().clear([read])).code).toBe('killed')
    expect(audit.of('outcome').map(({ outcome }) => outcome.status)).toEqual(['not-run'])
  })
})

describe('the digest', () => {
  const asker = { session: 's', target: 't', connection: 'c', person: dev, agent: null, reason: null }
  const batch = (...texts: string[]) => texts.map((text) => ({ command: command({ text }) }))
  const one = digestOf(asker, batch('a'))

  it.each([
    ['text', digestOf(asker, batch('b'))],
    ['session', digestOf({ ...asker, session: 'x' }, batch('a'))],
    ['target', digestOf({ ...asker, target: 'x' }, batch('a'))],
    ['parameters', digestOf(asker, [{ command: command({ text: 'a', parameters: [{ value: '1' }] }) }])],
    ['number of commands', digestOf(asker, batch('a', 'a'))],
  ])('changes with the %s', (_, other) => {
    expect(other).not.toBe(one)
  })

  it('keeps two texts apart that would be the same joined', () => {
    expect(digestOf(asker, batch('a;', 'b'))).not.toBe(digestOf(asker, batch('a', ';b')))
  })

  it('is that of what is asked, not of what is shown', () => {
    expect(digestOf(asker, batch('a'))).toBe(one)
  })
})

it('shows neither the audit nor reviewers what a detector hides', async () => {
  const masks = [{ name: 'mail', detectors: ['email'], style: 'redact' }]
  const text = "alter table t add c text default 'ana@example.com'"
  const asked = { ...alter, text, parameters: [{ value: 'ben@example.com' }] }
  const approval = await held(checkpoint({ masks }).clear([asked]))
  const seen = JSON.stringify([audit.records, approval])
  expect(seen).not.toMatch(/ana@example|ben@example/)
})
