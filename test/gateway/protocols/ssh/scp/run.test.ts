import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Refusal } from '../../../../../src/contract/refusal.ts'
import type { Command } from '../../../../../src/contract/command.ts'
import { readScp } from '../../../../../src/gateway/protocols/ssh/scp/call.ts'
import { runScp } from '../../../../../src/gateway/protocols/ssh/scp/run.ts'
import { cuts } from '../../../../support/chunks.ts'
import { createRecordingCheckpoint } from '../../../../support/conversation.ts'
import { createMemoryEnds, hear } from '../../../../support/file-ends.ts'

const yes = '\0'
const denied: Refusal = { code: 'denied', message: 'refused: no', next: 'ask' }
const deny = (part: string) => (batch: readonly Command[]) =>
  batch.some(({ text }) => text.includes(part)) ? denied : undefined
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

function openScp(line: string, checkpoint = createRecordingCheckpoint(), start: string | undefined = '/home/u') {
  const call = readScp(line)
  if (call === undefined) throw new Error(`${line} is not scp's other half`)
  const { ends, client, target, told } = createMemoryEnds()
  const killer = new AbortController()
  const ended = runScp(ends, { checkpoint, signal: killer.signal, call, start })
  onTestFinished(() => {
    killer.abort()
    client.destroy()
    target.destroy()
  })
  const sideOf = (stream: typeof client) => {
    const hearing = hear(stream)
    return {
      stream,
      say: (text: string) => void stream.write(Buffer.from(text)),
      async hears(text: string) {
        expect((await hearing.take(Buffer.byteLength(text))).toString()).toBe(text)
      },
      get waiting() {
        return hearing.waiting.toString()
      },
      end: () => void stream.end(),
      rest: async () => (await hearing.rest()).toString(),
    }
  }
  return { client: sideOf(client), target: sideOf(target), checkpoint, told, ended }
}

describe('an upload', () => {
  it('is cleared before the target hears of it, and goes through byte by byte', async () => {
    const { client, target, checkpoint, ended } = openScp('scp -t /srv')
    target.say(yes)
    await client.hears(yes)
    client.say('C0644 5 a\n')
    await target.hears('C0644 5 a\n')
    expect(checkpoint.log).toEqual(['clear sftp write /srv/a or /srv (scp, 5 bytes, mode 0644)'])
    expect(checkpoint.asked[0]?.objects).toEqual(['/srv/a', '/srv'])
    target.say(yes)
    await client.hears(yes)
    client.say(`hello${yes}`)
    await target.hears(`hello${yes}`)
    target.say(yes)
    await client.hears(yes)
    client.end()
    expect(await target.rest()).toBe('')
    target.end()
    expect(await ended).toBeUndefined()
    expect(checkpoint.outcomes[0]?.outcome).toEqual({
      status: 'done',
      bytesIn: 5,
      transfer: { direction: 'upload', bytes: 5, sha256: sha256('hello') },
    })
  })

  it('of a tree names each file where it will be', async () => {
    const { client, target, checkpoint } = openScp('scp -r -d -t work')
    target.say(yes)
    await client.hears(yes)
    for (const line of ['T1 0 1 0\n', 'D0755 0 a\n', 'C0644 0 f\n']) {
      client.say(line)
      await target.hears(line)
      target.say(yes)
      await client.hears(yes)
    }
    client.say(yes)
    await target.hears(yes)
    target.say(yes)
    await client.hears(yes)
    client.say('E\n')
    await target.hears('E\n')
    target.say(yes)
    await client.hears(yes)
    client.say('C0600 1 g\n')
    await target.hears('C0600 1 g\n')
    expect(checkpoint.asked.map(({ verb, objects }) => [verb, ...objects])).toEqual([
      ['sftp mkdir', '/home/u/work/a'],
      ['sftp write', '/home/u/work/a/f'],
      ['sftp write', '/home/u/work/g'],
    ])
  })

  it('that is refused is told in an answer, and the next one goes on', async () => {
    const { client, target, checkpoint } = openScp('scp -d -t /srv', createRecordingCheckpoint(deny('/srv/a')))
    target.say(yes)
    await client.hears(yes)
    client.say('C0644 5 a\n')
    await client.hears('\x01hoop: refused: no; next: ask\n')
    client.say('C0644 5 b\n')
    await target.hears('C0644 5 b\n')
    expect(checkpoint.asked).toHaveLength(2)
  })

  it.each([
    ['is not opened', '\x01scp: /srv/a: Permission denied\n', undefined],
    ['does not reach the disk', yes, '\x01scp: /srv/a: No space left on device\n'],
  ])('that %s has failed', async (_what, first, last) => {
    const { client, target, checkpoint } = openScp('scp -d -t /srv')
    target.say(yes)
    await client.hears(yes)
    client.say('C0644 1 a\n')
    await target.hears('C0644 1 a\n')
    target.say(first)
    await client.hears(first)
    if (last !== undefined) {
      client.say(`x${yes}`)
      await target.hears(`x${yes}`)
      target.say(last)
      await client.hears(last)
    }
    expect(checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'failed', error: { code: 'scp' } })
  })

  it('that the client leaves half-way is given up', async () => {
    const { client, target, checkpoint } = openScp('scp -d -t /srv')
    target.say(yes)
    await client.hears(yes)
    client.say('C0644 10 a\n')
    await target.hears('C0644 10 a\n')
    target.say(yes)
    await client.hears(yes)
    client.say('half')
    client.end()
    expect(await target.rest()).toBe('half')
    expect(checkpoint.outcomes[0]?.outcome).toEqual({
      status: 'cancelled',
      bytesIn: 4,
      transfer: { direction: 'upload', bytes: 4, sha256: sha256('half') },
    })
  })

  it('waits while it is held, and is told so', async () => {
    let approve: () => void = () => undefined
    const approved = new Promise<undefined>((resolve) => {
      approve = () => resolve(undefined)
    })
    const hold = { approval: 'apr_1', session: 's', rule: 'r', message: 'held', hint: 'wait', groups: [], expires: 0 }
    const checkpoint = createRecordingCheckpoint((_batch, asking) => {
      asking?.onHold?.(hold)
      return approved
    })
    const { client, target, told } = openScp('scp -t /srv', checkpoint)
    target.say(yes)
    await client.hears(yes)
    client.say('C0644 1 a\n')
    await new Promise((resolve) => setImmediate(resolve))
    expect([target.waiting, told]).toEqual(['', ['held', 'wait']])
    approve()
    await target.hears('C0644 1 a\n')
  })

  it('is understood however its bytes arrive', async () => {
    for (const chunks of cuts(Buffer.from(`C0644 3 a\nabc${yes}C0600 1 b\nx${yes}`))) {
      const { client, target, checkpoint, ended } = openScp('scp -d -t /srv')
      target.say(yes + yes + yes + yes + yes)
      for (const chunk of chunks) client.stream.write(chunk)
      client.end()
      expect(await target.rest()).toBe(`C0644 3 a\nabc${yes}C0600 1 b\nx${yes}`)
      expect(await ended).toBeUndefined()
      expect(checkpoint.outcomes.map(({ outcome }) => outcome.transfer?.sha256)).toEqual([sha256('abc'), sha256('x')])
    }
  })
})

describe('a download', () => {
  it('is cleared before the client hears of it', async () => {
    const { client, target, checkpoint } = openScp('scp -f data/a')
    client.say(yes)
    await target.hears(yes)
    target.say('C0644 5 a\n')
    await client.hears('C0644 5 a\n')
    expect(checkpoint.log).toEqual(['clear sftp read /home/u/data/a (scp, 5 bytes)'])
    client.say(yes)
    await target.hears(yes)
    target.say(`hello${yes}`)
    await client.hears(`hello${yes}`)
    client.say(yes)
    await target.hears(yes)
    expect(checkpoint.outcomes[0]?.outcome).toEqual({
      status: 'done',
      bytesOut: 5,
      transfer: { direction: 'download', bytes: 5, sha256: sha256('hello') },
    })
  })

  it('that is refused is neither shown nor sent', async () => {
    const { client, target } = openScp(
      'scp -f /srv/a',
      createRecordingCheckpoint(() => denied),
    )
    client.say(yes)
    await target.hears(yes)
    target.say('C0644 5 a\n')
    await client.hears('\x01hoop: refused: no; next: ask\n')
    await target.hears('\x01hoop: not passed on\n')
  })

  it('by a pattern is of the files that the target names', async () => {
    const { client, target, checkpoint } = openScp('scp -f /srv/*.txt')
    client.say(yes)
    await target.hears(yes)
    target.say('C0644 5 b.txt\n')
    await client.hears('C0644 5 b.txt\n')
    expect(checkpoint.asked[0]?.objects).toEqual(['/srv/b.txt'])
  })

  it.each([
    ['another file than was asked for', 'C0644 5 .bashrc\n'],
    ['a file elsewhere', 'C0644 5 ../a\n'],
    ['a path', 'C0644 5 /etc/a\n'],
    ['the directory around', 'D0755 0 ..\n'],
    ['what a terminal obeys', 'C0644 5 \x1b[2Ja\n'],
    ['bytes that are not UTF-8', Buffer.from('C0644 5 \xe9\n', 'latin1')],
    ['a line that is not scp’s', 'X0644 5 a\n'],
    ['a negative size', 'C0644 -5 a\n'],
    ['an end of what it did not enter', 'E\n'],
    ['a line without an end', 'x'.repeat(20_000)],
  ])('ends where the target names %s', async (_what, line) => {
    const { client, target, ended, checkpoint } = openScp('scp -f /srv/a')
    client.say(yes)
    await target.hears(yes)
    target.stream.write(Buffer.from(line))
    expect(await ended).toMatch(/^the target /)
    expect(client.waiting).toBe('')
    expect(checkpoint.log).toEqual([])
  })
})

it('lets go what comes after its end, so that the channel can close', async () => {
  const { client, target, ended } = openScp('scp -f /srv/a')
  client.end()
  expect(await target.rest()).toBe('')
  expect(await ended).toBeUndefined()
  for (let piece = 0; piece < 64; piece += 1)
    await new Promise((resolve) => target.stream.write(Buffer.alloc(64 * 1024), resolve))
  expect(client.waiting).toBe('')
})
