/**
 * A session channel on which files are moved by a protocol of their own (sftp, scp): its two ends, the target's stderr, and
 * its end. What goes over it is not recorded as a terminal would be: each file is a command with its transfer.
 */
import { once } from 'node:events'
import { reasonOf } from '../../../../base/errors.ts'
import type { Permit } from '../../../checkpoint.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import { brokenStatus, refusalIn, refusalLines } from '../../terminal/refusals.ts'
import type { SessionAsked } from '../asked.ts'
import type { Exit } from '../inside.ts'
import type { Program } from '../upstream.ts'
import type { ChannelParts, Connections } from './channel.ts'
import type { FileEnds, Way } from './file-ends.ts'
import { createFileErrors, watchPermits } from './file-errors.ts'
import { hangUp } from './hang-up.ts'
import { pour } from './pour.ts'
import { notStarted } from './begin.ts'
import { close, tell } from './said.ts'
import { createSink, type Sink } from './sink.ts'

export interface FileChannel {
  readonly asked: SessionAsked
  readonly connections: Connections
  readonly parts: ChannelParts
  /** Of what speaks at the target, where beginning it took one. */
  readonly permit?: Permit
  /** Begins what speaks at the target. */
  begin(): Promise<Program>
  /** Until the target has ended; a sentence where one of them broke the protocol. */
  run(ends: FileEnds, parts: ChannelParts): Promise<string | undefined>
}

export type FileChannelEnd =
  | { readonly exit: Exit | undefined }
  | { readonly notStarted: string }
  | { readonly broken: string }

export async function relayFileChannel({
  asked,
  connections,
  parts,
  permit,
  begin,
  run,
}: FileChannel): Promise<FileChannelEnd> {
  const { client, upstream } = connections
  const { signal } = parts
  const sink = createSink(asked.channel, client.socket, asked.gone)
  const say = (refusal: Refusal) => tell(asked, sink, refusalLines(refusal))
  let program: Program
  try {
    program = await begin()
  } catch (error) {
    say(notStarted(upstream.target.name, error))
    await close(asked, sink, { status: brokenStatus })
    return { notStarted: reasonOf(error) }
  }
  const far = program.channel
  const inward = createSink(far, upstream.socket, signal)
  const watched = watchPermits(parts.checkpoint, permit)
  const shown = createFileErrors(watched.permit, (bytes) => sink.write(asked.channel.stderr, bytes))
  const errors = pour(far.stderr, sink, asked.channel.stderr, signal, shown)
  const closed = signal.aborted ? undefined : once(far, 'close', { signal }).catch(() => undefined)
  const broken = await run(
    {
      client: asked.channel,
      target: far,
      toClient: wayInto(sink, asked.channel),
      toTarget: wayInto(inward, far),
      // Other programs than OpenSSH's show the sentence in the answer itself, and may never read stderr.
      tell: (lines) => client.software.startsWith('OpenSSH') && tell(asked, sink, lines),
      endTarget: () => far.eof(),
    },
    { ...parts, checkpoint: watched.checkpoint },
  )
  if (signal.aborted) hangUp(far, signal)
  else if (broken !== undefined) far.close()
  else await Promise.all([closed, errors.ended])
  shown.end()
  far.resume()
  far.stderr.resume()
  const exit = program.exit()
  const refusal = refusalIn(signal.reason)
  if (broken !== undefined) say(brokenProtocol(broken))
  else if (refusal !== undefined) say(refusal)
  const isWhole = broken === undefined && refusal === undefined && exit !== undefined
  await close(asked, sink, isWhole ? exit : { status: brokenStatus })
  return broken === undefined ? { exit } : { broken }
}

function wayInto(sink: Sink, stream: Parameters<Sink['write']>[0]): Way {
  return { write: (bytes) => sink.write(stream, bytes), onDrain: sink.onDrain, flushed: sink.flushed }
}

function brokenProtocol(sentence: string): Refusal {
  return {
    code: 'not-understood',
    message: `refused: ${sentence}`,
    next: 'try another client; if it stays so, ask whoever runs the target',
  }
}
