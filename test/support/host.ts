/** The process as main.ts sees it, in memory: signals are events, output is remembered. */
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { type Host, main } from '../../src/main.ts'
import { createTerminal, emptyHome } from './terminal.ts'

export interface Running {
  readonly code: Promise<number>
  signal(name: NodeJS.Signals): void
  /** Whoever reads stdout goes away. */
  closeStdout(): void
  stdout(): string
  stderr(): string
  seen(text: string): Promise<void>
}

export function runMain(words: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const events = new EventEmitter()
  const terminal = createTerminal()
  const { stdout, stderr } = terminal.runtime.io
  const home = emptyHome()
  const host = Object.assign(events, {
    argv: ['node', 'hoop', ...words],
    env: { HOOP_TOKEN_STORE: 'file', XDG_STATE_HOME: home, XDG_CONFIG_HOME: home, ...env },
    stdin: new PassThrough(),
    stdout,
    stderr,
    platform: 'linux',
    // The events are typed by name in Process; here every name is welcome.
  }) as unknown as Host
  return {
    code: main(host),
    signal: (name) => events.emit(name, name),
    closeStdout: () => stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    stdout: terminal.stdout,
    stderr: terminal.stderr,
    seen: terminal.seen,
  }
}
