import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLiveConfig, type LiveConfig } from '../../../src/gateway/config/live.ts'
import { loadConfig } from '../../../src/gateway/config/load.ts'
import { type MemoryAudit, memoryAudit } from '../../support/memory-audit.ts'

const able = { hold: true, maskColumns: true, maskText: true, maskFields: true }
const abilities = { postgres: able, ssh: able, http: able, kubernetes: able }
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const text = (more = '') => `identity: { issuer: https://id.acme.dev, clientId: hoop, audience: hoop }
store: { path: hoop.sqlite }
${more}`
const rule = (name: string) => text(`rules: [{ name: ${name}, effect: allow }]\n`)

let folder: string
let file: string
let audit: MemoryAudit
let live: LiveConfig

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-live-'))
  file = join(folder, 'hoop.yaml')
  await writeFile(file, rule('first'))
  audit = memoryAudit()
  live = createLiveConfig({ file, first: await loadConfig(file, abilities), abilities, audit, log: quiet })
})
afterEach(async () => {
  live.close()
  await rm(folder, { recursive: true })
})
const ruleInForce = () => live.current().config.rules[0]?.name
const admin = () => audit.of('admin').map(({ action }) => action)

describe('a reload', () => {
  it('puts the new file in force and is in the audit, with both hashes', async () => {
    const before = live.current().config.hash
    await writeFile(file, rule('second'))
    expect(await live.reload()).toBe('reloaded')
    expect(ruleInForce()).toBe('second')
    expect(audit.of('admin')).toMatchObject([{ action: 'config.reload', user: 'gateway', session: null }])
    expect(audit.of('admin')[0]?.detail).toContain(`${before} replaced by ${live.current().config.hash}`)
  })

  it('of a bad file keeps the old one, says why, and is in the audit once', async () => {
    await writeFile(file, text('ruels: []\n'))
    expect(await live.reload()).toEqual({ refused: expect.stringMatching(/hoop\.yaml:3:1: .*did you mean "rules"/) })
    await live.reload()
    expect(ruleInForce()).toBe('first')
    expect(admin()).toEqual(['config.refused'])
  })

  it('of the same file is nothing', async () => {
    expect(await live.reload()).toBe('unchanged')
    expect(audit.records).toEqual([])
  })

  it('of a missing file keeps the old one', async () => {
    await rm(file)
    expect(await live.reload()).toEqual({ refused: expect.stringContaining('cannot read') })
    expect(ruleInForce()).toBe('first')
  })

  it('that cannot be written down is not made', async () => {
    audit.failing = () => true
    await writeFile(file, rule('second'))
    expect(await live.reload()).toEqual({ refused: expect.stringContaining('cannot be written down') })
    expect(ruleInForce()).toBe('first')
    audit.failing = () => false
    expect(await live.reload()).toBe('reloaded')
  })

  it('refuses what only a start can change, whole', async () => {
    await writeFile(file, `${rule('second')}listen: { port: 1234 }\n`)
    expect(await live.reload()).toEqual({ refused: '"listen" can only change with a restart' })
    expect(ruleInForce()).toBe('first')
  })

  it('takes a certificate authority that was exchanged under the same name', async () => {
    const pem = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n`
    await writeFile(join(folder, 'ca.pem'), pem('old'))
    const target =
      '{ name: pg, protocol: postgres, host: db, port: 1, user: u, tls: { ca: ca.pem }, access: { groups: [g] } }'
    await writeFile(file, `${rule('second')}targets: [${target}]\n`)
    expect(await live.reload()).toBe('reloaded')
    await writeFile(join(folder, 'ca.pem'), pem('new'))
    expect(await live.reload()).toBe('reloaded')
    expect(live.current().targets.get('pg')?.tls.ca).toContain('new')
  })

  it('comes after the one before it: the last file wins', async () => {
    await writeFile(file, rule('second'))
    const one = live.reload()
    const two = live.reload()
    expect([await one, await two]).toEqual(['reloaded', 'unchanged'])
  })
})

describe('a change of the file', () => {
  it('is noticed when the file is written', async () => {
    await writeFile(file, rule('second'))
    await vi.waitFor(() => expect(ruleInForce()).toBe('second'), 5000)
  })

  it('is noticed when the file is replaced, again and again', async () => {
    for (const name of ['second', 'third']) {
      await writeFile(`${file}.new`, rule(name))
      await rename(`${file}.new`, file)
      await vi.waitFor(() => expect(ruleInForce()).toBe(name), 5000)
    }
    expect(admin()).toEqual(['config.reload', 'config.reload'])
  })

  it('to a bad file is told, and its repair is taken', async () => {
    await writeFile(file, 'nonsense: 1\n')
    await vi.waitFor(() => expect(admin()).toEqual(['config.refused']), 5000)
    await writeFile(file, rule('second'))
    await vi.waitFor(() => expect(ruleInForce()).toBe('second'), 5000)
  })
})
