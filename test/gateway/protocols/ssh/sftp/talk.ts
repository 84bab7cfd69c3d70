/** SFTP between a client and a target that a test speaks for, through the gateway. */
import { onTestFinished } from 'vitest'
import { runSftp } from '../../../../../src/gateway/protocols/ssh/sftp/run.ts'
import { message } from '../../../../../src/gateway/protocols/ssh/sftp/wire.ts'
import type { Refusal } from '../../../../../src/contract/refusal.ts'
import { createRecordingCheckpoint, type RecordingCheckpoint } from '../../../../support/conversation.ts'
import { createMemoryEnds, hear, type Hearing } from '../../../../support/file-ends.ts'

export interface Talk {
  readonly checkpoint: RecordingCheckpoint
  readonly told: readonly string[]
  readonly client: TalkEnd
  readonly target: TalkEnd
  /** What the relay resolves with, once it is over. */
  readonly ended: Promise<string | undefined>
  kill(reason: Refusal): void
}

export interface TalkEnd {
  say(...messages: readonly Buffer[]): void
  /** Exactly this comes next. */
  hears(...messages: readonly Buffer[]): Promise<void>
  /** The next message, whatever it is. */
  next(): Promise<Buffer>
  readonly waiting: Buffer
  end(): void
  /** Reads nothing any more, whatever comes. */
  stopReading(): void
  rest(): Promise<Buffer>
}

export function openTalk(checkpoint = createRecordingCheckpoint()): Talk {
  const { ends, client, target, told } = createMemoryEnds()
  const killer = new AbortController()
  const ended = runSftp(ends, { checkpoint, signal: killer.signal })
  onTestFinished(() => {
    killer.abort()
    client.destroy()
    target.destroy()
  })
  const endOf = (stream: typeof client): TalkEnd => {
    const hearing = hear(stream)
    return {
      say: (...messages) => void stream.write(Buffer.concat(messages)),
      async hears(...messages) {
        const expected = Buffer.concat(messages)
        const actual = await hearing.take(expected.length)
        if (!actual.equals(expected)) throw new Error(`due: ${readable(expected)}\nheard: ${readable(actual)}`)
      },
      next: () => nextOf(hearing),
      get waiting() {
        return hearing.waiting
      },
      end: () => void stream.end(),
      stopReading: () => void stream.pause(),
      rest: () => hearing.rest(),
    }
  }
  return {
    checkpoint,
    told,
    client: endOf(client),
    target: endOf(target),
    ended,
    kill: (reason) => killer.abort(reason),
  }
}

/** After the greeting, with `/home/u` as the directory in which paths begin. */
export async function openGreeted(checkpoint?: RecordingCheckpoint): Promise<Talk> {
  const talk = openTalk(checkpoint)
  talk.client.say(message(1, 3))
  await talk.target.hears(message(1, 3))
  talk.target.say(message(2, 3))
  await talk.client.hears(message(2, 3))
  await talk.target.hears(message(16, 0, '.'))
  talk.target.say(nameOf(0, '/home/u'))
  return talk
}

/** All that the gateway does without waiting for anybody is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

async function nextOf(hearing: Hearing): Promise<Buffer> {
  const length = await hearing.take(4)
  return Buffer.concat([length, await hearing.take(length.readUInt32BE(0))])
}

function readable(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1'))
}

export const nameOf = (id: number, name: string) => message(104, id, 1, name, name, 0)
export const statusOf = (id: number, code = 0, text = '') => message(101, id, code, text, '')
export const ok = (id: number) => statusOf(id)
export const handleOf = (id: number, handle: string) => message(102, id, handle)
export const dataOf = (id: number, data: string | Buffer) => message(103, id, data)
export const openFor = (id: number, path: string, flags: number) => message(3, id, path, flags, 0)
export const readOf = (id: number, handle: string, offset: number, length: number) =>
  message(5, id, handle, 0, offset, length)
export const writeOf = (id: number, handle: string, offset: number, data: string | Buffer) =>
  message(6, id, handle, 0, offset, data)
export const closeOf = (id: number, handle: string) => message(4, id, handle)
export const statOf = (id: number, path: string) => message(17, id, path)
export const lstatOf = (id: number, path: string) => message(7, id, path)
export const removeOf = (id: number, path: string) => message(13, id, path)
export const attrsOf = (id: number) => message(105, id, 0)
/** What the client is told of a refusal. */
export const refusedWith = (id: number, sentence: string, code = 3) => message(101, id, code, sentence, '')
