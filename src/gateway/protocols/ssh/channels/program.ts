/**
 * A permitted program while it runs: input to it, output and stderr back (masked where the permit says so, recorded as
 * shown), window changes and signals, and its end. Bytes go untouched and uncopied where nothing is masked.
 *
 * Input is not recorded: where a terminal echoes it, it is in the output; where none does, it is data, or a password.
 */
import { once } from 'node:events'
import type { ClientChannel } from 'ssh2'
import type { Outcome } from '../../../../contract/record.ts'
import type { Recorder } from '../../protocol.ts'
import { kept } from '../../terminal/recorded.ts'
import { brokenStatus, refusalIn } from '../../terminal/refusals.ts'
import { createShown } from '../../terminal/shown.ts'
import { type Exit, sendSignal } from '../inside.ts'
import { begin, notStarted, type Run } from './begin.ts'
import { outcomeOfExit } from './exited.ts'
import { hangUp } from './hang-up.ts'
import { pour } from './pour.ts'
import { close, sayNo } from './said.ts'
import { createSink } from './sink.ts'

export interface ProgramRun extends Run {
  readonly verb: string
}

export async function runProgram(run: ProgramRun): Promise<void> {
  const { asked, connections, parts, sink, permit, verb } = run
  const { pty } = asked
  const lost = new AbortController()
  const begun = await begin(run, {
    head: { width: pty?.cols ?? 80, height: pty?.rows ?? 24, title: verb, ...(pty && { term: pty.term }) },
    run: (surroundings) => connections.upstream.exec(permit, asked.text, surroundings),
    onLost: (refusal) => lost.abort(refusal),
  })
  if (begun === undefined) return
  const { program, recorder } = begun
  const signal = AbortSignal.any([parts.signal, lost.signal])
  const { bytesIn, bytesOut, masked } = await converse(run, program.channel, recorder, signal)
  const exit = program.exit()
  // The client first: it need not wait until the recording is on the disk.
  const refusal = refusalIn(signal.reason)
  if (exit !== undefined && refusal === undefined) await close(asked, sink, exit)
  else
    await sayNo(
      asked,
      sink,
      refusal ?? notStarted(connections.upstream.target.name, 'it ended without a status'),
      brokenStatus,
    )
  const recording = await kept(recorder, exit !== undefined && 'status' in exit ? exit.status : null)
  parts.checkpoint.settle(permit, {
    ...outcomeOf(exit, signal, lost.signal),
    bytesIn,
    bytesOut,
    ...(masked && { masked }),
    ...recording,
  })
}

export const eofAfterMs = 50

/** Until the program has ended, or the signal says that it must. */
async function converse(run: ProgramRun, far: ClientChannel, recorder: Recorder, signal: AbortSignal) {
  const { asked, connections, sink, permit } = run
  const { channel } = asked
  asked.onResize = ({ rows, cols, height, width }) => {
    far.setWindow(rows, cols, height, width)
    recorder.resize(cols, rows)
  }
  asked.onSignal = (name) => sendSignal(far, name)

  const inward = createSink(far, connections.upstream.socket, signal)
  const input = pour(channel, inward, far, signal)
  // Not its end(): Node would close the whole channel as soon as its output has ended too, before the program has.
  void input.ended
    .then(() => inward.flushed())
    .then(() => {
      // A program that must end is told so, not that its input has ended: some servers take no signal after that.
      if (!signal.aborted) far.eof()
    })

  const shown = createShown(permit, recorder)
  const [out, err] = [
    shown.stream((bytes) => sink.write(channel, bytes)),
    shown.stream((bytes) => sink.write(channel.stderr, bytes)),
  ]
  const output = pour(far, sink, channel, signal, out)
  const errors = pour(far.stderr, sink, channel.stderr, signal, err)
  const outputOver = Promise.all([output.ended.then(out.end), errors.ended.then(err.end)])
  const closed = signal.aborted ? undefined : once(far, 'close', { signal }).catch(() => undefined)
  // A program may close its output and go on. Most end with it, and some clients hang up at the end of output: they would
  // miss the exit status, which comes a moment later.
  let over = false
  let eof: NodeJS.Timeout | undefined
  const endOutput = () => {
    channel.eof()
    // On a terminal a close hangs up.
    asked.isSilent = asked.pty === undefined
  }
  void outputOver
    .then(() => sink.flushed())
    .then(() => {
      if (!over) eof = setTimeout(endOutput, eofAfterMs)
    })
  await Promise.all([outputOver, closed])
  over = true
  clearTimeout(eof)
  asked.onResize = undefined
  asked.onSignal = undefined
  if (signal.aborted) hangUp(far, signal)
  // What is still in it is of no use to anybody, and would keep the connection's window.
  far.resume()
  far.stderr.resume()
  return { bytesIn: input.bytes, bytesOut: output.bytes + errors.bytes, masked: shown.masked }
}

function outcomeOf(exit: Exit | undefined, signal: AbortSignal, lost: AbortSignal): Outcome {
  if (lost.aborted) return { status: 'failed', error: { code: 'audit-unavailable', message: 'its recording was lost' } }
  return outcomeOfExit(exit, signal)
}
