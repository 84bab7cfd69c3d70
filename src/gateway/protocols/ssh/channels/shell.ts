/**
 * A shell at the target. That it is opened is a command; what is typed in it are commands of their own (shell/), each
 * judged before its Enter goes through. docs/decisions/typed-lines.md says what can be seen of it and what cannot.
 */
import { once } from 'node:events'
import { reasonOf } from '../../../../base/errors.ts'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Clearance, Permit } from '../../../checkpoint.ts'
import type { Recorder } from '../../protocol.ts'
import { createMaskedText } from '../../terminal/masked-text.ts'
import { createTypedLineReader } from '../../terminal/typed-line.ts'
import type { SessionAsked } from '../asked.ts'
import { shellCommand } from '../commands.ts'
import { allowedEnv } from '../env.ts'
import { sendSignal } from '../inside.ts'
import { brokenStatus, holdLines, refusalIn, refusedStatus } from '../refusals.ts'
import { passScript } from '../shell/script-lines.ts'
import { createTypedLines, type TypedLinesParts } from '../shell/typed-lines.ts'
import type { Program } from '../upstream.ts'
import type { ChannelParts, Connections, RelaySession } from './channel.ts'
import { outcomeOfExit } from './exited.ts'
import { pour } from './pour.ts'
import { kept, notRecorded, notStarted } from './program.ts'
import { close, sayNo, statusOfNo, tell } from './said.ts'
import { createShown, type ShownStream } from './shown.ts'
import { createSink, type Sink } from './sink.ts'

interface ShellRun {
  readonly asked: SessionAsked
  readonly connections: Connections
  readonly parts: ChannelParts
  readonly sink: Sink
  readonly permit: Permit
}

const interrupt = 0x03
const defaultSize = { columns: 80, rows: 24 }

export const relayShell: RelaySession = async (asked, connections, parts) => {
  const sink = createSink(asked.channel, connections.client.socket, asked.gone)
  const clearance = await mayOpen(asked, parts, sink)
  if ('refusal' in clearance) return await sayNo(asked, sink, clearance.refusal, statusOfNo(parts.signal))
  const [permit] = clearance.permits
  if (permit === undefined) throw new Error('no permit')
  await runShell({ asked, connections, parts, sink, permit })
}

async function mayOpen(asked: SessionAsked, parts: ChannelParts, sink: Sink): Promise<Clearance> {
  const { checkpoint, settings, signal } = parts
  if (settings.shell === 'deny')
    return {
      refusal: await checkpoint.refuse([shellCommand], 'this target opens no shells; run single commands there'),
    }
  if (settings.shell === 'hold' && checkpoint.preview(shellCommand).verdict === 'allow')
    return { refusal: await checkpoint.refuse([shellCommand], 'a shell has to be held here, and no rule holds it') }
  // At a terminal in raw mode, ^C is a key like others: it gives the wait up. Whatever else is typed meanwhile is lost.
  const givenUp = new AbortController()
  const watch = (keys: Buffer) => {
    if (keys.includes(interrupt)) givenUp.abort()
  }
  let isWatched = false
  try {
    return await checkpoint.clear([shellCommand], {
      signal: AbortSignal.any([signal, givenUp.signal]),
      onHold(hold) {
        tell(asked, sink, [...holdLines(hold), ...(asked.pty === undefined ? [] : ['^C gives up'])])
        if (asked.pty !== undefined && !isWatched) asked.channel.on('data', watch)
        isWatched = true
      },
    })
  } finally {
    if (isWatched) {
      asked.channel.pause()
      asked.channel.off('data', watch)
    }
  }
}

async function runShell(run: ShellRun): Promise<void> {
  const { asked, connections, parts, sink, permit } = run
  const settle = (outcome: Outcome) => parts.checkpoint.settle(permit, outcome)
  const over = new AbortController()
  const { columns, rows } = sizeOf(asked)
  const head = { width: columns, height: rows, title: 'shell', ...(asked.pty && { term: asked.pty.term }) }
  let recorder: Recorder
  try {
    recorder = await parts.recordings.start(permit, head, (reason) => over.abort(notRecorded(reason)))
  } catch (error) {
    // Fail closed: what cannot be recorded does not run.
    settle({ status: 'refused' })
    return await sayNo(asked, sink, notRecorded(error), refusedStatus)
  }
  let program: Program
  try {
    const env = allowedEnv(asked.env, parts.settings.env)
    program = await connections.upstream.shell(permit, { pty: asked.pty, env })
  } catch (error) {
    const recording = await kept(recorder, null)
    settle({ status: 'failed', error: { code: 'not-started', message: reasonOf(error) }, ...recording })
    return await sayNo(asked, sink, notStarted(connections.upstream.target.name, error), brokenStatus)
  }
  const signal = AbortSignal.any([parts.signal, over.signal])
  const { masked, bytesIn, bytesOut, defect } = await converse(run, program, recorder, signal, over)
  const exit = program.exit()
  const refusal = refusalIn(signal.reason)
  if (exit !== undefined && refusal === undefined) await close(asked, sink, exit)
  else {
    const { name } = connections.upstream.target
    const isOurs = refusal !== undefined && refusal === over.signal.reason
    await sayNo(
      asked,
      sink,
      refusal ?? notStarted(name, 'it ended without a status'),
      isOurs ? refusedStatus : brokenStatus,
    )
  }
  const recording = await kept(recorder, exit !== undefined && 'status' in exit ? exit.status : null)
  settle({ ...outcomeOfExit(exit, signal), bytesIn, bytesOut, ...(masked && { masked }), ...recording })
  if (defect !== undefined) throw defect
}

async function converse(
  run: ShellRun,
  { channel: far }: Program,
  recorder: Recorder,
  signal: AbortSignal,
  over: AbortController,
) {
  const { asked, connections, sink, permit } = run
  const { channel } = asked
  const inward = createSink(far, connections.upstream.socket, signal)
  let bytesIn = 0
  const send = async (bytes: Buffer): Promise<void> => {
    bytesIn += bytes.length
    if (!inward.write(far, bytes)) await new Promise<void>((resolve) => inward.onDrain(resolve))
  }
  const shown = createShown(permit, recorder)
  const [out, err] = [
    shown.stream((bytes) => sink.write(channel, bytes)),
    shown.stream((bytes) => sink.write(channel.stderr, bytes)),
  ]
  const parts = { ...run.parts, signal }
  const typed = (line: string) => recorder.input(maskedLine(line, permit))
  asked.onSignal = (name) => sendSignal(far, name)

  let defect: unknown
  // Fail closed: what cannot be judged any more is not passed on, and the shell ends.
  const onDefect = (error: unknown) => {
    if (!signal.aborted) defect ??= error
    over.abort(failed)
  }
  let output: { readonly bytes: number; readonly ended: Promise<void> }
  let end = () => {}
  if (asked.pty === undefined) {
    output = pour(far, sink, channel, signal, out)
    const say = (lines: readonly string[]) => tell(asked, sink, lines)
    // Leaving the loop must not close the channel: there are last words to be said on it.
    void passScript(channel.iterator({ destroyOnReturn: false }), { channel: parts, send, tell: say, typed }).then(
      async (refusal) => {
        if (refusal !== undefined) return over.abort(refusal)
        await inward.flushed()
        far.eof()
      },
      onDefect,
    )
  } else {
    const terminal = openTerminal(run, recorder, {
      channel: parts,
      send,
      typed,
      onDefect,
      onStuck: () => over.abort(stuck),
    })
    asked.onResize = (size) => {
      far.setWindow(size.rows, size.cols, size.height, size.width)
      recorder.resize(size.cols, size.rows)
      terminal.resize(size.cols, size.rows)
    }
    output = pour(far, sink, channel, signal, terminal.through(out))
    channel.on('data', terminal.take)
    channel.once('end', () => void terminal.idle().then(() => far.eof()))
    channel.resume()
    end = terminal.end
  }
  const errors = pour(far.stderr, sink, channel.stderr, signal, err)
  await Promise.all([
    output.ended.then(out.end),
    errors.ended.then(err.end),
    signal.aborted ? undefined : once(far, 'close', { signal }).catch(() => undefined),
  ])
  end()
  asked.onResize = undefined
  asked.onSignal = undefined
  if (signal.aborted) far.close()
  // What is still in it is of no use to anybody, and would keep the connection's window.
  far.resume()
  far.stderr.resume()
  return { bytesIn, bytesOut: output.bytes + errors.bytes, masked: shown.masked, defect }
}

/** Output that the reader of lines has not taken in yet may wait; no more of it. */
const mostBehind = 1024 * 1024

function openTerminal({ asked, sink }: ShellRun, recorder: Recorder, parts: Omit<TypedLinesParts, 'reader' | 'tell'>) {
  const reader = createTypedLineReader(sizeOf(asked))
  const lines = createTypedLines({
    ...parts,
    reader,
    tell(said) {
      // Behind the line that stands there.
      sink.write(asked.channel, Buffer.from('\r\n'))
      tell(asked, sink, said)
      for (const line of said) recorder.marker(line)
    },
  })
  return {
    take(keys: Buffer): void {
      lines.take(keys)
      const room = lines.room()
      if (room === undefined) return
      asked.channel.pause()
      void room.then(() => asked.channel.resume())
    },
    through: (out: ShownStream) => ({
      change(chunk: Buffer): Uint8Array {
        reader.shown(chunk)
        lines.noticed(chunk.length)
        return lines.isEcho(chunk) && !out.isWaiting ? out.now(chunk) : out.change(chunk)
      },
      room: () => bothOf(out.room(), reader.behind > mostBehind ? reader.line() : undefined),
    }),
    resize: reader.resize,
    idle: lines.idle,
    end() {
      lines.end()
      reader.close()
    },
  }
}

const failed: Refusal = {
  code: 'internal',
  message: 'ended: the gateway failed to read what was typed',
  next: 'nothing more was sent; the gateway log says more',
}

const stuck: Refusal = {
  code: 'not-allowed',
  message: 'ended: the shell did not let go of a line that was refused',
  next: 'open another one',
}

function bothOf(one: Promise<unknown> | undefined, other: Promise<unknown> | undefined): Promise<void> | undefined {
  return one === undefined && other === undefined ? undefined : Promise.all([one, other]).then(() => undefined)
}

/** Whoever plays it finds the line by its words. */
function maskedLine(line: string, { recordMasks }: Permit): Buffer {
  const bytes = Buffer.from(`${line}\r`)
  if (!recordMasks.hasDetectors) return bytes
  const text = createMaskedText(recordMasks)
  return Buffer.concat([text.push(bytes), text.flush()])
}

function sizeOf({ pty }: SessionAsked): { columns: number; rows: number } {
  return { columns: pty?.cols || defaultSize.columns, rows: pty?.rows || defaultSize.rows }
}
