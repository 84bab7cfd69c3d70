import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runMain } from '../support/host.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-command-'))
  file = join(folder, 'hoop.yaml')
})
afterEach(() => rm(folder, { recursive: true }))

const good = `listen: { port: 0 }
identity: { issuer: 'http://127.0.0.1:1', clientId: hoop, audience: hoop }
store: { path: hoop.sqlite }
targets:
  - { name: pg-prod, protocol: postgres, host: 127.0.0.1, port: 1, user: app, access: { groups: [dev] } }
rules: [{ name: all, effect: allow }]
`

describe('hoop gateway check', () => {
  it('explains a good file', async () => {
    await writeFile(file, good)
    const run = runMain(['gateway', 'check', '--config', file])
    expect(await run.code).toBe(0)
    expect(run.stdout()).toMatch(
      /pg-prod: postgres at 127\.0\.0\.1:1 .*\n {2}may be opened by: dev\n {2}all {2}allows everything/,
    )
    expect(run.stdout()).toMatch(/is good: 1 target, 1 rule, 0 masks; its hash is [0-9a-f]{64}\n$/)
  })

  it('ends with 1 and every mistake with its place', async () => {
    await writeFile(file, good.replace('effect: allow', 'effect: alow').replace('store', 'stroe'))
    const run = runMain(['gateway', 'check', '--config', file])
    expect(await run.code).toBe(1)
    expect(run.stdout()).toContain(`${file}:6:30: "effect" has to be one of allow, deny, hold; did you mean "allow"?`)
    expect(run.stdout()).toContain(`${file}:3:1: there is no key "stroe"; did you mean "store"?`)
    expect(run.stderr()).toContain('2 mistakes')
  })

  it('is good with warnings, which it says', async () => {
    await writeFile(file, good.replace('allow', 'deny'))
    const run = runMain(['gateway', 'check', '--config', file])
    expect(await run.code).toBe(0)
    expect(run.stdout()).toMatch(/:5:13: warning: target "pg-prod" is closed/)
  })

  it('answers in JSON', async () => {
    await writeFile(file, 'nonsense: 1\n')
    const run = runMain(['gateway', 'check', '--config', file, '--json'])
    expect(await run.code).toBe(1)
    expect(JSON.parse(run.stdout())).toMatchObject({
      ok: false,
      findings: expect.arrayContaining([
        expect.objectContaining({ line: 1, column: 1, severity: 'mistake', file, message: expect.any(String) }),
      ]),
    })
  })

  it('takes the file from the environment, and asks for it where there is none', async () => {
    await writeFile(file, good)
    expect(await runMain(['gateway', 'check'], { HOOP_CONFIG: file }).code).toBe(0)
    const run = runMain(['gateway', 'check'])
    expect(await run.code).toBe(2)
    expect(run.stderr()).toContain('--config')
  })
})

describe('hoop gateway', () => {
  it('says when it is ready, reloads on SIGHUP, and ends well when told to', async () => {
    await writeFile(file, good)
    const run = runMain(['gateway', '--config', file, '--log-file', join(folder, 'log'), '--json'])
    await run.seen('\n')
    const { url } = JSON.parse(run.stdout()) as { url: string }
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    await writeFile(file, 'nonsense: 1\n')
    process.emit('SIGHUP')
    await vi.waitFor(
      async () => expect(await readFile(join(folder, 'log'), 'utf8')).toContain('was not reloaded'),
      5000,
    )
    run.signal('SIGTERM')
    expect(await run.code).toBe(0)
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    expect(process.listenerCount('SIGHUP')).toBe(0)
  })

  it('does not start with a mistake in the file', async () => {
    await writeFile(file, 'nonsense: 1\n')
    const run = runMain(['gateway', '--config', file, '--log-file', join(folder, 'log')])
    expect(await run.code).toBe(1)
    expect(run.stderr()).toContain('hoop gateway check')
  })
})
