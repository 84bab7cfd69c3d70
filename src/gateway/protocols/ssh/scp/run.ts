/**
 * One conversation of scp's old protocol, step by step: the source announces a file, the sink says yes, the contents come.
 * The gateway clears what was announced before the side that did not announce it hears of it.
 *
 *   source                     gateway                         sink
 *     │◀──────────────────── yes │◀───────────────────────── yes │
 *     │ C0644 5 name ───────────▶│ cleared ─────────────────────▶│
 *     │◀──────────────────── yes │◀───────────────────────── yes │
 *     │ contents, yes ──────────▶│──────────────────────────────▶│
 *     │◀──────────────────── yes │◀───────────────────────── yes │
 *
 * The source is the client for `scp -t`, the target for `scp -f`.
 */
import { createHash } from 'node:crypto'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Checkpoint, Permit } from '../../../checkpoint.ts'
import { holdLines, refusalIn } from '../../terminal/refusals.ts'
import { createIntake } from '../../wire/intake.ts'
import type { FileEnds, Way } from '../channels/file-ends.ts'
import { withheld } from '../sftp/refusals.ts'
import type { ScpCall } from './call.ts'
import { announcedCommand, isAskedFor, type Named } from './commands.ts'
import { readAnnouncement } from './messages.ts'
import { createScpReader, lineOf, noLine, ScpBroken, type ScpReader } from './wire.ts'

export interface ScpParts {
  readonly checkpoint: Checkpoint
  readonly signal: AbortSignal
  readonly call: ScpCall
  /** The login's home directory at the target. */
  readonly start: string | undefined
}

/** Until the source has ended, or must not go on. Resolves with a sentence where one of them broke the protocol. */
export async function runScp(ends: FileEnds, parts: ScpParts): Promise<string | undefined> {
  const stop = new AbortController()
  try {
    await new Transfer(ends, parts, AbortSignal.any([parts.signal, stop.signal])).run()
    return undefined
  } catch (error) {
    if (error instanceof ScpBroken) return error.message
    throw error
  } finally {
    stop.abort()
  }
}

interface Side {
  readonly reader: ScpReader
  readonly way: Way
}

class Transfer {
  readonly #ends: FileEnds
  readonly #parts: ScpParts
  readonly #over: AbortSignal
  readonly #leaving: AbortSignal
  readonly #source: Side
  readonly #sink: Side
  readonly #sourceName: string
  readonly #inside: string[] = []

  constructor(ends: FileEnds, parts: ScpParts, over: AbortSignal) {
    const client = createIntake(ends.client, over)
    const target = createIntake(ends.target, over)
    const near: Side = { reader: createScpReader(client, 'the client'), way: ends.toClient }
    const far: Side = { reader: createScpReader(target, 'the target'), way: ends.toTarget }
    const isUpload = parts.call.direction === 'upload'
    this.#ends = ends
    this.#parts = parts
    this.#over = over
    this.#leaving = AbortSignal.any([client.gone, target.gone])
    this.#source = isUpload ? near : far
    this.#sink = isUpload ? far : near
    this.#sourceName = isUpload ? 'the client' : 'the target'
  }

  async run(): Promise<void> {
    if (await this.#passAnswer()) await this.#announcements()
    await this.#ends.toTarget.flushed()
    if (!this.#over.aborted) this.#ends.endTarget()
  }

  async #announcements(): Promise<void> {
    for (;;) {
      const line = await this.#source.reader.line()
      if (line === undefined || this.#over.aborted) return
      const announced = readAnnouncement(line, this.#sourceName)
      switch (announced.kind) {
        case 'warning':
          await this.#send(this.#sink, lineOf(line))
          break
        case 'end':
          return await this.#send(this.#sink, lineOf(line))
        case 'end of directory':
          if (this.#inside.pop() === undefined)
            throw new ScpBroken(`${this.#sourceName} leaves a directory that it did not enter`)
          await this.#send(this.#sink, lineOf(line))
          if (!(await this.#passAnswer())) return
          break
        case 'times':
          await this.#send(this.#sink, lineOf(line))
          if (!(await this.#passAnswer())) return
          break
        case 'directory':
        case 'file':
          if (!(await this.#named(announced, line))) return
          break
        default:
          announced satisfies never
      }
    }
  }

  /** False: nothing comes any more. */
  async #named(named: Named, line: Buffer): Promise<boolean> {
    const { call } = this.#parts
    if (call.direction === 'download' && !isAskedFor(call, named, this.#inside))
      throw new ScpBroken(`the target gives ${JSON.stringify(named.name)}, which was not asked for`)
    const permit = await this.#clear(named)
    if (permit === undefined) return !this.#over.aborted
    await this.#send(this.#sink, lineOf(line), permit)
    const settle = (outcome: Outcome) => this.#parts.checkpoint.settle(permit, outcome)
    const answer = await this.#sink.reader.answer()
    if (answer === undefined) {
      settle({ status: this.#ended() })
      return false
    }
    await this.#send(this.#source, answer.bytes)
    if (answer.no !== undefined) settle({ status: 'failed', error: { code: 'scp', message: answer.no } })
    else if (named.kind === 'file') return await this.#contents(named.size, permit)
    else {
      settle({ status: 'done' })
      this.#inside.push(named.name)
    }
    return true
  }

  async #clear(named: Named): Promise<Permit | undefined> {
    const { checkpoint, call, start } = this.#parts
    const command = announcedCommand(call, named, this.#inside, start)
    const clearance = await checkpoint.clear([command], {
      signal: this.#leaving,
      onHold: (hold) => this.#ends.tell(holdLines(hold)),
    })
    if ('refusal' in clearance) {
      await this.#refuse(clearance.refusal)
      return undefined
    }
    const [permit] = clearance.permits
    if (permit === undefined) throw new Error('no permit')
    if (call.direction === 'upload' || named.kind === 'directory' || !permit.masks.hasDetectors) return permit
    const refusal = withheld(command.objects[0] ?? named.name)
    checkpoint.settle(permit, { status: 'refused', error: { code: refusal.code, message: refusal.message } })
    await this.#refuse(refusal)
    return undefined
  }

  /** The source is told as an answer, and goes on with the next; who waits for the file is told instead of it. */
  async #refuse({ message, next }: Refusal): Promise<void> {
    const no = noLine(`${message}; next: ${next}`)
    if (this.#parts.call.direction === 'download') {
      await this.#send(this.#sink, no)
      // The target's own scp would print what it is told, to the same person, a second time.
      await this.#send(this.#source, noLine('not passed on'))
    } else await this.#send(this.#source, no)
  }

  async #contents(size: number, permit: Permit): Promise<boolean> {
    const { call, checkpoint } = this.#parts
    const hash = createHash('sha256')
    let bytes = 0
    for await (const part of this.#source.reader.content(size)) {
      hash.update(part)
      bytes += part.length
      await this.#send(this.#sink, part, permit)
      if (this.#over.aborted) break
    }
    const settle = (status: Outcome['status'], no?: string) =>
      checkpoint.settle(permit, {
        status,
        [call.direction === 'upload' ? 'bytesIn' : 'bytesOut']: bytes,
        transfer: { direction: call.direction, bytes, sha256: hash.digest('hex') },
        ...(no !== undefined && { error: { code: 'scp', message: no } }),
      })
    const said = bytes < size ? undefined : await this.#source.reader.answer()
    if (said === undefined) {
      settle(this.#ended())
      return false
    }
    await this.#send(this.#sink, said.bytes)
    const answer = await this.#sink.reader.answer()
    if (answer === undefined) {
      settle(this.#ended())
      return false
    }
    await this.#send(this.#source, answer.bytes)
    const no = said.no ?? answer.no
    settle(no === undefined ? 'done' : 'failed', no)
    return true
  }

  /** The sink's answer, for the source. False: none comes any more, or it was a no that ends all. */
  async #passAnswer(): Promise<boolean> {
    const answer = await this.#sink.reader.answer()
    if (answer === undefined) return false
    await this.#send(this.#source, answer.bytes)
    return true
  }

  /** What the target hears of a file takes a permit; lines that belong to one already announced have it behind them. */
  async #send({ way }: Side, bytes: Buffer, _permit?: Permit): Promise<void> {
    if (this.#over.aborted || way.write(bytes)) return
    await new Promise<void>((resolve) => {
      this.#over.addEventListener('abort', () => resolve(), { once: true })
      way.onDrain(resolve)
    })
  }

  #ended(): Outcome['status'] {
    return refusalIn(this.#parts.signal.reason) === undefined ? 'cancelled' : 'unknown'
  }
}
