/**
 * One connection over this process' own stdin and stdout, as ssh's ProxyCommand has it. Each direction ends by itself, and
 * the end of what the gateway says is passed on as what ssh understands: a closed pipe.
 */
import { closeSync } from 'node:fs'
import type { Duplex, Readable, Writable } from 'node:stream'

export interface Stdio {
  readonly stdin: Readable
  readonly stdout: Writable & { readonly fd?: number }
}

/**
 * Resolves when the connection is over. Rejects with what broke it; `signal` breaks it off, with its reason.
 */
export function joinStdio({ stdin, stdout }: Stdio, stream: Duplex, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let hasEnded = false
    const leave = () => stream.destroy(signal.reason)
    stream.on('error', isSeenAsClose)
    stream.once('end', () => {
      hasEnded = true
      closeAfterAll(stdout)
    })
    const finish = () => {
      signal.removeEventListener('abort', leave)
      stdin.unpipe(stream)
      stdin.pause()
      if (hasEnded) resolve()
      else reject(signal.aborted ? signal.reason : (stream.errored ?? new Error('it was cut off')))
    }
    // It may have come and gone in one piece.
    if (stream.closed) return finish()
    stream.once('close', finish)
    // Reading from a terminal that went away, say. What was read still goes out; it just ends there.
    stdin.once('error', () => stream.end())
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    stdin.pipe(stream)
    stream.pipe(stdout, { end: false })
  })
}

/** Every error is followed by a close, which is what matters here. */
function isSeenAsClose(): void {}

/** Node never closes the real stdout by itself; ssh would wait for ever for what no longer comes. */
function closeAfterAll(stdout: Stdio['stdout']): void {
  stdout.write('', (error) => {
    if (stdout.fd === undefined) stdout.end()
    else if (error === null || error === undefined) closeSync(stdout.fd)
  })
}
