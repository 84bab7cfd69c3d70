/** A PostgreSQL conversation through the protocol, in this process: what run-session does, without identity and audit. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Command } from '../../src/contract/command.ts'
import { isHoopError } from '../../src/contract/error-codes.ts'
import type { Outcome } from '../../src/contract/record.ts'
import type { Refusal } from '../../src/contract/refusal.ts'
import type { Asking, Checkpoint, Clearance, Masks, Permit } from '../../src/gateway/checkpoint.ts'
import type { AnyProtocol, Credential, Recordings, Target } from '../../src/gateway/protocols/protocol.ts'
import { createMemoryRecordings } from './recordings.ts'

export interface Door {
  readonly port: number
  /** What ended each connection, in order; undefined for a clean end. */
  readonly ends: unknown[]
  kill(reason: Refusal): void
  close(): Promise<void>
}

export interface DoorSettings {
  readonly protocol: AnyProtocol
  readonly target: Target
  readonly credential: Credential
  readonly checkpoint: Checkpoint
  readonly recordings?: Recordings
}

export async function openDoor({
  protocol,
  target,
  credential,
  checkpoint,
  recordings = createMemoryRecordings(),
}: DoorSettings): Promise<Door> {
  const ends: unknown[] = []
  let killer = new AbortController()
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    void converse(socket).then(
      () => ends.push(undefined),
      (error: unknown) => ends.push(error),
    )
  })
  async function converse(socket: Socket): Promise<void> {
    const { signal } = killer
    const client = await protocol.greet(socket, signal)
    let upstream: unknown
    try {
      upstream = await protocol.connect(target, credential, client, signal)
    } catch (error) {
      const codes = ['target-refused', 'target-unreachable', 'not-allowed'] as const
      await protocol.refuse(client, {
        code: codes.find((code) => isHoopError(error) && error.code === code) ?? 'internal',
        message: error instanceof Error ? error.message : String(error),
        next: 'see the test',
      })
      throw error
    }
    await protocol.relay(client, upstream, { checkpoint, recordings, signal })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    ends,
    kill(reason) {
      killer.abort(reason)
      killer = new AbortController()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

export const noMasks: Masks = {
  empty: true,
  key: 'none',
  hasColumns: false,
  hasDetectors: false,
  hasFields: false,
  field: () => undefined,
  meansMember: () => false,
  column: () => undefined,
  mask: (_style, value) => value,
  find: () => [],
  detect: (value) => value,
  hint: () => undefined,
  suspects: () => false,
}

export interface RecordingCheckpoint extends Checkpoint {
  /** `clear SELECT 1`, `settle done SELECT 1`, in the order in which they happened. */
  readonly log: string[]
  readonly asked: Command[]
  readonly outcomes: { readonly text: string; readonly outcome: Outcome }[]
}

/** Says what the test wants of every batch, and writes down what it was asked. */
export function createRecordingCheckpoint(
  judge: (
    batch: readonly Command[],
    asking: Asking | undefined,
  ) => Refusal | undefined | Promise<Refusal | undefined> = () => undefined,
  preview: Checkpoint['preview'] = () => ({ verdict: 'allow', rule: 'test', reason: 'test', config: '' }),
  duties: Partial<Pick<Permit, 'masks' | 'recordMasks' | 'sampleBytes'>> = {},
): RecordingCheckpoint {
  const log: string[] = []
  const asked: Command[] = []
  const outcomes: { text: string; outcome: Outcome }[] = []
  const texts = new WeakMap<Permit, string>()
  let count = 0
  return {
    log,
    asked,
    outcomes,
    preview,
    async clear(batch, asking): Promise<Clearance> {
      for (const command of batch) {
        asked.push(command)
        log.push(`clear ${command.text}`)
      }
      const refusal = await judge(batch, asking)
      if (refusal !== undefined) return { refusal }
      return {
        permits: batch.map(({ text }) => {
          count += 1
          // A test's own permit: the brand has no content.
          const permit = {
            command: `cmd_${count}`,
            masks: noMasks,
            recordMasks: noMasks,
            sampleRows: 0,
            sampleBytes: 0,
            ...duties,
          } as unknown as Permit
          texts.set(permit, text)
          return permit
        }),
      }
    },
    async refuse(batch, reason) {
      for (const { text } of batch) log.push(`refuse ${text}`)
      return { code: 'not-understood', message: reason, next: 'see the test' }
    },
    settle(permit, outcome) {
      const text = texts.get(permit) ?? '?'
      log.push(`settle ${outcome.status} ${text}`)
      outcomes.push({ text, outcome })
    },
  }
}
