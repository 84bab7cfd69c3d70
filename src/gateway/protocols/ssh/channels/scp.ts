/** `scp -t` and `scp -f`, as OpenSSH's `scp -O` asks for them: run as they were written, each file a command of its own. */
import type { Permit } from '../../../checkpoint.ts'
import type { Outcome } from '../../../../contract/record.ts'
import type { SessionAsked } from '../asked.ts'
import { allowedEnv } from '../env.ts'
import type { ScpCall } from '../scp/call.ts'
import { runScp } from '../scp/run.ts'
import { learnStart } from '../sftp/learn-start.ts'
import type { Upstream } from '../upstream.ts'
import type { ChannelParts, Connections } from './channel.ts'
import { outcomeOfExit } from './exited.ts'
import { type FileChannelEnd, relayFileChannel } from './file-channel.ts'

export interface ScpRun {
  readonly asked: SessionAsked
  readonly connections: Connections
  readonly parts: ChannelParts
  readonly call: ScpCall
  /** Of the command line itself. */
  readonly permit: Permit
}

/** Settles the permit. */
export async function relayScp({ asked, connections, parts, call, permit }: ScpRun): Promise<void> {
  const { upstream } = connections
  const { checkpoint, signal } = parts
  const start = call.path.startsWith('/') ? undefined : await startOf(upstream, signal)
  const env = allowedEnv(asked.env, parts.settings.env)
  const end = await relayFileChannel({
    asked,
    connections,
    parts,
    permit,
    begin: () => upstream.exec(permit, asked.text, { pty: asked.pty, env }),
    run: (ends) => runScp(ends, { checkpoint, signal, call, start }),
  })
  checkpoint.settle(permit, outcomeOf(end, signal))
}

/** For a target to say where a login begins; one without sftp never does. */
const startTimeoutMs = 5000
const starts = new WeakMap<Upstream, Promise<string | undefined>>()

/** Asked once for a connection. */
function startOf(upstream: Upstream, signal: AbortSignal): Promise<string | undefined> {
  const known =
    starts.get(upstream) ?? askStart(upstream, AbortSignal.any([signal, AbortSignal.timeout(startTimeoutMs)]))
  starts.set(upstream, known)
  void known.then((start) => start === undefined && starts.delete(upstream))
  return known
}

async function askStart(upstream: Upstream, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { channel } = await upstream.sftp()
    const start = await learnStart(channel, signal)
    channel.close()
    channel.resume()
    return start
  } catch {
    // No subsystem there: relative paths then stay as they are, and count as dynamic.
    return undefined
  }
}

function outcomeOf(end: FileChannelEnd, signal: AbortSignal): Outcome {
  if ('notStarted' in end) return { status: 'failed', error: { code: 'not-started', message: end.notStarted } }
  if ('broken' in end) return { status: 'failed', error: { code: 'protocol-error', message: end.broken } }
  return outcomeOfExit(end.exit, signal)
}
