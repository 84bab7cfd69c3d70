import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { program } from './support/built-cli.ts'
import { startTestGateway } from './support/gateway.ts'
import { runMain } from './support/host.ts'
import { command } from './support/store-folder.ts'

async function ended(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const running = runMain(words, env)
  const code = await running.code
  return { code, stdout: running.stdout(), stderr: running.stderr() }
}

const nowhere = { HOOP_GATEWAY: 'http://127.0.0.1:1', HOOP_TOKEN: 'x' }

test('explains itself', async () => {
  const { code, stdout, stderr } = await ended(['--help'])
  expect(code).toBe(0)
  for (const name of ['login', 'connect', 'approve', 'logs', 'replay', 'gateway', 'demo', 'completion'])
    expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
  expect(stderr).toBe('')
  expect(await ended([])).toMatchObject({ code: 0, stdout })
  expect((await ended(['help', 'sessions', 'kill'])).stdout).toContain('hoop sessions kill')
  expect((await ended(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test('help loads nothing but commander: everything else is loaded by the command that needs it', () => {
  const script = new URL('./support/loaded-packages.ts', import.meta.url).pathname
  const { stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual(['commander'])
})

test('compiles in no thread that the end of the process would wait for', () => {
  const { stdout } = spawnSync(process.execPath, ['--trace-opt', program, '--help'], { encoding: 'utf8' })
  const compiled = stdout.split('\n').filter((line) => line.startsWith('[compiling method'))
  expect(compiled.length).toBeGreaterThan(5)
  // Node's own loader may have come first.
  expect(compiled.slice(5).filter((line) => line.includes('MAGLEV'))).toEqual([])
})

test('hoop proxy, which runs before every ssh, loads no package at all, and of Node neither HTTP nor TLS', async () => {
  const gateway = await startTestGateway()
  const script = new URL('./support/loaded-packages.ts', import.meta.url).pathname
  const env = { PATH: process.env.PATH, HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'dev-token' }
  const child = spawn(process.execPath, [script, 'proxy', 'ssh-prod.hoop'], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const [stdout, stderr] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
  // Refused, and told: what reads a refusal is loaded then.
  expect(stderr.join('')).toContain('these sessions exist on paper only')
  expect(JSON.parse(stdout.join(''))).toEqual(['zod'])
})

test.each([
  [['taget'], "unknown command 'taget'"],
  [['targets', '--jsn'], "unknown option '--jsn'"],
  [['deny'], "missing required argument 'approval'"],
  [['help', 'nonsense'], 'there is no help on "nonsense"'],
  [['logs', '--since', 'yesterday'], '--since does not understand "yesterday"'],
])('a mistake on the command line is one sentence, a hint, and exit code 2: %j', async (words, sentence) => {
  const { code, stdout, stderr } = await ended(words, nowhere)
  expect(code).toBe(2)
  expect(stdout).toBe('')
  expect(stderr.split('\n')[0]).toContain(`hoop: ${sentence}`)
  expect(stderr).toMatch(/\n {2}hint: .+\n$/)
})

test('an error is a sentence and a hint; where it came from is shown with --debug only', async () => {
  const { code, stderr } = await ended(['targets'], nowhere)
  expect(code).toBe(1)
  expect(stderr).toBe(
    'hoop: cannot reach 127.0.0.1:1 (connection refused)\n  hint: check the address with "hoop status"\n',
  )
  expect((await ended(['targets', '--debug'], nowhere)).stderr).toMatch(/caused by: .*ECONNREFUSED/)
})

test.each([
  [['targets', '--json'], {}],
  [['--json', 'targets'], {}],
  [['targets'], { HOOP_JSON: '1' }],
])('an error is one JSON object on one line with %j %o', async (words, env) => {
  const { code, stdout, stderr } = await ended(words, { ...nowhere, ...env })
  expect(stdout).toBe('')
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: 'gateway-unreachable',
      message: 'cannot reach 127.0.0.1:1 (connection refused)',
      hint: 'check the address with "hoop status"',
      exit: 1,
    },
  })
  expect(code).toBe(1)
})

test('exits with 4 where a sign-in is needed', async () => {
  const gateway = await startTestGateway()
  expect((await ended(['targets', '--gateway', gateway.url])).code).toBe(4)
  expect((await ended(['targets', '--gateway', gateway.url], { HOOP_TOKEN: 'bad' })).code).toBe(4)
})

test('Ctrl-C ends following in good order', async () => {
  const gateway = await startTestGateway()
  await gateway.audit.append([command('cmd_1')])
  const running = runMain(['logs', '-f'], { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'auditor-token' })
  await running.seen('#1')
  running.signal('SIGINT')
  expect(await running.code).toBe(0)
  expect(running.stderr()).toBe('')
})

test('a reader that goes away is no error: "hoop logs -f | head"', async () => {
  const gateway = await startTestGateway()
  await gateway.audit.append([command('cmd_1')])
  const running = runMain(['logs', '-f'], { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'auditor-token' })
  await running.seen('#1')
  running.closeStdout()
  expect(await running.code).toBe(0)
  expect(running.stderr()).toBe('')
})

test('a second Ctrl-C leaves a command that does not end', async () => {
  const asked = Promise.withResolvers<void>()
  const silent = createServer(() => asked.resolve()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => silent.closeAllConnections())
  onTestFinished(() => void silent.close())
  const { port } = silent.address() as AddressInfo
  const running = runMain(['targets'], { HOOP_GATEWAY: `http://127.0.0.1:${port}`, HOOP_TOKEN: 'x' })
  await asked.promise
  running.signal('SIGINT')
  running.signal('SIGINT')
  expect(await running.code).toBe(2)
  expect(running.stderr()).toContain('interrupted')
})

function configHome(text: string): string {
  const home = mkdtempSync(join(tmpdir(), 'hoop-config-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'hoop'))
  writeFileSync(join(home, 'hoop', 'config.json'), text)
  return home
}

test.each([
  ['{', 'is not JSON'],
  ['[]', 'has to be an object'],
  ['{"gatway": "x"}', 'there is no setting "gatway"'],
  ['{"gateway": 7}', '"gateway" has to be a text'],
])('a mistake in the config file is named: %s', async (text, sentence) => {
  const { code, stderr } = await ended(['targets'], { XDG_CONFIG_HOME: configHome(text) })
  expect(code).toBe(1)
  expect(stderr).toContain(sentence)
})

test('a flag goes before a variable, a variable before the config file', async () => {
  const config = configHome('{"gateway": "http://127.0.0.1:3"}')
  const reached = async (words: string[], env: Record<string, string>) =>
    (await ended(['targets', ...words], { HOOP_TOKEN: 'x', XDG_CONFIG_HOME: config, ...env })).stderr.match(
      /127\.0\.0\.1:\d/,
    )?.[0]
  expect(await reached([], {})).toBe('127.0.0.1:3')
  expect(await reached([], { HOOP_GATEWAY: 'http://127.0.0.1:2' })).toBe('127.0.0.1:2')
  expect(await reached(['--gateway', 'http://127.0.0.1:1'], { HOOP_GATEWAY: 'http://127.0.0.1:2' })).toBe('127.0.0.1:1')
})
