/**
 * A port-forward, from the 101 to the end of both connections: what comes is decoded by stream and written anew for the other
 * end. Each port is judged before anything of it reaches the target. What is said over it is not looked at, nor recorded.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { isHoopError } from '../../../../contract/error-codes.ts'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Upgraded } from '../../http/index.ts'
import { refusalIn } from '../../terminal/refusals.ts'
import { createIntake, type Intake } from '../../wire/intake.ts'
import { createOutlet } from '../../wire/outlet.ts'
import { graceMs, lastWordsMs, notUnderstood, whenAborted } from './endings.ts'
import type { ForwardHeard, ForwardTongue } from './forward-tongue.ts'
import { createJudgedPorts } from './judged-ports.ts'
import type { End } from './tongue.ts'

export async function relayPortForward(
  { cleared, client, upstream, conversation }: Upgraded,
  tongue: ForwardTongue,
): Promise<void> {
  const { permit, command } = cleared
  const { checkpoint } = conversation
  const over = new AbortController()
  const signal = AbortSignal.any([conversation.signal, over.signal])
  const intakes = { client: createIntake(client, signal), upstream: createIntake(upstream, signal) }
  const outlets = { client: createOutlet(client), upstream: createOutlet(upstream) }
  const ports = createJudgedPorts(command, checkpoint, AbortSignal.any([signal, intakes.client.gone]))
  let defect: unknown
  const add = (to: End, frames: readonly Buffer[]) => {
    for (const bytes of frames) outlets[to].add(bytes)
  }

  async function take(from: End, heard: ForwardHeard): Promise<void> {
    const to = from === 'client' ? 'upstream' : 'client'
    if (heard.kind === 'open') {
      const refusal = await ports.ask(heard.port)
      if (refusal === undefined) return add('upstream', heard.go())
      add('client', heard.no(wordsOf(refusal)))
      return await outlets.client.flush()
    }
    if (heard.kind === 'data') ports.moved(heard.port, from, heard.bytes)
    add(to, heard.onward)
  }

  async function listen(from: End, intake: Intake): Promise<void> {
    const outlet = outlets[from === 'client' ? 'upstream' : 'client']
    try {
      for (let chunk = await intake.next(); chunk !== undefined; chunk = await intake.next()) {
        for (const heard of tongue.hear(from, chunk)) {
          if (signal.aborted) return
          await take(from, heard)
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

  for (const port of tongue.ports) {
    const refusal = await ports.ask(port)
    if (refusal !== undefined) over.abort(refusal)
  }
  const [clientOver, upstreamOver] = [listen('client', intakes.client), listen('upstream', intakes.upstream)]
  const aborted = whenAborted(signal)
  const first = await Promise.race([
    clientOver.then(() => 'client' as const),
    upstreamOver.then(() => 'upstream' as const),
    aborted,
  ])
  // Either end closes the whole: what is under way still arrives.
  const other = first === 'client' ? 'upstream' : 'client'
  if (!signal.aborted) {
    await Promise.race([outlets[other].end(), aborted])
    const rest = first === 'client' ? upstreamOver : clientOver
    const gone = whenAborted(outlets.client.closed)
    await Promise.race([rest, aborted, gone, pause(graceMs, undefined, { ref: false })])
    await Promise.race([outlets.client.end(), aborted, pause(graceMs, undefined, { ref: false })])
  }
  const refusal = refusalIn(signal.reason)
  if (refusal !== undefined) {
    upstream.destroy()
    add('client', tongue.bye('client', wordsOf(refusal)))
    await Promise.race([outlets.client.end(), pause(lastWordsMs, undefined, { ref: false })])
  }
  client.destroy()
  upstream.destroy()
  checkpoint.settle(permit, { ...outcomeOf(refusal, refusal === over.signal.reason), ...ports.settle() })
  if (defect !== undefined) throw defect
}

function outcomeOf(refusal: Refusal | undefined, isOurs: boolean): Pick<Outcome, 'status' | 'error'> {
  if (refusal === undefined) return { status: 'done' }
  return isOurs ? { status: 'failed', error: { code: refusal.code, message: refusal.message } } : { status: 'unknown' }
}

/** What kubectl prints behind "an error occurred forwarding". */
function wordsOf(refusal: Refusal): string {
  return `hoop: ${refusal.message}; next: ${refusal.next}`
}
