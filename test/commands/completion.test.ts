import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TargetInfo } from '../../src/contract/api.ts'
import { shop, startTestGateway } from '../support/gateway.ts'
import { runMain } from '../support/host.ts'
import { emptyHome } from '../support/terminal.ts'

async function offered(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const running = runMain(['__complete', ...words], env)
  expect(await running.code).toBe(0)
  expect(running.stderr()).toBe('')
  return running
    .stdout()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t', 1)[0] ?? '')
}

async function script(shell: string): Promise<string> {
  const running = runMain(['completion', shell])
  await running.code
  return running.stdout()
}

test.each([
  [['lo'], ['login', 'logout', 'logs']],
  [
    ['sessions', ''],
    ['list', 'show', 'kill'],
  ],
  [['logs', '--verd'], ['--verdict']],
  [
    ['logs', '--verdict', ''],
    ['allow', 'deny', 'hold'],
  ],
  [['logs', '--json', '--verdict', 'd'], ['deny']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['help', 'ex'], ['exit-codes']],
  [['connect', 'pg', '--', 'psq'], []],
  [['nonsense', ''], []],
])('offers what could come next: %j → %j', async (words, expected) => {
  expect(await offered(words)).toEqual(expected)
})

test('offers the names of targets, and none twice', async () => {
  const gateway = await startTestGateway()
  const env = { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'dev-token' }
  expect(await offered(['connect', ''], env)).toEqual(['pg-prod'])
  expect(await offered(['connect', '--port', '5000', 'p'], env)).toEqual(['pg-prod'])
  expect(await offered(['connect', 'pg-prod', ''], env)).toEqual([])
  expect(await offered(['logs', '--target', ''], env)).toEqual(['pg-prod'])
})

test('offers only SSH targets to hoop ssh and hoop proxy, and nothing of what is ssh’s', async () => {
  const ssh: TargetInfo = { ...shop, name: 'ssh-prod', protocol: 'ssh' }
  const gateway = await startTestGateway({ targets: [shop, ssh] })
  const env = { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'dev-token' }
  expect(await offered(['ssh', ''], env)).toEqual(['ssh-prod'])
  expect(await offered(['proxy', 's'], env)).toEqual(['ssh-prod'])
  expect(await offered(['ssh', 'ssh-prod', '-'], env)).toEqual([])
})

test('is silent where there is no gateway', async () => {
  expect(await offered(['connect', ''], { HOOP_GATEWAY: 'http://127.0.0.1:1', HOOP_TOKEN: 'x' })).toEqual([])
  expect(await offered(['connect', ''])).toEqual([])
})

test('bash hands over the words before the cursor and takes the names', async () => {
  const file = join(emptyHome(), 'completion.bash')
  writeFileSync(file, await script('bash'))
  const line = `source ${file}
hoop() { printf '%s|' "$@" >&2; printf 'pg-prod\\tthe shop\\npg-pre\\t\\n'; }
exec 2>&1
COMP_WORDS=(hoop connect --port 1 ''); COMP_CWORD=4
_hoop 2>&1; printf '%s;' "\${COMPREPLY[@]}"; complete -p hoop`
  const { stdout, status } = spawnSync('bash', ['--norc', '-c', line], { encoding: 'utf8' })
  expect(status).toBe(0)
  expect(stdout).toContain('pg-prod;pg-pre;')
  expect(stdout).toContain('complete -o default -F _hoop hoop')
})

test.each([
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
])('%s accepts its script', async (shell, flags) => {
  if (spawnSync(shell, ['--version']).error !== undefined) {
    if (process.env.CI) throw new Error(`${shell} is missing: CI has to install it`)
    console.warn(`skipped: ${shell} is not installed here, so its completion script is not checked`)
    return
  }
  const file = join(emptyHome(), `completion.${shell}`)
  writeFileSync(file, await script(shell))
  const { status, stderr } = spawnSync(shell, [...flags, file], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})
