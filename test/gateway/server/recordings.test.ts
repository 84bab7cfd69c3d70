import { createHash } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createScope, type Scope } from '../../../src/base/scope.ts'
import { paths, recordingsSchema } from '../../../src/contract/api.ts'
import { castType } from '../../../src/contract/asciicast.ts'
import { createRecordings } from '../../../src/gateway/audit/recordings.ts'
import { type Door, startDoor } from '../../support/door.ts'
import { permitFor } from '../../support/permits.ts'
import { storePath } from '../../support/store-folder.ts'

let scope: Scope = createScope()
afterEach(async () => {
  await scope.close()
  scope = createScope()
})

/** A session of ana's with one recording. */
async function open(): Promise<{ door: Door; sha256: string; bytes: number }> {
  const store = { store: storePath(), flush: false, limit: () => 1 << 20, clock: systemClock }
  const recordings = createRecordings(store)
  const door = await startDoor({ recordings })
  scope.defer(() => door.close())
  door.sessions.all.set('ses_ana', {
    ...{ id: 'ses_ana', user: 'ana@acme', agent: null, reason: null, targets: ['ssh-prod'] },
    ...{ started: new Date().toISOString(), ended: null, why: null, connections: 1, commands: 1 },
  })
  const head = { width: 80, height: 24, title: 'shell' }
  const { start } = recordings.of({ session: 'ses_ana' })
  const recorder = await start(permitFor('cmd_1'), head, () => undefined)
  recorder.output(Buffer.from('secret of ana\r\n'))
  return { door, ...(await recorder.end(0)) }
}

async function ask(door: Door, path: string, who: { sub?: string; email?: string; groups?: string[] } = {}) {
  const token = await door.issuer.token(who)
  return await fetch(`${door.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
}

const bob = { sub: 'sub-bob', email: 'bob@acme' }

it.each([
  ['its owner', {}],
  ['an auditor', { ...bob, groups: ['audit'] }],
  ['an admin', { ...bob, groups: ['sre'] }],
])('is listed for %s, and fetched as the very file that the audit has the hash of', async (_who, who) => {
  const { door, sha256, bytes } = await open()
  const list = await ask(door, paths.recordings('ses_ana'), who)
  expect(recordingsSchema.parse(await list.json())).toMatchObject([{ command: 'cmd_1', state: 'ended', bytes }])
  const one = await ask(door, paths.recording('ses_ana', 'cmd_1'), who)
  expect(one.headers.get('content-type')).toBe(castType)
  expect(one.headers.get('cache-control')).toBe('no-store')
  const body = Buffer.from(await one.arrayBuffer())
  expect(createHash('sha256').update(body).digest('hex')).toBe(sha256)
})

it('is nothing for anybody else', async () => {
  const { door } = await open()
  for (const path of [paths.recordings('ses_ana'), paths.recording('ses_ana', 'cmd_1')]) {
    const answer = await ask(door, path, bob)
    expect(answer.status).toBe(403)
    expect(await answer.text()).not.toContain('secret')
    expect((await fetch(`${door.url}${path}`)).status).toBe(401)
  }
})

it.each([
  ['a session that is a path', '/v1/sessions/..%2f..%2fetc/recordings'],
  ['a command that is a path', '/v1/sessions/ses_ana/recordings/..%2f..%2f..%2fhoop.db'],
  ['a command with a zero byte', '/v1/sessions/ses_ana/recordings/cmd_1%00'],
  ['a command with an ending', '/v1/sessions/ses_ana/recordings/cmd_1.cast'],
])('refuses %s', async (_what, path) => {
  const { door } = await open()
  const answer = await ask(door, path, { groups: ['sre'] })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { code: 'usage' } })
})

it('says what is not there', async () => {
  const { door } = await open()
  expect((await ask(door, paths.recording('ses_ana', 'cmd_2'))).status).toBe(404)
  expect((await ask(door, paths.recordings('ses_other'), { groups: ['audit'] })).status).toBe(404)
})
