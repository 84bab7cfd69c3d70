/**
 * A shell at the target. That it is opened is a command; what is typed in it are commands of their own (terminal/), each
 * judged before its Enter goes through. docs/decisions/typed-lines.md says what can be seen of it and what cannot.
 */
import { once } from 'node:events'
import type { Clearance } from '../../../checkpoint.ts'
import type { Recorder } from '../../protocol.ts'
import { createLineJudge } from '../../terminal/line-judge.ts'
import { kept, maskedLine } from '../../terminal/recorded.ts'
import { brokenStatus, holdLines, refusalIn, refusedStatus } from '../../terminal/refusals.ts'
import { passScript } from '../../terminal/script-lines.ts'
import { createShown } from '../../terminal/shown.ts'
import { createTypedShell, failedToRead, stuck } from '../../terminal/typed-shell.ts'
import type { SessionAsked } from '../asked.ts'
import { lineCommands, shellCommand } from '../commands.ts'
import { sendSignal } from '../inside.ts'
import type { Program } from '../upstream.ts'
import { begin, notStarted, type Run } from './begin.ts'
import type { ChannelParts, RelaySession } from './channel.ts'
import { outcomeOfExit } from './exited.ts'
import { hangUp } from './hang-up.ts'
import { pour } from './pour.ts'
import { close, sayNo, statusOfNo, tell } from './said.ts'
import { createSink, type Sink } from './sink.ts'

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

async function runShell(run: Run): Promise<void> {
  const { asked, connections, parts, sink, permit } = run
  const over = new AbortController()
  const { columns, rows } = sizeOf(asked)
  const begun = await begin(run, {
    head: { width: columns, height: rows, title: 'shell', ...(asked.pty && { term: asked.pty.term }) },
    run: (surroundings) => connections.upstream.shell(permit, surroundings),
    onLost: (refusal) => over.abort(refusal),
  })
  if (begun === undefined) return
  const { program, recorder } = begun
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
  parts.checkpoint.settle(permit, {
    ...outcomeOfExit(exit, signal),
    bytesIn,
    bytesOut,
    ...(masked && { masked }),
    ...recording,
  })
  if (defect !== undefined) throw defect
}

async function converse(
  run: Run,
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
  const { checkpoint, clock, shell } = run.parts
  const judge = createLineJudge(checkpoint, lineCommands(shell))
  const typed = (line: string) => recorder.input(maskedLine(line, permit))
  asked.onSignal = (name) => sendSignal(far, name)

  let defect: unknown
  // Fail closed: what cannot be judged any more is not passed on, and the shell ends.
  const onDefect = (error: unknown) => {
    if (!signal.aborted) defect ??= error
    over.abort(failedToRead)
  }
  let output: { readonly bytes: number; readonly ended: Promise<void> }
  let end = () => {}
  if (asked.pty === undefined) {
    output = pour(far, sink, channel, signal, out)
    const say = (lines: readonly string[]) => tell(asked, sink, lines)
    // Leaving the loop must not close the channel: there are last words to be said on it.
    void passScript(channel.iterator({ destroyOnReturn: false }), { judge, signal, send, tell: say, typed }).then(
      async (refusal) => {
        if (refusal !== undefined) return over.abort(refusal)
        await inward.flushed()
        far.eof()
      },
      onDefect,
    )
  } else {
    const typedShell = createTypedShell(sizeOf(asked), {
      judge,
      clock,
      signal,
      send,
      typed,
      tell(said) {
        // Behind the line that stands there.
        sink.write(channel, Buffer.from('\r\n'))
        tell(asked, sink, said)
        for (const line of said) recorder.marker(line)
      },
      onDefect,
      onStuck: () => over.abort(stuck),
    })
    asked.onResize = (size) => {
      far.setWindow(size.rows, size.cols, size.height, size.width)
      recorder.resize(size.cols, size.rows)
      typedShell.resize(size.cols, size.rows)
    }
    const through = { change: (chunk: Buffer) => typedShell.show(chunk, out), room: () => typedShell.shownRoom(out) }
    output = pour(far, sink, channel, signal, through)
    channel.on('data', (keys: Buffer) => {
      typedShell.take(keys)
      const room = typedShell.keysRoom()
      if (room === undefined) return
      channel.pause()
      void room.then(() => channel.resume())
    })
    channel.once('end', () => void typedShell.idle().then(() => far.eof()))
    channel.resume()
    end = typedShell.end
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
  if (signal.aborted) hangUp(far, signal)
  // What is still in it is of no use to anybody, and would keep the connection's window.
  far.resume()
  far.stderr.resume()
  return { bytesIn, bytesOut: output.bytes + errors.bytes, masked: shown.masked, defect }
}

function sizeOf({ pty }: SessionAsked): { columns: number; rows: number } {
  return { columns: pty?.cols || defaultSize.columns, rows: pty?.rows || defaultSize.rows }
}
