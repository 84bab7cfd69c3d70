/**
 * What every protocol must do (ARCHITECTURE.md, "A protocol"): one suite, run for each entry of the registry against a real
 * target. A protocol brings a stage: a target, and a client that asks for something in its own language.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/base/secret.ts'
import type { Command, ProtocolName } from '../../../src/contract/command.ts'
import type { Refusal } from '../../../src/contract/refusal.ts'
import type { AnyProtocol, Target } from '../../../src/gateway/protocols/protocol.ts'
import { type Chopper, startChopper } from '../../support/chopper.ts'
import { createRecordingCheckpoint, type Door, openDoor } from '../../support/conversation.ts'
import { credentialOf } from '../../support/credentials.ts'

export interface Stage {
  readonly target: Target
  /** The same target, where the gateway's login fails; left out: another user's name makes it fail. */
  readonly closed?: Target
  /** What the gateway logs in with; must show up nowhere. */
  readonly secret: string
  /** A harmless command and one that changes something, in the protocol's own text. */
  readonly harmless: string
  readonly harmful: string
  /** The same with a remark in it that changes nothing but the text. */
  remark(text: string, remark: string): string
  /** Did the harmful one happen at the target? Asked of the target itself. */
  hasHappened(): Promise<boolean>
  /** Did this text reach the target, byte for byte? Asked of the target's own log. */
  hasSeen(text: string): Promise<boolean>
  /** Asks for an answer of this many bytes. */
  askLarge(bytes: number): string
  /** A client at this port; it says its greeting, and does not wait for an answer. */
  open(port: number): Promise<StageClient>
  close(): Promise<void>
}

/** `ok`, or what the client was told instead. */
export type Answer = { readonly ok: true } | { readonly ok: false; readonly told: string }

export interface StageClient {
  /** Asks without waiting: for the end of the greeting, or for an answer before. */
  ask(text: string): void
  /** The answer to the greeting, then one to each question, in their order. Throws where the connection ends without. */
  next(): Promise<Answer>
  /** Something that no client of this protocol may say. */
  sayNonsense(): void
  /** Reads nothing any more, whatever comes. */
  stopReading(): void
  /** Resolves when the other side has ended the connection. */
  readonly ended: Promise<void>
  destroy(): void
}

export function contract(name: ProtocolName, protocol: () => AnyProtocol, createStage: () => Promise<Stage>): void {
  describe(`the contract of ${name}`, () => {
    let stage: Stage
    let door: Door | undefined
    const clients: StageClient[] = []
    let chopper: Chopper | undefined
    beforeAll(async () => {
      stage = await createStage()
    }, 60_000)
    afterEach(async () => {
      for (const client of clients.splice(0)) client.destroy()
      await chopper?.close()
      chopper = undefined
      await door?.close()
      door = undefined
    })
    afterAll(() => stage.close())

    const deny = (command: Command | undefined): Refusal => ({
      code: 'denied',
      message: `denied: ${command?.text ?? ''}`,
      next: 'ask',
      rule: 'contract',
    })
    const auditGone: Refusal = {
      code: 'audit-unavailable',
      message: 'it cannot be written down, so it does not happen',
      next: 'try later',
    }

    async function open(
      judge?: (batch: readonly Command[]) => Refusal | undefined | Promise<Refusal | undefined>,
      target = stage.target,
    ) {
      const checkpoint = createRecordingCheckpoint(judge)
      door = await openDoor({
        protocol: protocol(),
        target,
        credential: credentialOf(new Secret(stage.secret)),
        checkpoint,
      })
      return checkpoint
    }
    async function dial(port = door?.port ?? 0): Promise<StageClient> {
      const client = await stage.open(port)
      clients.push(client)
      return client
    }
    async function greeted(): Promise<StageClient> {
      const client = await dial()
      expect(await client.next()).toEqual({ ok: true })
      return client
    }
    /** Told at once, or (where a protocol has no words for it yet) in answer to the first question. */
    async function refused(): Promise<Answer> {
      const client = await dial()
      client.ask(stage.harmless)
      const greeting = await client.next()
      const answer = greeting.ok ? await client.next() : greeting
      // Where a refusal does not end the connection, the client does.
      client.destroy()
      return answer
    }

    it('an allowed command reaches the target byte for byte', async () => {
      await open()
      const client = await greeted()
      client.ask(stage.harmless)
      expect(await client.next()).toEqual({ ok: true })
      expect(await stage.hasSeen(stage.harmless)).toBe(true)
    })

    it('a refused command never does; the client is told, and the session goes on', async () => {
      await open((batch) => (batch.some(({ text }) => text === stage.harmful) ? deny(batch[0]) : undefined))
      const client = await greeted()
      client.ask(stage.harmful)
      const answer = await client.next()
      expect(answer).toMatchObject({ ok: false, told: expect.stringContaining('denied: ') })
      client.ask(stage.harmless)
      expect(await client.next()).toEqual({ ok: true })
      expect(await stage.hasHappened()).toBe(false)
      expect(await stage.hasSeen(stage.harmful)).toBe(false)
    })

    it('a command is cleared before the target sees it', async () => {
      let seenBefore: boolean | undefined
      const text = stage.remark(stage.harmless, 'before')
      const checkpoint = await open(async (batch) => {
        if (batch[0]?.text === text) seenBefore = await stage.hasSeen(text)
        return undefined
      })
      const client = await greeted()
      client.ask(text)
      await client.next()
      expect(seenBefore).toBe(false)
      while (checkpoint.log.length < 2) await pause(5)
      expect(checkpoint.log).toEqual([`clear ${text}`, `settle done ${text}`])
    })

    it('when the audit cannot be written nothing is forwarded', async () => {
      await open(() => auditGone)
      const client = await greeted()
      client.ask(stage.harmful)
      expect(await client.next()).toMatchObject({
        ok: false,
        told: expect.stringContaining('cannot be written down'),
      })
      expect(await stage.hasHappened()).toBe(false)
    })

    it('an unknown message is refused and ends the connection', async () => {
      await open()
      const client = await greeted()
      client.sayNonsense()
      expect(await client.next()).toMatchObject({ ok: false })
      while (door?.ends.length === 0) await pause(5)
      expect(door?.ends[0]).toMatchObject({ code: 'protocol-error' })
    })

    it('any chunking of the bytes gives the same result', async () => {
      const checkpoint = await open()
      // Byte by byte, and cut at places that fall into headers, lengths and texts.
      for (const size of [1, 2, 3, 5, 7, Number.POSITIVE_INFINITY]) {
        chopper = await startChopper(door?.port ?? 0, size)
        const client = await dial(chopper.port)
        client.ask(stage.harmless)
        expect(await client.next()).toEqual({ ok: true })
        expect(await client.next()).toEqual({ ok: true })
        client.destroy()
        await chopper.close()
      }
      expect(new Set(checkpoint.asked.map(({ text }) => text))).toEqual(new Set([stage.harmless]))
      expect(checkpoint.asked).toHaveLength(6)
    })

    it('a kill ends both sides, and what ran is settled', async () => {
      const checkpoint = await open()
      const client = await greeted()
      client.ask(stage.askLarge(1_000_000_000))
      while (checkpoint.log.length === 0) await pause(5)
      await pause(50)
      const killed = Date.now()
      door?.kill({ code: 'killed', message: 'killed by the contract', next: 'nothing' })
      await client.ended
      while (door?.ends.length === 0) await pause(5)
      expect(Date.now() - killed).toBeLessThan(1000)
      expect(checkpoint.outcomes.map(({ outcome }) => outcome.status)).toEqual(['unknown'])
    })

    it('a slow client bounds memory, and delays nobody else', async () => {
      await open()
      const slow = await greeted()
      const before = memory()
      slow.ask(stage.askLarge(500_000_000))
      slow.stopReading()
      const quick = await greeted()
      for (let n = 0; n < 20; n += 1) {
        quick.ask(stage.harmless)
        expect(await quick.next()).toEqual({ ok: true })
      }
      expect(memory() - before).toBeLessThan(100_000_000)
    })

    it('a target that is not there, or does not answer, gives an error and not a hang', async () => {
      const silent = createServer(() => undefined).listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const address = silent.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      try {
        await open(undefined, { ...stage.target, host: '127.0.0.1', port })
        expect(await refused()).toMatchObject({ ok: false, told: expect.stringContaining(stage.target.name) })
      } finally {
        silent.close()
      }
      await door?.close()
      await open(undefined, { ...stage.target, host: '127.0.0.1', port })
      expect(await refused()).toMatchObject({ ok: false, told: expect.stringContaining('cannot reach') })
    })

    it('no secret is in any command, outcome or error', async () => {
      const checkpoint = await open()
      const client = await greeted()
      client.ask(stage.harmless)
      await client.next()
      await door?.close()
      await open(undefined, stage.closed ?? { ...stage.target, user: 'nobody_of_that_name' })
      const answer = await refused()
      while (door?.ends.length === 0) await pause(5)
      const all = JSON.stringify([checkpoint, answer, door?.ends.map((end) => [String(end), end])])
      // A key has lines, which JSON writes differently: each of them is a secret.
      const lines = stage.secret.split('\n').filter((line) => line !== '' && !line.startsWith('-----'))
      expect(lines).not.toEqual([])
      for (const line of lines) expect(all).not.toContain(line)
      expect(answer).toMatchObject({ ok: false })
    })
  })
}

/** What is kept: buffers and objects. The process as a whole also grows by code that is compiled meanwhile. */
export function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
