/** One SFTP session between two streams: reads both, lets conversation.ts say what goes on, and minds who is slow. */
import type { Outcome } from '../../../../contract/record.ts'
import type { Checkpoint } from '../../../checkpoint.ts'
import { refusalIn } from '../../terminal/refusals.ts'
import { createIntake, type Intake } from '../../wire/intake.ts'
import type { FileEnds } from '../channels/file-ends.ts'
import { Conversation } from './conversation.ts'
import { createPost } from './post.ts'
import { createFrameReader, SftpBroken } from './wire.ts'

export interface RunParts {
  readonly checkpoint: Checkpoint
  /** Aborted when either end is gone or the session is killed. */
  readonly signal: AbortSignal
}

/** Until the target has ended, or must not go on. Resolves with a sentence where one of them broke the protocol. */
export async function runSftp(ends: FileEnds, { checkpoint, signal }: RunParts): Promise<string | undefined> {
  const stop = new AbortController()
  const over = AbortSignal.any([signal, stop.signal])
  const client = createIntake(ends.client, over)
  const target = createIntake(ends.target, over)
  const [toClient, toTarget] = [createPost(ends.toClient), createPost(ends.toTarget)]
  let clientLeft = false
  client.gone.addEventListener('abort', () => {
    clientLeft = !over.aborted
  })

  let waiting: (() => void)[] = []
  function stir(): void {
    toClient.flush()
    toTarget.flush()
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }
  over.addEventListener('abort', stir)
  async function until(isSo: () => boolean): Promise<void> {
    while (!over.aborted && !isSo()) await new Promise<void>((resolve) => waiting.push(resolve))
  }

  let failure: unknown
  const end = () => stop.abort()
  const fail = (error: unknown) => {
    failure ??= error
    end()
  }

  const conversation = new Conversation({
    checkpoint,
    leaving: AbortSignal.any([client.gone, target.gone]),
    toClient: toClient.add,
    toTarget: (bytes, _leave) => toTarget.add(bytes),
    tell: ends.tell,
    stir,
    fail,
  })

  async function inward(): Promise<void> {
    const reader = createFrameReader('the client')
    for await (const chunk of chunksOf(client, over)) {
      for (const frame of reader.push(chunk)) {
        // Who reads no answers is not asked for more questions.
        if (toClient.isFull || !conversation.hasRoom) {
          stir()
          await toClient.room(over)
          await until(() => conversation.hasRoom)
          if (over.aborted) return
        }
        conversation.fromClient(frame)
      }
      stir()
      await toTarget.room(over)
    }
    await until(() => conversation.isDrained)
    if (over.aborted) return
    await ends.toTarget.flushed()
    ends.endTarget()
  }

  async function outward(): Promise<void> {
    const reader = createFrameReader('the target')
    for await (const chunk of chunksOf(target, over)) {
      for (const frame of reader.push(chunk)) conversation.fromTarget(frame)
      stir()
      await toClient.room(over)
    }
  }

  await Promise.all([inward().catch(fail), outward().then(end, fail)])
  await conversation.close(endedBy(signal, clientLeft))
  if (failure === undefined || failure instanceof SftpBroken) return failure?.message
  throw failure
}

async function* chunksOf(intake: Intake, over: AbortSignal): AsyncIterable<Buffer> {
  for (let chunk = await intake.next(); chunk !== undefined && !over.aborted; chunk = await intake.next()) yield chunk
}

/** Who is killed, or whose target has gone, does not know how it ended; who goes away has given up. */
function endedBy(signal: AbortSignal, clientLeft: boolean): Outcome['status'] {
  if (refusalIn(signal.reason) !== undefined) return 'unknown'
  return clientLeft || signal.aborted ? 'cancelled' : 'unknown'
}
