import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { approveCommand, states } from '../../src/commands/approve.ts'
import { completionCommand } from '../../src/commands/completion.ts'
import { connectCommand } from '../../src/commands/connect.ts'
import { denyCommand } from '../../src/commands/deny.ts'
import { loginCommand } from '../../src/commands/login.ts'
import { logoutCommand } from '../../src/commands/logout.ts'
import { logsCommand, verdicts } from '../../src/commands/logs.ts'
import { proxyCommand } from '../../src/commands/proxy.ts'
import { replayCommand } from '../../src/commands/replay.ts'
import { sessionsCommand } from '../../src/commands/sessions.ts'
import { sshConfigCommand } from '../../src/commands/ssh-config.ts'
import { sshCommand } from '../../src/commands/ssh.ts'
import { statusCommand } from '../../src/commands/status.ts'
import { targetsCommand } from '../../src/commands/targets.ts'
import { approvalStates } from '../../src/contract/api.ts'
import { verdicts as contractVerdicts } from '../../src/contract/record.ts'
import type { Runtime } from '../../src/runtime.ts'
import { createTerminal } from '../support/terminal.ts'

type Make = (runtime: Runtime, run: (runtime: Runtime, options: object) => Promise<void>) => Command

/** What the command's run is given for these words. */
async function parsed(make: Make, words: readonly string[]): Promise<object> {
  const { runtime } = createTerminal()
  let given: object | undefined
  const command = make(runtime, async (_runtime, options) => {
    given = options
  })
  quiet(command)
  await command.parseAsync(words, { from: 'user' })
  if (given === undefined) throw new Error('run was not called')
  return given
}

function quiet(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  for (const child of command.commands) quiet(child)
}

const connect =
  (...program: string[]): Make =>
  (runtime, run) =>
    connectCommand(runtime, program, run)
const ssh =
  (...words: string[]): Make =>
  (runtime, run) =>
    sshCommand(runtime, words, run)
const sessions: Make = (runtime, run) => sessionsCommand(runtime, { list: run, show: run, kill: run })

test.each<[string, Make, string[], object]>([
  ['login', loginCommand, [], { browser: true }],
  [
    'login',
    loginCommand,
    ['--gateway', 'https://g', '--no-browser', '--json'],
    { gateway: 'https://g', browser: false, json: true },
  ],
  ['logout', logoutCommand, ['--json'], { json: true }],
  ['status', statusCommand, ['--gateway=https://g'], { gateway: 'https://g' }],
  ['targets', targetsCommand, [], {}],
  ['connect', connect(), ['pg', '--port', '5432'], { targets: ['pg'], port: 5432, program: [] }],
  [
    'connect',
    connect('psql', '-c', 'x'),
    ['a', 'b', '--reason', 'why', '--agent', 'devin'],
    { targets: ['a', 'b'], reason: 'why', agent: 'devin', program: ['psql', '-c', 'x'] },
  ],
  [
    'ssh',
    ssh('-t', 'top'),
    ['prod', '--reason', 'why', '--agent', 'devin'],
    { target: 'prod', reason: 'why', agent: 'devin', words: ['-t', 'top'] },
  ],
  ['ssh-config', sshConfigCommand, ['--print', '--json'], { print: true, json: true }],
  ['ssh-config', sshConfigCommand, ['--remove'], { remove: true }],
  ['proxy', proxyCommand, ['--reason', 'why', 'ssh-prod.hoop'], { reason: 'why', host: 'ssh-prod.hoop' }],
  ['approve', approveCommand, [], { state: 'pending' }],
  [
    'approve',
    approveCommand,
    ['apr_1', '--reason', 'ok', '--confirm', 't'],
    { id: 'apr_1', reason: 'ok', confirm: 't', state: 'pending' },
  ],
  ['approve', approveCommand, ['--list', '--state', 'all'], { list: true, state: 'all' }],
  ['deny', denyCommand, ['apr_1', '--reason', 'no'], { id: 'apr_1', reason: 'no' }],
  ['logs', logsCommand, [], { screen: true }],
  ['logs', logsCommand, ['-f', '-n', '5', '--no-screen'], { follow: true, tail: 5, screen: false }],
  [
    'logs',
    logsCommand,
    ['--since', '10m', '--until', '5m', '--session', 's', '--target', 't', '--user', 'u', '--verdict', 'deny'],
    { since: '10m', until: '5m', session: 's', target: 't', user: 'u', verdict: 'deny', screen: true },
  ],
  ['logs', logsCommand, ['--verify'], { verify: true, screen: true }],
  ['logs', logsCommand, ['--recordings'], { recordings: true, verify: true, screen: true }],
  ['sessions', sessions, [], { limit: 20 }],
  ['sessions', sessions, ['list', '--live', '--limit', '3'], { live: true, limit: 3 }],
  ['sessions', sessions, ['show', 'ses_1', '--json'], { id: 'ses_1', json: true }],
  ['sessions', sessions, ['kill', 'ses_1', '--reason', 'x'], { id: 'ses_1', reason: 'x' }],
  ['replay', replayCommand, ['ses_1'], { session: 'ses_1' }],
  [
    'replay',
    replayCommand,
    ['ses_1', '--speed', '0.5', '--skip-idle', '2s'],
    { session: 'ses_1', speed: 0.5, skipIdle: 2000 },
  ],
  [
    'replay',
    replayCommand,
    ['ses_1', '--seek', '90s', '--command', 'cmd_1'],
    { session: 'ses_1', seek: 90_000, command: 'cmd_1' },
  ],
  ['replay', replayCommand, ['ses_1', '--search', 'rm -rf'], { session: 'ses_1', search: 'rm -rf' }],
  ['replay', replayCommand, ['ses_1', '--export', 'a.cast'], { session: 'ses_1', export: 'a.cast' }],
  ['replay', replayCommand, ['ses_1', '--speed', 'max'], { session: 'ses_1', speed: Number.POSITIVE_INFINITY }],
  ['completion', completionCommand, ['fish'], { shell: 'fish' }],
])('hoop %s understands its words (%#)', async (_name, make, words, expected) => {
  expect(await parsed(make, words)).toEqual(expected)
})

test.each<[string, Make, string[]]>([
  ['connect without a target', connect(), []],
  ['a port that is none', connect(), ['pg', '--port', '70000']],
  ['a port of words', connect(), ['pg', '--port', '80x']],
  ['ssh without a target', ssh(), []],
  ['removing what is only shown', sshConfigCommand, ['--print', '--remove']],
  ['a proxy to two targets', proxyCommand, ['a', 'b']],
  ['deny without an id', denyCommand, []],
  ['two approvals at once', approveCommand, ['a', 'b']],
  ['an unknown state', approveCommand, ['--list', '--state', 'maybe']],
  ['a verdict that there is not', logsCommand, ['--verdict', 'maybe']],
  ['a tail of nothing', logsCommand, ['--tail', '0']],
  ['following into the past', logsCommand, ['--follow', '--until', '1h']],
  ['a proof of a part', logsCommand, ['--verify', '--user', 'u']],
  ['a speed of zero', replayCommand, ['ses_1', '--speed', '0']],
  ['a pause without a unit', replayCommand, ['ses_1', '--skip-idle', '2']],
  ['a proof of some recordings', logsCommand, ['--recordings', '--since', '1h']],
  ['two places to start at', replayCommand, ['ses_1', '--seek', '1s', '--search', 'x']],
  ['a file and NDJSON', replayCommand, ['ses_1', '--export', 'x.cast', '--json']],
  ['an unknown shell', completionCommand, ['tcsh']],
  ['an unknown flag', targetsCommand, ['--colour']],
])('refuses %s', async (_what, make, words) => {
  await expect(parsed(make, words)).rejects.toMatchObject({ code: expect.stringMatching(/^commander\./) })
})

test('knows the same states and verdicts as the contract', () => {
  expect(states).toEqual([...approvalStates, 'all'])
  expect(verdicts).toEqual(contractVerdicts)
})
