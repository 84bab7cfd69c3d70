/**
 * A whole conversation: everything the client asks for goes to a file of its own kind, any number at once, until either
 * side is gone. Nobody here decides: each kind asks the checkpoint for itself.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../../base/clock.ts'
import type { Command } from '../../../contract/command.ts'
import { isHoopError } from '../../../contract/error-codes.ts'
import type { Checkpoint } from '../../checkpoint.ts'
import type { Conversation, SshSettings } from '../protocol.ts'
import type { ShellReader } from '../shell/reader.ts'
import { refusalIn, refusedStatus } from '../terminal/refusals.ts'
import type { Asked, SessionAsked } from './asked.ts'
import type { ChannelParts, Connections } from './channels/channel.ts'
import { relayExec } from './channels/exec.ts'
import { createListeners, relayForward } from './channels/forward.ts'
import { sayNo } from './channels/said.ts'
import { relaySftp } from './channels/sftp.ts'
import { relayShell } from './channels/shell.ts'
import { createSink } from './channels/sink.ts'
import { subsystemCommand } from './commands.ts'
import type { Client } from './greeting.ts'
import { rekeyEvery } from './rekey.ts'
import type { Upstream } from './upstream.ts'

export interface RelayParts {
  readonly clock: Clock
  readonly reader: Promise<ShellReader>
  /** New keys after so much; a gigabyte unless said otherwise. */
  readonly rekeyBytes?: number
}

/** For a peer to take what was written to it, and to close. */
const lastWordsMs = 250

export async function relay(
  { clock, reader, rekeyBytes }: RelayParts,
  client: Client,
  upstream: Upstream,
  conversation: Conversation,
): Promise<void> {
  const { checkpoint, recordings } = conversation
  const connections: Connections = { client, upstream }
  const over = AbortSignal.any([conversation.signal, client.gone, upstream.gone])
  const running = new Set<Promise<void>>()
  const listeners = createListeners(connections)
  const rekeying = rekeyEvery(connections, rekeyBytes)
  let failure: unknown
  let lastWords = 'the gateway failed; this connection is ended'
  try {
    const shell = await reader
    const partsFor = (gone: AbortSignal): ChannelParts => ({
      checkpoint,
      recordings,
      shell,
      settings: upstream.target.ssh ?? nothingAllowed,
      clock,
      signal: AbortSignal.any([gone, over]),
    })
    const serve = (asked: Asked): Promise<void> => {
      switch (asked.kind) {
        case 'exec':
          return relayExec(asked, connections, partsFor(asked.gone))
        case 'shell':
          return relayShell(asked, connections, partsFor(asked.gone))
        case 'subsystem':
          if (asked.text === 'sftp') return relaySftp(asked, connections, partsFor(asked.gone))
          return refuse(asked, client, subsystemCommand(asked.text), 'only the subsystem sftp is passed on', checkpoint)
        case 'forward':
          return relayForward(asked, connections, partsFor(over))
        case 'listen':
          return listeners.listen(asked, partsFor(over))
        case 'unlisten':
          return Promise.resolve(listeners.unlisten(asked))
        default:
          return asked satisfies never
      }
    }
    client.asked.take((asked) => {
      // A defect in one channel ends the connection: what it left behind is settled by whoever stands above.
      const served = serve(asked).catch((error: unknown) => {
        failure ??= error
        client.end(lastWords)
      })
      running.add(served)
      void served.finally(() => running.delete(served))
    })
    if (!over.aborted) await once(over, 'abort')
    if (failure === undefined) lastWords = refusalIn(over.reason)?.message ?? ''
    // Every channel has heard the same signal, and says its last words. OpenSSH's client, told to disconnect, drops what it
    // has not shown yet: whoever was told on a channel is given time to leave by itself.
    if (running.size > 0) {
      await within(lastWordsMs, Promise.all(running))
      await within(lastWordsMs, closed(client.socket))
    }
  } finally {
    listeners.close()
    rekeying.stop()
    client.end(lastWords)
    upstream.end()
    await within(lastWordsMs, closed(client.socket))
    client.socket.destroy()
    upstream.socket.destroy()
    await Promise.all(running)
  }
  if (failure !== undefined) throw failure
  if (isHoopError(client.gone.reason)) throw client.gone.reason
}

/** A target that no configuration has spoken of allows nothing. */
const nothingAllowed: SshSettings = { login: 'key', hostKeys: [], shell: 'deny', forwards: [], env: [] }

/** What is refused whatever the rules say of it. */
async function refuse(
  asked: SessionAsked,
  client: Client,
  command: Command,
  reason: string,
  checkpoint: Checkpoint,
): Promise<void> {
  const sink = createSink(asked.channel, client.socket, asked.gone)
  await sayNo(asked, sink, await checkpoint.refuse([command], reason), refusedStatus)
}

function closed(socket: Duplex): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** Waits for the end of something, but not for ever. */
async function within(milliseconds: number, end: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  await Promise.race([end, late])
  clearTimeout(timer)
}
