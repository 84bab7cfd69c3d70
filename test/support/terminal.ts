/** What a command is given in tests: an empty home, no environment, and streams that remember what was written. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { createRuntime, type Env, type Runtime } from '../../src/runtime.ts'

export interface TestTerminal {
  readonly runtime: Runtime
  readonly home: string
  readonly stop: AbortController
  stdout(): string
  stderr(): string
  /** Types a line. */
  type(line: string): void
  /** Resolves once stdout or stderr contains this. */
  seen(text: string): Promise<void>
}

export interface TestTerminalOptions {
  readonly env?: Env
  readonly isTty?: boolean
  readonly home?: string
}

export function createTerminal({
  env = {},
  isTty = false,
  home = emptyHome(),
}: TestTerminalOptions = {}): TestTerminal {
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const look of waiting) look()
  }
  const out = memory(isTty, changed)
  const err = memory(isTty, changed)
  const stdin = Object.assign(new PassThrough(), { isTTY: isTty })
  const stop = new AbortController()
  const runtime = createRuntime({
    env: { HOOP_TOKEN_STORE: 'file', ...env },
    // Streams with what a terminal has of them: commands read isTTY, columns and rows.
    io: { stdin, stdout: out.stream, stderr: err.stream } as unknown as Runtime['io'],
    home,
    program: ['/usr/bin/node', '/opt/hoop/bin/hoop.js'],
    version: '0.0.0',
    signal: stop.signal,
    platform: 'linux',
    takeSignals: () => () => undefined,
  })
  onTestFinished(() => runtime.close())
  return {
    runtime,
    home,
    stop,
    stdout: out.text,
    stderr: err.text,
    type: (line) => stdin.write(`${line}\n`),
    seen: (text) =>
      new Promise((resolve) => {
        const look = () => {
          if (!out.text().includes(text) && !err.text().includes(text)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

export function emptyHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'hoop-home-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

function memory(isTty: boolean, changed: () => void): { stream: Writable; text: () => string } {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
      changed()
    },
  })
  return { stream: Object.assign(stream, { isTTY: isTty, columns: 100, rows: 50 }), text: () => text }
}
