/**
 * exec and attach, from the 101 to the end of both connections: what comes is decoded by channel and written anew for the
 * other end. stdout and stderr are masked and recorded as SSH's are, stdin is judged where a shell reads it, the size of the
 * terminal is read and recorded; how the command ended says the Status on the error channel.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../../base/clock.ts'
import { reasonOf } from '../../../../base/errors.ts'
import { hoopError, isHoopError } from '../../../../contract/error-codes.ts'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Upgraded } from '../../http/index.ts'
import type { Recorder } from '../../protocol.ts'
import type { ShellReader } from '../../shell/reader.ts'
import { createLineJudge } from '../../terminal/line-judge.ts'
import { kept, maskedLine, notRecorded } from '../../terminal/recorded.ts'
import { brokenStatus, forStderr, refusalIn, refusalLines, refusedStatus } from '../../terminal/refusals.ts'
import { createShown, type ShownStream } from '../../terminal/shown.ts'
import { createIntake, type Intake } from '../../wire/intake.ts'
import { createOutlet } from '../../wire/outlet.ts'
import { inputModeOf, type RemoteCommandAsked } from './asked.ts'
import { graceMs, lastWordsMs, notUnderstood, whenAborted } from './endings.ts'
import { createInput } from './input.ts'
import { lineCommandsIn } from './line-commands.ts'
import { type CommandEnd, ownEnd, readCommandEnd } from './status.ts'
import { createSizeReader, sizeMessage } from './terminal-sizes.ts'
import type { Channel, End, Heard, Tongue } from './tongue.ts'

export interface RemoteCommandParts {
  readonly shell: ShellReader
  readonly clock: Clock
}

/** The client closes behind the last word; whoever does not is closed. */
const hangUpMs = 2000
/** A Status is a few hundred bytes. */
const longestStatus = 64 * 1024
const firstSize = { columns: 80, rows: 24 }

export async function relayRemoteCommand(
  { cleared, client, upstream, conversation }: Upgraded,
  asked: RemoteCommandAsked,
  tongue: Tongue,
  { shell, clock }: RemoteCommandParts,
): Promise<void> {
  const { permit, command } = cleared
  const { checkpoint, recordings } = conversation
  const over = new AbortController()
  const signal = AbortSignal.any([conversation.signal, over.signal])
  const [fromClient, fromUpstream] = [createIntake(client, signal), createIntake(upstream, signal)]
  const [toClient, toUpstream] = [createOutlet(client), createOutlet(upstream)]
  const add = (outlet: typeof toClient, frames: readonly Buffer[]) => {
    for (const bytes of frames) outlet.add(bytes)
  }
  let defect: unknown
  let end: CommandEnd | undefined
  let isDone = false
  let errors = ''
  const counts = { in: 0, out: 0 }

  let recorder: Recorder
  try {
    const head = { width: firstSize.columns, height: firstSize.rows, title: asked.title }
    recorder = await recordings.start(permit, head, (reason) => over.abort(notRecorded(reason)))
  } catch (error) {
    // Fail closed: what cannot be recorded does not run. A target that has begun it by now ends it with the connection.
    upstream.destroy()
    await untilHeard()
    await sayNo(notRecorded(error), refusedStatus)
    client.destroy()
    return checkpoint.settle(permit, {
      status: 'failed',
      error: { code: 'audit-unavailable', message: reasonOf(error) },
    })
  }

  const shown = createShown(permit, recorder)
  const show = (channel: Channel) => (bytes: Uint8Array) => {
    if (bytes.length > 0) add(toClient, tongue.say('client', channel, bufferOf(bytes)))
    void toClient.flushPart()
  }
  const streams = { stdout: shown.stream(show('stdout')), stderr: shown.stream(show('stderr')) }
  const readSizes = createSizeReader()
  const input = createInput(inputModeOf(asked), firstSize, {
    judge: createLineJudge(checkpoint, lineCommandsIn(command, shell)),
    clock,
    // Who has gone decides nothing any more, and waits for nothing.
    signal: AbortSignal.any([signal, fromClient.gone]),
    send(bytes) {
      counts.in += bytes.length
      add(toUpstream, tongue.say('upstream', 'stdin', bytes))
      return toUpstream.flush()
    },
    tell,
    typed: (line) => recorder.input(maskedLine(line, permit)),
    onRefused: (refusal) => over.abort(refusal),
    onDefect(error) {
      if (!signal.aborted) defect ??= error
    },
  })

  /** On lines of their own: a terminal's cursor stands behind what was typed. */
  function tell(said: readonly string[]): void {
    const text = `${asked.tty ? '\r\n' : ''}${forStderr(said, asked.tty)}`
    add(toClient, tongue.say('client', asked.tty ? 'stdout' : 'stderr', Buffer.from(text)))
    for (const line of said) recorder.marker(line)
    void toClient.flush()
  }

  /** Until the client listens to what it shall be told: over SPDY it opens each stream first, and waits for an answer. */
  async function untilHeard(): Promise<void> {
    const words = asked.tty ? 'stdout' : 'stderr'
    const late = pause(lastWordsMs, undefined, { ref: false })
    while (!(tongue.isOpen('error') && tongue.isOpen(words))) {
      const chunk = await Promise.race([fromClient.next(), late])
      if (chunk === undefined) return
      for (const heard of tongue.hear('client', chunk))
        if (heard.kind === 'other') add(toClient, heard.instead?.() ?? [])
      await toClient.flush()
    }
  }

  async function sayNo(refusal: Refusal, exitStatus: number): Promise<void> {
    const text = forStderr(refusalLines(refusal), asked.tty)
    add(
      toClient,
      tongue.say('client', asked.tty ? 'stdout' : 'stderr', Buffer.from(`${asked.tty ? '\r\n' : ''}${text}`)),
    )
    add(toClient, tongue.say('client', 'error', ownEnd(exitStatus, refusal, tongue.error)))
    add(toClient, tongue.bye('client'))
    await Promise.race([toClient.end(), pause(lastWordsMs, undefined, { ref: false })])
  }

  async function fromTheClient(heard: Heard): Promise<void> {
    if (heard.kind !== 'data') {
      const goOn = () => {
        add(toUpstream, heard.onward)
        void toUpstream.flush()
      }
      return heard.kind === 'end' && heard.channel === 'stdin' ? input.end(goOn) : goOn()
    }
    if (heard.channel === 'resize')
      for (const size of readSizes(heard.bytes)) {
        if (size.columns > 0 && size.rows > 0) {
          recorder.resize(size.columns, size.rows)
          input.resize(size)
        }
        add(toUpstream, tongue.say('upstream', 'resize', sizeMessage(size)))
      }
    else if (heard.bytes.length === 0) add(toUpstream, tongue.say('upstream', heard.channel, heard.bytes))
    else await input.take(heard.bytes)
  }

  async function fromTheTarget(heard: Heard): Promise<void> {
    if (heard.kind !== 'data') {
      if (heard.kind === 'close' || (heard.kind === 'end' && heard.channel === 'error')) isDone = true
      if (heard.kind !== 'other') finishShowing(heard.kind === 'end' ? heard.channel : undefined)
      return add(toClient, heard.onward)
    }
    const { channel, bytes } = heard
    if (channel === 'stdout' || channel === 'stderr') {
      counts.out += bytes.length
      const stream = streams[channel]
      // Only a terminal shows what is typed.
      const passed = channel === 'stdout' ? input.show(bytes, stream) : stream.change(bytes)
      if (passed.length > 0 || bytes.length === 0) add(toClient, tongue.say('client', channel, bufferOf(passed)))
      await (channel === 'stdout' ? input.room(stream) : stream.room())
      return
    }
    if (channel === 'error' && bytes.length > 0) {
      errors += bytes.toString()
      if (errors.length > longestStatus)
        throw hoopError('protocol-error', 'more on the error channel than a Status has')
      end = readCommandEnd(errors, tongue.error) ?? end
      // The last word, for most clients: what is kept back has to be out by then.
      finishShowing(undefined)
    }
    add(toClient, tongue.say('client', channel, bytes))
  }

  function finishShowing(channel: Channel | undefined): void {
    const ending: readonly ShownStream[] =
      channel === undefined
        ? [streams.stdout, streams.stderr]
        : channel === 'stdout' || channel === 'stderr'
          ? [streams[channel]]
          : []
    for (const stream of ending) stream.end()
  }

  async function listen(from: End, intake: Intake, take: (heard: Heard) => Promise<void>): Promise<void> {
    const outlet = from === 'client' ? toUpstream : toClient
    try {
      for (let chunk = await intake.next(); chunk !== undefined; chunk = await intake.next()) {
        for (const heard of tongue.hear(from, chunk)) {
          if (signal.aborted) return
          await take(heard)
          if (heard.kind === 'close') return
        }
        await outlet.flushPart()
      }
    } catch (error) {
      // Fail closed: where one thing was not understood, nothing behind it would be.
      if (!isHoopError(error)) defect ??= error
      over.abort(notUnderstood(error))
    } finally {
      await outlet.flush()
    }
  }

  const clientOver = listen('client', fromClient, fromTheClient)
  const upstreamOver = listen('upstream', fromUpstream, fromTheTarget)
  const aborted = whenAborted(signal)
  const first = await Promise.race([
    clientOver.then(() => 'client' as const),
    upstreamOver.then(() => 'upstream' as const),
    aborted,
  ])
  if (first === 'client') {
    void toUpstream.end()
    await Promise.race([upstreamOver, aborted, whenAborted(toClient.closed), pause(graceMs, undefined, { ref: false })])
  }
  input.close()
  for (const stream of Object.values(streams)) stream.end()
  const refusal = refusalIn(signal.reason)
  if (refusal !== undefined) {
    upstream.destroy()
    const isOurs = refusal === over.signal.reason
    await sayNo(refusal, isOurs ? refusedStatus : brokenStatus)
  } else if (!signal.aborted) {
    await Promise.race([toClient.end(), aborted])
    if (first === 'upstream') await Promise.race([clientOver, aborted, pause(hangUpMs, undefined, { ref: false })])
  }
  client.destroy()
  upstream.destroy()
  const recording = await kept(recorder, end?.exitStatus ?? null)
  checkpoint.settle(permit, {
    ...outcomeOf(),
    bytesIn: counts.in,
    bytesOut: counts.out,
    ...(shown.masked && { masked: true }),
    ...recording,
  })
  if (defect !== undefined) throw defect

  function outcomeOf(): Pick<Outcome, 'status' | 'error'> {
    if (refusal !== undefined && refusal === over.signal.reason)
      return { status: 'failed', error: { code: refusal.code, message: refusal.message } }
    if (end !== undefined) return end.outcome
    // Killed: what became of it there nobody knows. A client that goes away has given up.
    if (refusal !== undefined) return { status: 'unknown' }
    if (signal.aborted || (first === 'client' && !isDone)) return { status: 'cancelled' }
    // A target that closes in good order and says nothing of an end: attach.
    return { status: isDone && errors === '' ? 'done' : 'unknown' }
  }
}

/** The same memory. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
