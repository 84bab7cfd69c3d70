import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { RecordDraft } from '../../../src/contract/record.ts'
import { adminRecord } from '../../../src/gateway/config/live.ts'
import { createTargetKeys } from '../../../src/gateway/credentials/target-keys.ts'
import type { Target } from '../../../src/gateway/protocols/protocol.ts'
import { fingerprintOf, generateKeyPair } from '../../../src/gateway/protocols/ssh/index.ts'

const bearer = { session: 'ses_1', user: 'ana@acme.test', groups: [] }
const keyOf = () => generateKeyPair().public.split(' ', 2).join(' ')
const target = (host: string, port: number): Target => ({
  name: 'ssh-prod',
  protocol: 'ssh',
  host,
  port,
  tls: { mode: 'disable' },
  user: 'deploy',
  databases: [],
})

describe('host keys of targets, taken on first use', () => {
  let store: string
  let records: RecordDraft[]
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'hoop-keys-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    store = join(folder, 'hoop.db')
    records = []
  })
  const open = (append = async (drafts: readonly RecordDraft[]) => void records.push(...drafts)) =>
    createTargetKeys(store, { append }, adminRecord)

  it('are kept beside the store for the gateway’s eyes, and known to the next one', async () => {
    const key = keyOf()
    expect(await open().known(target('db.acme.test', 22))).toBeUndefined()
    expect(await open().take(target('db.acme.test', 22), key, bearer)).toBe(key)
    expect(await open().known(target('DB.acme.test', 22))).toBe(key)
    expect(await open().known(target('db.acme.test', 2222))).toBeUndefined()
    expect(readFileSync(`${store}.target-keys`, 'utf8')).toBe(`[db.acme.test]:22 ${key}\n`)
    expect(statSync(`${store}.target-keys`).mode & 0o777).toBe(0o600)
  })

  it('are recorded with their fingerprint and for whom', async () => {
    const key = keyOf()
    await open().take(target('db.acme.test', 22), key, bearer)
    expect(records).toMatchObject([{ type: 'admin', action: 'target-key.taken' }])
    const [{ detail } = { detail: '' }] = records as { detail: string }[]
    expect(detail).toContain(fingerprintOf(key))
    expect(detail).toContain('ana@acme.test')
  })

  it('are not taken when that cannot be written down', async () => {
    const keys = open(() => Promise.reject(new Error('the disk is full')))
    await expect(keys.take(target('db.acme.test', 22), keyOf(), bearer)).rejects.toThrow('full')
    expect(await keys.known(target('db.acme.test', 22))).toBeUndefined()
  })

  it('are the first of those that come at once', async () => {
    const keys = open()
    const offered = [keyOf(), keyOf(), keyOf()]
    const kept = await Promise.all(offered.map((key) => keys.take(target('db.acme.test', 22), key, bearer)))
    expect(new Set(kept)).toEqual(new Set([offered[0]]))
    expect(records).toHaveLength(1)
  })
})
