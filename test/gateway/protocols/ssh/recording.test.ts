/** What is kept of a program on OpenSSH's own server, in real files. */
import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { Secret } from '../../../../src/base/secret.ts'
import { createEventReader } from '../../../../src/contract/asciicast.ts'
import { createRecordings } from '../../../../src/gateway/audit/recordings.ts'
import { createRecordingCheckpoint, openDoor } from '../../../support/conversation.ts'
import { hasSshd, startTestSshd, type TestSshd } from '../../../support/sshd.ts'
import { storePath } from '../../../support/store-folder.ts'
import { connectClient, createTestSsh, run, targetOn } from './door.ts'
import { credentialOf } from '../../../support/credentials.ts'

describe.skipIf(!hasSshd())('a recording of a program over SSH', () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startTestSshd({})
  })
  afterAll(() => sshd.stop())

  it('shows what the client was shown, and is the one that the outcome proves', async () => {
    const store = createRecordings({ store: storePath(), flush: true, limit: () => 1 << 20, clock: systemClock })
    const checkpoint = createRecordingCheckpoint()
    const door = await openDoor({
      protocol: createTestSsh(),
      target: targetOn(sshd),
      credential: credentialOf(new Secret(sshd.clientKey)),
      checkpoint,
      recordings: store.of({ session: 'ses_1' }),
    })
    const { client } = await connectClient(door.port)
    onTestFinished(async () => {
      client.destroy()
      await door.close()
      await store.close()
    })
    const pty = { rows: 30, cols: 100, height: 0, width: 0, term: 'xterm' }
    const ended = await run(client, "printf '\\033[1mgrün\\033[0m\\n'; sleep 0.2; head -c 100000 /dev/zero; exit 4", {
      pty,
    })
    expect(ended.status).toBe(4)
    while (checkpoint.outcomes.length === 0) await pause(2)

    const [recording] = await store.list('ses_1')
    expect(recording).toMatchObject({ state: 'ended', width: 100, height: 30 })
    const file = await store.read('ses_1', recording?.command ?? '')
    const kept = file === undefined ? '' : await text(file.stream)
    const proof = { sha256: createHash('sha256').update(kept).digest('hex'), bytes: Buffer.byteLength(kept) }
    expect(checkpoint.outcomes[0]?.outcome.recording).toEqual(proof)

    const read = createEventReader()
    const events = kept.split('\n').map(read)
    const of = (code: string) =>
      events
        .filter((event) => event?.code === code)
        .map((event) => event?.data)
        .join('')
    expect(of('o').startsWith('\u001b[1mgrün\u001b[0m\r\n')).toBe(true)
    expect(of('m')).toMatch(/KiB of output not kept: they are not text$/)
    expect(of('x')).toBe('4')
  })
})
