import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Command } from '../../../../../src/contract/command.ts'
import type { Refusal } from '../../../../../src/contract/refusal.ts'
import type { Hold, Permit } from '../../../../../src/gateway/checkpoint.ts'
import { message } from '../../../../../src/gateway/protocols/ssh/sftp/wire.ts'
import { createRecordingCheckpoint, noMasks } from '../../../../support/conversation.ts'
import {
  attrsOf,
  closeOf,
  dataOf,
  handleOf,
  lstatOf,
  nameOf,
  ok,
  openFor,
  openGreeted,
  openTalk,
  readOf,
  refusedWith,
  removeOf,
  settled,
  statOf,
  statusOf,
  writeOf,
} from './talk.ts'

const denied: Refusal = { code: 'denied', message: 'refused: no', next: 'ask' }
const deny = (part: string) => (batch: readonly Command[]) =>
  batch.some(({ text }) => text.includes(part)) ? denied : undefined
const hold: Hold = {
  approval: 'apr_1',
  session: 'ses_1',
  rule: 'test',
  message: 'held for dba',
  hint: 'hoop approve apr_1',
  groups: ['dba'],
  expires: 0,
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Holds what names this part, until the test answers; a client that goes away is an answer as well. */
function holding(part: string) {
  let answer: (refusal: Refusal | undefined) => void = () => undefined
  const checkpoint = createRecordingCheckpoint((batch, asking) => {
    if (!batch.some(({ text }) => text.includes(part))) return undefined
    asking?.onHold?.(hold)
    return new Promise((resolve) => {
      answer = resolve
      asking?.signal?.addEventListener('abort', () => resolve({ ...denied, code: 'cancelled' }))
    })
  })
  return { checkpoint, answer: (refusal?: Refusal) => answer(refusal) }
}

describe('the greeting', () => {
  it('is of version 3, whatever the client offers', async () => {
    const { client, target } = openTalk()
    client.say(message(1, 6))
    await target.hears(message(1, 3))
  })

  it('announces the extensions that are understood, and no others', async () => {
    const { client, target } = openTalk()
    client.say(message(1, 3))
    await target.hears(message(1, 3))
    target.say(message(2, 3, 'posix-rename@openssh.com', '1', 'run-program@evil', '1', 'limits@openssh.com', '1'))
    await client.hears(message(2, 3, 'posix-rename@openssh.com', '1', 'limits@openssh.com', '1'))
  })

  it('keeps what the client asks meanwhile until it is over', async () => {
    const { client, target, checkpoint } = openTalk()
    client.say(message(1, 3), statOf(1, 'x'))
    await target.hears(message(1, 3))
    target.say(message(2, 3))
    await target.hears(message(16, 0, '.'))
    await settled()
    expect(checkpoint.log).toEqual([])
    target.say(nameOf(0, '/home/u'))
    await target.hears(statOf(1, 'x'))
    expect(checkpoint.log).toEqual(['clear sftp stat /home/u/x (asked as x)'])
  })

  it.each([
    [
      'a target that speaks another version',
      message(2, 4),
      'the target speaks SFTP version 4; the gateway understands version 3',
    ],
    ['a target that begins with something else', statusOf(0), 'the target does not begin with VERSION'],
  ])('ends with %s', async (_what, said, sentence) => {
    const { client, target, ended } = openTalk()
    client.say(message(1, 3))
    target.say(said)
    expect(await ended).toBe(sentence)
  })

  it.each([
    ['does not begin with INIT', [statOf(1, '/')], 'the client does not begin with INIT'],
    [
      'sends a message that is too long',
      [Buffer.from([0, 4, 0, 1])],
      'the client sent a message of 262145 bytes; the longest is 262144',
    ],
  ])('ends with a client that %s', async (_what, said, sentence) => {
    const { client, ended } = openTalk()
    client.say(...said)
    expect(await ended).toBe(sentence)
  })
})

describe('a file', () => {
  it('is one command from OPEN to CLOSE, with what went through', async () => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 1))
    await target.hears(openFor(1, '/srv/a', 1))
    target.say(handleOf(1, 'h'))
    await client.hears(handleOf(1, 'h'))
    // Answers may come in another order than questions, and shorter than asked for.
    const reads = [readOf(2, 'h', 0, 5), readOf(3, 'h', 5, 5), readOf(4, 'h', 10, 5)]
    client.say(...reads)
    await target.hears(...reads)
    const answers = [dataOf(3, 'world'), statusOf(4, 1), dataOf(2, 'hello')]
    target.say(...answers)
    await client.hears(...answers)
    client.say(closeOf(5, 'h'))
    await target.hears(closeOf(5, 'h'))
    target.say(ok(5))
    await client.hears(ok(5))
    expect(checkpoint.log).toEqual(['clear sftp read /srv/a', 'settle done sftp read /srv/a'])
    expect(checkpoint.outcomes[0]?.outcome).toEqual({
      status: 'done',
      bytesOut: 10,
      transfer: { direction: 'download', bytes: 10, sha256: sha256('helloworld') },
    })
  })

  it('is an upload when it is written', async () => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 0x1a))
    await target.next()
    target.say(handleOf(1, 'h'))
    await client.next()
    const asked = [writeOf(2, 'h', 3, 'def'), writeOf(3, 'h', 0, 'abc'), closeOf(4, 'h')]
    client.say(...asked)
    await target.hears(...asked)
    // CLOSE is answered before a WRITE: only then is everything known.
    target.say(ok(4), ok(2), ok(3))
    await client.hears(ok(4), ok(2), ok(3))
    expect(checkpoint.outcomes[0]?.outcome).toEqual({
      status: 'done',
      bytesIn: 6,
      transfer: { direction: 'upload', bytes: 6, sha256: sha256('abcdef') },
    })
  })

  it('has failed when a piece of it was not written, and nobody knows what it is', async () => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 0x1a))
    await target.next()
    target.say(handleOf(1, 'h'))
    await client.next()
    client.say(writeOf(2, 'h', 0, 'abc'), closeOf(3, 'h'))
    await target.next()
    target.say(statusOf(2, 4, 'No space left on device'), ok(3))
    await client.next()
    await client.next()
    expect(checkpoint.outcomes[0]?.outcome).toMatchObject({
      status: 'failed',
      error: { code: 'SSH_FX_FAILURE', message: 'No space left on device' },
      transfer: { sha256: null },
    })
  })

  it('that the target did not open has failed', async () => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 1))
    await target.next()
    target.say(statusOf(1, 2))
    await client.hears(statusOf(1, 2))
    expect(checkpoint.outcomes[0]?.outcome).toEqual({
      status: 'failed',
      error: { code: 'SSH_FX_NO_SUCH_FILE', message: 'no such file' },
    })
  })

  it.each([
    ['read where it was opened for writing', 2, readOf(2, 'h', 0, 5), 'it is not open for this (read)'],
    ['written where it was opened for reading', 1, writeOf(2, 'h', 0, 'x'), 'it is not open for this (write)'],
    ['listed', 1, message(12, 2, 'h'), 'it is not open for this (readdir)'],
  ])('is not %s', async (_what, flags, asked, sentence) => {
    const { client, target } = await openGreeted()
    client.say(openFor(1, '/srv/a', flags))
    await target.next()
    target.say(handleOf(1, 'h'))
    await client.next()
    client.say(asked)
    await client.hears(refusedWith(2, sentence))
    client.say(closeOf(3, 'h'))
    await target.hears(closeOf(3, 'h'))
    target.say(ok(3))
    await client.hears(ok(3))
  })

  it('is reached by its own handle only', async () => {
    const { client, target } = await openGreeted()
    client.say(readOf(1, 'other', 0, 5))
    await client.hears(refusedWith(1, 'there is no such handle', 4))
    expect(target.waiting).toHaveLength(0)
  })

  it.each([
    ['what was written', 3, sha256('abc'), undefined],
    ['less', 1, null, 'size set to 1'],
  ])('that is being written may be set to a size: %s', async (_what, size, digest, summary) => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 0x0a))
    await target.next()
    target.say(handleOf(1, 'h'))
    await client.next()
    const asked = [writeOf(2, 'h', 0, 'abc'), message(10, 3, 'h', 1, 0, size), closeOf(4, 'h')]
    client.say(...asked)
    await target.hears(...asked)
    target.say(ok(2), ok(3), ok(4))
    await client.hears(ok(2), ok(3), ok(4))
    expect(checkpoint.log).toEqual(['clear sftp write /srv/a (create)', 'settle done sftp write /srv/a (create)'])
    expect(checkpoint.outcomes[0]?.outcome).toMatchObject({ transfer: { sha256: digest } })
    expect(checkpoint.outcomes[0]?.outcome.summary).toBe(summary)
  })

  it('is changed by FSETSTAT with a command of its own', async () => {
    const { client, target, checkpoint } = await openGreeted(createRecordingCheckpoint(deny('setstat')))
    client.say(openFor(1, '/srv/a', 2))
    await target.next()
    target.say(handleOf(1, 'h'))
    await client.next()
    client.say(message(10, 2, 'h', 4, 0o777))
    await client.hears(refusedWith(2, 'refused: no; next: ask'))
    expect(checkpoint.log).toContain('clear sftp setstat /srv/a (mode 0777)')
    expect(target.waiting).toHaveLength(0)
  })

  it('that the target copies into is read and written, and its contents are not known', async () => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 1), openFor(2, '/srv/b', 2))
    await target.hears(openFor(1, '/srv/a', 1), openFor(2, '/srv/b', 2))
    target.say(handleOf(1, 'a'), handleOf(2, 'b'))
    await client.next()
    await client.next()
    const copy = message(200, 3, 'copy-data', 'a', 0, 0, 0, 0, 'b', 0, 0)
    client.say(copy)
    await target.hears(copy)
    target.say(ok(3))
    await client.hears(ok(3))
    client.say(closeOf(4, 'b'))
    await target.next()
    target.say(ok(4))
    await client.next()
    expect(checkpoint.asked[2]?.actions.map(({ verb, objects }) => [verb, ...objects])).toEqual([
      ['sftp read', '/srv/a'],
      ['sftp write', '/srv/b'],
    ])
    expect(checkpoint.outcomes.at(-1)).toMatchObject({
      text: 'sftp write /srv/b',
      outcome: { transfer: { direction: 'upload', bytes: 0, sha256: null } },
    })
  })
})

describe('a refusal', () => {
  it('is told in the answer and beside it, and the session goes on', async () => {
    const { client, target, told, checkpoint } = await openGreeted(createRecordingCheckpoint(deny('/etc/')))
    client.say(openFor(1, '/srv/../etc/passwd', 1))
    await client.hears(refusedWith(1, 'refused: no; next: ask'))
    expect(told.slice(0, 2)).toEqual(['refused: no', 'next: ask'])
    client.say(statOf(1, '/srv'))
    await target.hears(statOf(1, '/srv'))
    expect(checkpoint.log[0]).toBe('clear sftp read /etc/passwd (asked as /srv/../etc/passwd)')
  })

  it.each([
    ['a request that no version has', message(99, 1, 'x'), 'refuse sftp request 99'],
    [
      'an extension that is not understood',
      message(200, 1, 'run-program@evil', 'rm'),
      'refuse sftp extension run-program@evil',
    ],
    ['a flag that is not known', openFor(1, '/srv/a', 0x80), 'refuse sftp open'],
    ['a path with a NUL', openFor(1, '/srv/a\0.txt', 1), 'refuse sftp open'],
  ])('is what %s gets, written down', async (_what, asked, line) => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(asked)
    const answer = await client.next()
    expect([answer.readUInt32BE(5), answer.readUInt32BE(9)]).toEqual([1, 8])
    expect(checkpoint.log).toEqual([line])
    expect(target.waiting).toHaveLength(0)
  })

  it('withholds a file from whom a detector would mask it, and lets it be written', async () => {
    const inner = createRecordingCheckpoint()
    const checkpoint = {
      ...inner,
      async clear(...asked: Parameters<typeof inner.clear>) {
        const clearance = await inner.clear(...asked)
        if ('refusal' in clearance) return clearance
        // The test's own permit: plain data.
        for (const permit of clearance.permits)
          (permit as { -readonly [Key in keyof Permit]: Permit[Key] }).masks = {
            ...noMasks,
            empty: false,
            hasDetectors: true,
          }
        return clearance
      },
    }
    const { client, target } = await openGreeted(checkpoint)
    client.say(openFor(1, '/srv/a', 1))
    expect((await client.next()).toString()).toContain('/srv/a is not shown as a file')
    expect(inner.outcomes[0]?.outcome.status).toBe('refused')
    client.say(openFor(2, '/srv/a', 2))
    await target.hears(openFor(2, '/srv/a', 2))
  })
})

describe('what is held', () => {
  it('waits with a line beside the protocol, and goes when it is approved', async () => {
    const { checkpoint, answer } = holding('remove')
    const { client, target, told } = await openGreeted(checkpoint)
    client.say(removeOf(1, '/srv/a'))
    await settled()
    expect(told).toEqual(['held for dba', 'hoop approve apr_1'])
    expect(target.waiting).toHaveLength(0)
    answer()
    await target.hears(removeOf(1, '/srv/a'))
  })

  it('stalls neither other requests nor their answers, and keeps the order of what is about the same place', async () => {
    const { checkpoint, answer } = holding('remove')
    const { client, target } = await openGreeted(checkpoint)
    client.say(removeOf(1, '/srv/a'), statOf(2, '/srv/b'), openFor(3, '/srv/a', 0x1a), statOf(4, '/srv/c'))
    await target.hears(statOf(2, '/srv/b'), statOf(4, '/srv/c'))
    target.say(attrsOf(2))
    await client.hears(attrsOf(2))
    await settled()
    expect(target.waiting).toHaveLength(0)
    answer()
    await target.hears(removeOf(1, '/srv/a'), openFor(3, '/srv/a', 0x1a))
  })

  it('keeps what is written to the same file behind it', async () => {
    const { checkpoint, answer } = holding('setstat')
    const { client, target } = await openGreeted(checkpoint)
    client.say(openFor(1, '/srv/a', 2), openFor(2, '/srv/b', 2))
    await target.hears(openFor(1, '/srv/a', 2), openFor(2, '/srv/b', 2))
    target.say(handleOf(1, 'a'), handleOf(2, 'b'))
    await client.hears(handleOf(1, 'a'), handleOf(2, 'b'))
    const setstat = message(10, 3, 'a', 4, 0o600)
    client.say(setstat, writeOf(4, 'a', 0, 'after'), writeOf(5, 'b', 0, 'other'))
    await target.hears(writeOf(5, 'b', 0, 'other'))
    await settled()
    expect(target.waiting).toHaveLength(0)
    answer()
    await target.hears(setstat, writeOf(4, 'a', 0, 'after'))
  })

  it('is given up when the client says no more', async () => {
    const { checkpoint } = holding('remove')
    const { client, target, ended } = await openGreeted(checkpoint)
    client.say(removeOf(1, '/srv/a'), statOf(2, '/srv/b'))
    client.end()
    await target.hears(statOf(2, '/srv/b'))
    target.say(attrsOf(2))
    expect(await target.rest()).toHaveLength(0)
    target.end()
    expect(await ended).toBeUndefined()
    expect(checkpoint.log).not.toContain('settle done sftp remove /srv/a')
  })
})

describe('the order', () => {
  it('is that of the asking, also where later ones are cleared first', async () => {
    let release: () => void = () => undefined
    const first = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const slow = createRecordingCheckpoint((batch) => (batch[0]?.text.includes('/srv/0') === true ? first : undefined))
    const { client, target } = await openGreeted(slow)
    const asked = Array.from({ length: 64 }, (_, id) => removeOf(id, `/srv/${id}`))
    client.say(...asked)
    await settled()
    expect(slow.asked).toHaveLength(64)
    expect(target.waiting).toHaveLength(0)
    release()
    await target.hears(...asked)
  })
})

describe('questions', () => {
  it('are commands; the same one again is covered by its record, as long as the rules allow it', async () => {
    let verdict: 'allow' | 'deny' = 'allow'
    const checkpoint = createRecordingCheckpoint(undefined, () => ({ verdict, rule: null, reason: '', config: '' }))
    const { client, target } = await openGreeted(checkpoint)
    for (const id of [1, 2]) {
      client.say(statOf(id, '/srv/a'))
      await target.hears(statOf(id, '/srv/a'))
      target.say(attrsOf(id))
      await client.hears(attrsOf(id))
    }
    expect(checkpoint.log).toEqual(['clear sftp stat /srv/a', 'settle done sftp stat /srv/a'])
    verdict = 'deny'
    client.say(statOf(3, '/srv/a'))
    await target.hears(statOf(3, '/srv/a'))
    expect(checkpoint.log).toHaveLength(3)
  })

  it('about what a listing has shown are covered by its record, where they follow no links', async () => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(message(11, 1, '/srv'))
    await target.next()
    target.say(handleOf(1, 'd'))
    await client.next()
    client.say(message(12, 2, 'd'))
    await target.next()
    target.say(nameOf(2, 'a'))
    await client.next()
    client.say(lstatOf(3, '/srv/a'), lstatOf(4, '/srv/a/b'), statOf(5, '/srv/a'), lstatOf(6, '/srv'))
    await target.hears(lstatOf(3, '/srv/a'), lstatOf(4, '/srv/a/b'), statOf(5, '/srv/a'), lstatOf(6, '/srv'))
    expect(checkpoint.log).toEqual([
      'clear sftp list /srv',
      'clear sftp stat /srv/a/b (lstat)',
      'clear sftp stat /srv/a',
      'clear sftp stat /srv (lstat)',
    ])
    client.say(closeOf(7, 'd'))
    await target.next()
    target.say(ok(7))
    await client.next()
    expect(checkpoint.outcomes[0]).toEqual({ text: 'sftp list /srv', outcome: { status: 'done', rows: 1 } })
  })

  it('about limits need no command, and none above the gateway’s own are told', async () => {
    const { client, target, checkpoint } = await openGreeted()
    client.say(message(200, 1, 'limits@openssh.com'))
    await target.hears(message(200, 1, 'limits@openssh.com'))
    target.say(message(201, 1, 0, 1_000_000, 0, 0, 0, 5000, 0, 100))
    await client.hears(message(201, 1, 0, 262_144, 0, 261_120, 0, 5000, 0, 100))
    expect(checkpoint.log).toEqual([])
  })
})

describe('a target that', () => {
  it.each([
    ['answers what it was not asked', () => statusOf(77), 'the target answers what it was not asked'],
    ['answers something else', () => nameOf(1, 'x'), 'the target answers something else'],
    ['gives more than it was asked for', () => dataOf(1, 'too much'), 'the target gives more than it was asked for'],
    ['sends an answer that is cut off', () => message(101, 1), 'the target sent a message that ends too early'],
    [
      'sends too long a message',
      () => Buffer.from([0, 4, 0, 1]),
      'the target sent a message of 262145 bytes; the longest is 262144',
    ],
  ])('%s ends the channel', async (_what, answer, sentence) => {
    const { client, target, ended, checkpoint } = await openGreeted()
    client.say(openFor(9, '/srv/a', 1))
    await target.next()
    target.say(handleOf(9, 'h'))
    await client.next()
    client.say(readOf(1, 'h', 0, 3))
    await target.next()
    target.say(answer())
    expect(await ended).toBe(sentence)
    expect(checkpoint.outcomes).toMatchObject([{ outcome: { status: 'unknown' } }])
  })

  it('answers a request that is held still was not asked', async () => {
    const { checkpoint } = holding('remove')
    const { client, target, ended } = await openGreeted(checkpoint)
    client.say(removeOf(1, '/srv/a'))
    await settled()
    target.say(ok(1))
    expect(await ended).toBe('the target answers what it was not asked')
  })

  it('gives one handle twice ends the channel', async () => {
    const { client, target, ended } = await openGreeted()
    client.say(openFor(1, '/srv/a', 1), openFor(2, '/srv/b', 1))
    await target.next()
    await target.next()
    target.say(handleOf(1, 'h'), handleOf(2, 'h'))
    expect(await ended).toBe('the target gives one handle twice')
  })

  it('goes away leaves what was open unknown', async () => {
    const { client, target, ended, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 2), removeOf(2, '/srv/b'))
    await target.hears(openFor(1, '/srv/a', 2), removeOf(2, '/srv/b'))
    target.say(handleOf(1, 'h'))
    await client.next()
    target.end()
    expect(await ended).toBeUndefined()
    expect(checkpoint.log.slice(2).toSorted()).toEqual([
      'settle unknown sftp remove /srv/b',
      'settle unknown sftp write /srv/a',
    ])
  })
})

describe('a client that', () => {
  it('uses a number twice ends the channel', async () => {
    const { client, target, ended } = await openGreeted()
    client.say(openFor(1, '/srv/a', 1), openFor(1, '/srv/b', 1))
    await target.next()
    expect(await ended).toBe('the client gives the number 1 to two requests at once')
  })

  it('greets twice ends the channel', async () => {
    const { client, ended } = await openGreeted()
    client.say(message(1, 3))
    expect(await ended).toBe('the client greets twice')
  })

  it('leaves a file open has given it up', async () => {
    const { client, target, ended, checkpoint } = await openGreeted()
    client.say(openFor(1, '/srv/a', 2))
    await target.next()
    target.say(handleOf(1, 'h'))
    await client.next()
    client.say(writeOf(2, 'h', 0, 'half'))
    client.end()
    await target.next()
    await target.rest()
    target.end()
    expect(await ended).toBeUndefined()
    expect(checkpoint.outcomes[0]?.outcome).toMatchObject({
      status: 'cancelled',
      transfer: { bytes: 4, sha256: sha256('half') },
    })
  })

  it('is killed does not know what became of it', async () => {
    const { client, target, ended, checkpoint, kill } = await openGreeted()
    client.say(openFor(1, '/srv/a', 2))
    await target.next()
    target.say(handleOf(1, 'h'))
    await client.next()
    kill({ ...denied, code: 'killed' })
    await ended
    expect(checkpoint.outcomes[0]?.outcome.status).toBe('unknown')
  })

  it('never reads its answers is not asked for more', async () => {
    const { client, target, checkpoint } = await openGreeted(createRecordingCheckpoint(() => denied))
    client.stopReading()
    client.say(...Array.from({ length: 20_000 }, (_, id) => removeOf(id, `/srv/${id}`)))
    let before: number
    do {
      before = checkpoint.asked.length
      await settled()
    } while (checkpoint.asked.length > before)
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(10_000)
    expect(target.waiting).toHaveLength(0)
  })
})
