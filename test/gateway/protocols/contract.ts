/**
 * What every protocol must do (ARCHITECTURE.md, "The contract every protocol passes"): one suite, run for each entry of the
 * registry against a real target. A protocol brings a stage: how to ask for something in its own language.
 */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../../src/base/secret.ts'
import type { Command } from '../../../src/contract/command.ts'
import type { ProtocolName } from '../../../src/contract/command.ts'
import type { Refusal } from '../../../src/contract/refusal.ts'
import type { AnyProtocol, Target } from '../../../src/gateway/protocols/protocol.ts'
import { createRecordingCheckpoint, type Door, openDoor } from '../../support/conversation.ts'

export interface Stage {
  readonly target: Target
  /** The password at the target; must show up nowhere. */
  readonly secret: string
  /** A harmless command and one that changes something, in the protocol's own text. */
  readonly harmless: string
  readonly harmful: string
  /** Did the harmful one happen at the target? Asked of the target itself. */
  hasHappened(): Promise<boolean>
  /** Did this text reach the target, byte for byte? Asked of the target's own log. */
  hasSeen(text: string): Promise<boolean>
  /** A client's handshake, its question and its goodbye, as bytes on the wire. */
  greeting: Buffer
  ask(text: string): Buffer
  readonly unknownMessage: Buffer
  /** Asks for an answer of this many bytes. */
  askLarge(bytes: number): string
  /** Reads answers until the one to the last question is complete, or the connection ends. */
  listen(socket: Socket): Listener
  close(): Promise<void>
}

export interface Listener {
  /** The next complete answer: `ok`, or what the client was told instead. */
  next(): Promise<{ readonly ok: true } | { readonly ok: false; readonly told: string }>
}

export function contract(name: ProtocolName, protocol: () => AnyProtocol, createStage: () => Promise<Stage>): void {
  describe(`the contract of ${name}`, () => {
    let stage: Stage
    let door: Door | undefined
    const sockets: Socket[] = []
    beforeAll(async () => {
      stage = await createStage()
    }, 60_000)
    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy()
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
        credential: { secret: new Secret(stage.secret) },
        checkpoint,
      })
      return checkpoint
    }
    async function dial(): Promise<{ socket: Socket; listener: Listener }> {
      const socket = connect({ host: '127.0.0.1', port: door?.port ?? 0, allowHalfOpen: true, noDelay: true })
      socket.on('error', () => undefined)
      sockets.push(socket)
      await once(socket, 'connect')
      return { socket, listener: stage.listen(socket) }
    }
    async function greeted() {
      const end = await dial()
      end.socket.write(stage.greeting)
      expect(await end.listener.next()).toEqual({ ok: true })
      return end
    }

    it('an allowed command reaches the target byte for byte', async () => {
      await open()
      const { socket, listener } = await greeted()
      socket.write(stage.ask(stage.harmless))
      expect(await listener.next()).toEqual({ ok: true })
      expect(await stage.hasSeen(stage.harmless)).toBe(true)
    })

    it('a refused command never does; the client is told, and the session goes on', async () => {
      await open((batch) => (batch.some(({ text }) => text === stage.harmful) ? deny(batch[0]) : undefined))
      const { socket, listener } = await greeted()
      socket.write(stage.ask(stage.harmful))
      const answer = await listener.next()
      expect(answer).toMatchObject({ ok: false, told: expect.stringContaining('denied: ') })
      socket.write(stage.ask(stage.harmless))
      expect(await listener.next()).toEqual({ ok: true })
      expect(await stage.hasHappened()).toBe(false)
      expect(await stage.hasSeen(stage.harmful)).toBe(false)
    })

    it('a command is cleared before the target sees it', async () => {
      let seenBefore: boolean | undefined
      const text = `${stage.harmless} /* before */`
      const checkpoint = await open(async (batch) => {
        if (batch[0]?.text === text) seenBefore = await stage.hasSeen(text)
        return undefined
      })
      const { socket, listener } = await greeted()
      socket.write(stage.ask(text))
      await listener.next()
      expect(seenBefore).toBe(false)
      expect(checkpoint.log).toEqual([`clear ${text}`, `settle done ${text}`])
    })

    it('when the audit cannot be written nothing is forwarded', async () => {
      await open(() => auditGone)
      const { socket, listener } = await greeted()
      socket.write(stage.ask(stage.harmful))
      expect(await listener.next()).toMatchObject({
        ok: false,
        told: expect.stringContaining('cannot be written down'),
      })
      expect(await stage.hasHappened()).toBe(false)
    })

    it('an unknown message is refused and ends the connection', async () => {
      await open()
      const { socket, listener } = await greeted()
      socket.write(stage.unknownMessage)
      expect(await listener.next()).toMatchObject({ ok: false })
      while (door?.ends.length === 0) await pause(5)
      expect(door?.ends[0]).toMatchObject({ code: 'protocol-error' })
    })

    it('any chunking of the bytes gives the same result', async () => {
      const checkpoint = await open()
      const whole = Buffer.concat([stage.greeting, stage.ask(stage.harmless)])
      // Byte by byte, and cut at places that fall into headers, lengths and texts.
      for (const size of [1, 2, 3, 5, 7, whole.length]) {
        const { socket, listener } = await dial()
        for (let at = 0; at < whole.length; at += size) {
          socket.write(whole.subarray(at, at + size))
          await new Promise((resume) => setImmediate(resume))
        }
        expect(await listener.next()).toEqual({ ok: true })
        expect(await listener.next()).toEqual({ ok: true })
      }
      expect(new Set(checkpoint.asked.map(({ text }) => text))).toEqual(new Set([stage.harmless]))
      expect(checkpoint.asked).toHaveLength(6)
    })

    it('a kill ends both sides, and what ran is settled', async () => {
      const checkpoint = await open()
      const { socket, listener } = await greeted()
      socket.write(stage.ask(stage.askLarge(1_000_000_000)))
      while (checkpoint.log.length === 0) await pause(5)
      await pause(50)
      door?.kill({ code: 'killed', message: 'killed by the contract', next: 'nothing' })
      socket.resume()
      await Promise.race([once(socket, 'close'), once(socket, 'end')])
      while (door?.ends.length === 0) await pause(5)
      expect(checkpoint.outcomes.map(({ outcome }) => outcome.status)).toEqual(['unknown'])
      void listener
    })

    it('a slow client bounds memory, and delays nobody else', async () => {
      await open()
      const slow = await greeted()
      slow.socket.pause()
      const before = memory()
      slow.socket.write(stage.ask(stage.askLarge(500_000_000)))
      const quick = await greeted()
      for (let n = 0; n < 20; n += 1) {
        quick.socket.write(stage.ask(stage.harmless))
        expect(await quick.listener.next()).toEqual({ ok: true })
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
        const { socket, listener } = await dial()
        socket.write(stage.greeting)
        expect(await listener.next()).toMatchObject({ ok: false, told: expect.stringContaining(stage.target.name) })
      } finally {
        silent.close()
      }
      await door?.close()
      await open(undefined, { ...stage.target, host: '127.0.0.1', port })
      const { socket, listener } = await dial()
      socket.write(stage.greeting)
      expect(await listener.next()).toMatchObject({ ok: false, told: expect.stringContaining('cannot reach') })
    })

    it('no secret is in any command, outcome or error', async () => {
      const checkpoint = await open()
      const { socket, listener } = await greeted()
      socket.write(stage.ask(stage.harmless))
      await listener.next()
      await door?.close()
      await open(undefined, { ...stage.target, user: 'nobody_of_that_name' })
      const wrong = await dial()
      wrong.socket.write(stage.greeting)
      const answer = await wrong.listener.next()
      while (door?.ends.length === 0) await pause(5)
      const all = JSON.stringify([checkpoint, answer, door?.ends.map((end) => [String(end), end])])
      expect(all).not.toContain(stage.secret)
      expect(answer).toMatchObject({ ok: false })
    })
  })
}

/** What is kept: buffers and objects. The process as a whole also grows by code that is compiled meanwhile. */
export function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
