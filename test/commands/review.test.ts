import { expect, test } from 'vitest'
import { type ApproveOptions, runApprove } from '../../src/commands/approve.ts'
import { runDeny } from '../../src/commands/deny.ts'
import type { Question } from '../../src/gateway/approvals/approvals.ts'
import { question, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sampleLine } from '../support/samples.ts'
import { createTerminal, type TestTerminalOptions } from '../support/terminal.ts'

async function held(change: Partial<Question> = {}) {
  const gateway = await startTestGateway()
  const asked = question(change)
  const answer = gateway.approvals.ask(asked, new AbortController().signal, undefined)
  return { gateway, id: asked.id, answer }
}

function terminalOf(gateway: TestGateway, token: string, options: TestTerminalOptions = {}) {
  return createTerminal({ ...options, env: { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: token, NO_COLOR: '1' } })
}

const approve = (options: Partial<ApproveOptions>): ApproveOptions => ({ state: 'pending', ...options })

test('approves by id, after showing what', async () => {
  const { gateway, id, answer } = await held()
  const terminal = terminalOf(gateway, 'dba-token')
  await runApprove(terminal.runtime, approve({ id, reason: 'agreed', confirm: 'customers' }))
  expect(await answer).toMatchObject({ end: 'approved' })
  expect(terminal.stderr()).toContain('│ DROP TABLE customers')
  expect(terminal.stderr()).toContain(`Approved ${id}`)
  expect(terminal.stdout()).toBe('')
  expect(terminal.runtime.exitCode).toBe(0)
})

test('says of a held command line what would run before it is approved, with nothing a terminal would obey', async () => {
  const decision = { verdict: 'hold', rule: 'hold-rm', reason: 'removing', config: 'c' } as const
  const asked = sampleLine({ text: 'sudo rm -rf /srv/app "$DIR" # \u001b[2J' })
  const { gateway, id } = await held({
    protocol: 'ssh',
    commands: [{ id: 'cmd_1', asked, decision }],
    confirm: '/srv/app',
  })
  const terminal = terminalOf(gateway, 'dba-token')
  await runApprove(terminal.runtime, approve({ id, confirm: '/srv/app' }))
  const text = terminal.stderr()
  expect(text).toContain('│ sudo rm -rf /srv/app "$DIR" # ␛[2J')
  expect(text).toContain("does    sudo rm -rf /srv/app '$DIR'\n")
  expect(text).toContain("does    rm -rf /srv/app '$DIR', without a bound")
  expect(text).toContain('beware  runs code that is made while it runs')
  expect(text).toContain('beware  runs too: nohup')
  expect(text).not.toContain('\u001b')
})

test('denies by id, and answers with the approval as JSON', async () => {
  const { gateway, id, answer } = await held()
  const terminal = terminalOf(gateway, 'dba-token')
  await runDeny(terminal.runtime, { id, reason: 'not on a Friday', json: true })
  expect((await answer).why).toContain('not on a Friday')
  expect(JSON.parse(terminal.stdout())).toMatchObject({ id, state: 'denied' })
  expect(terminal.stderr()).toBe('')
})

test('exits with 8 while more reviewers have to agree', async () => {
  const { gateway, id, answer } = await held({ needs: [{ rule: 'two', groups: ['dba'], count: 2 }] })
  const first = terminalOf(gateway, 'dba-token')
  await runApprove(first.runtime, approve({ id, confirm: 'customers' }))
  expect(first.stderr()).toContain('waits for more reviewers (1 of 2)')
  expect(first.runtime.exitCode).toBe(8)
  const second = terminalOf(gateway, 'second-token')
  await runApprove(second.runtime, approve({ id, confirm: 'customers' }))
  expect(second.runtime.exitCode).toBe(0)
  expect((await answer).end).toBe('approved')
})

test('nobody approves their own command', async () => {
  const { gateway, id } = await held()
  await expect(runApprove(terminalOf(gateway, 'dev-token').runtime, approve({ id }))).rejects.toMatchObject({
    code: 'not-allowed',
  })
})

test('shows the escapes of a statement and does not send them to the terminal', async () => {
  const asked = question()
  const [first] = asked.commands
  if (first === undefined) throw new Error('a question has a command')
  const evil = { ...first, asked: { ...first.asked, text: 'DROP TABLE a\u001b[2K\rSELECT 1' } }
  const { gateway, id } = await held({ commands: [evil] })
  const terminal = terminalOf(gateway, 'dba-token')
  await runApprove(terminal.runtime, approve({ id, confirm: 'customers' }))
  expect(terminal.stderr()).toContain('DROP TABLE a␛[2K␍SELECT 1')
  expect(terminal.stderr()).not.toMatch(/[\u001b\r]/)
})

test('on a terminal a destructive approval asks to type the name', async () => {
  const { gateway, id, answer } = await held()
  const wrong = terminalOf(gateway, 'dba-token', { isTty: true })
  const refused = expect(runApprove(wrong.runtime, approve({ id }))).rejects.toMatchObject({ code: 'cancelled' })
  await wrong.seen('Type customers to approve')
  wrong.type('yes')
  await refused

  const right = terminalOf(gateway, 'dba-token', { isTty: true })
  const approved = runApprove(right.runtime, approve({ id }))
  await right.seen('Type customers to approve')
  right.type('customers')
  await approved
  expect((await answer).end).toBe('approved')
})

test.each([
  ['without a terminal', {}, {}],
  ['with JSON', { isTty: true }, { json: true }],
])('%s a destructive approval needs its name or its digest', async (_, terminal, flags) => {
  const { gateway, id, answer } = await held()
  const bare = terminalOf(gateway, 'dba-token', terminal)
  await expect(runApprove(bare.runtime, approve({ id, ...flags }))).rejects.toMatchObject({
    code: 'usage',
    hint: 'give --confirm customers, or --digest SHA256 from "hoop approve --list --json"',
  })
  await runApprove(terminalOf(gateway, 'dba-token').runtime, approve({ id, digest: 'd'.repeat(64) }))
  expect((await answer).end).toBe('approved')
})

test('what destroys nothing is approved by its id alone', async () => {
  const { gateway, id, answer } = await held({ confirm: null })
  await runApprove(terminalOf(gateway, 'dba-token').runtime, approve({ id }))
  expect((await answer).end).toBe('approved')
})

test('approves only what was looked at where a digest is named', async () => {
  const { gateway, id } = await held()
  const { runtime } = terminalOf(gateway, 'dba-token')
  await expect(runApprove(runtime, approve({ id, digest: 'e'.repeat(64) }))).rejects.toMatchObject({ code: 'conflict' })
  await expect(runApprove(runtime, approve({ id, confirm: 'orders' }))).rejects.toMatchObject({ code: 'cancelled' })
})

test('lists what waits, for people and for programs', async () => {
  const { gateway, id } = await held()
  const terminal = terminalOf(gateway, 'dba-token')
  await runApprove(terminal.runtime, approve({ list: true }))
  expect(terminal.stdout()).toMatch(new RegExp(`${id} +pending +dev@demo +pg-prod +in .*DROP TABLE customers`))
  const program = terminalOf(gateway, 'dba-token')
  await runApprove(program.runtime, approve({ list: true, json: true }))
  expect(JSON.parse(program.stdout())).toMatchObject([{ id, state: 'pending', confirm: 'customers' }])
})

test('without an id and without a terminal it names the flag to use', async () => {
  const gateway = await startTestGateway()
  await expect(runApprove(terminalOf(gateway, 'dba-token').runtime, approve({}))).rejects.toMatchObject({
    code: 'usage',
    hint: expect.stringContaining('hoop approve --list'),
  })
})
