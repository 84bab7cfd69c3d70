/** The kubectls that there are on this machine, and running one: to its end, or beside what the test does. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { Ended, Env } from '../built-cli.ts'
import { findPrograms } from './programs.ts'

export interface KubectlOptions {
  readonly input?: Buffer | string
  readonly env?: Env
}

export interface KubectlEnded extends Ended {
  readonly bytes: Buffer
}

export type Kubectl = (words: readonly string[], options?: KubectlOptions) => Promise<KubectlEnded>

export interface FoundKubectl {
  /** `1.37` */
  readonly version: string
  readonly program: string
}

/** The built one, the one on the PATH, and those of HOOP_TEST_KUBECTLS (paths with colons between them); one of a version. */
export function kubectlsHere(): readonly FoundKubectl[] {
  const built = findPrograms()?.kubectl
  const others = (process.env.HOOP_TEST_KUBECTLS ?? '').split(':').filter((path) => path !== '')
  const found = new Map<string, string>()
  for (const program of [...(built === undefined ? [] : [built]), 'kubectl', ...others]) {
    const { status, stdout } = spawnSync(program, ['version', '--client', '--output=json'], { encoding: 'utf8' })
    const version = /"gitVersion":\s*"v(\d+\.\d+)/.exec(stdout ?? '')?.[1]
    if (status === 0 && version !== undefined && !found.has(version)) found.set(version, program)
  }
  return [...found].map(([version, program]) => ({ version, program }))
}

export function kubectlOf(path: string, env: Env): Kubectl {
  return async (words, options = {}) => {
    const child = spawn(path, words, {
      env: { PATH: process.env.PATH ?? '', ...env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const out: Buffer[] = []
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    // Whoever ends before it has read everything is told apart by its status.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
    const [code] = await once(child, 'close')
    const bytes = Buffer.concat(out)
    return { code, stdout: bytes.toString(), stderr, bytes }
  }
}

export interface Background {
  /** Resolves with everything said so far, on both streams, once this is in it. */
  said(what: string | RegExp): Promise<string>
  type(text: string): void
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>
  readonly ended: Promise<number | null>
}

const longestWaitMs = 30_000

/** Ends with the test, if not before. */
export function startKubectl(path: string, words: readonly string[], env: Env): Background {
  const child = spawn(path, words, { env: { PATH: process.env.PATH ?? '', ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let text = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk
      for (const listener of listeners) listener()
    })
  child.stdin.on('error', () => undefined)
  return {
    said: (what) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          clearTimeout(late)
          listeners.delete(look)
          act()
        }
        const giveUp = (why: string) => () =>
          settle(() => reject(new Error(`${why}: ${what}; it had said ${JSON.stringify(text.slice(-2000))}`)))
        const look = () => {
          if (typeof what === 'string' ? text.includes(what) : what.test(text)) settle(() => resolve(text))
        }
        const late = setTimeout(giveUp('never said'), longestWaitMs)
        listeners.add(look)
        void ended.then(giveUp('ended without saying'))
        look()
      }),
    type: (typed) => void child.stdin.write(typed),
    async stop() {
      child.kill('SIGINT')
      return ended
    },
    ended,
  }
}
