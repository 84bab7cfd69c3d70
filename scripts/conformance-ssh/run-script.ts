/** One of OpenSSH's scripts, run to its end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { sftpServer } from './folder.ts'

export interface Ran {
  readonly name: string
  /** By the script's own judgement. */
  readonly passed: boolean
  /** What it said, one line each. */
  readonly lines: readonly string[]
  readonly seconds: number
}

export interface ScriptRun {
  readonly name: string
  readonly folder: string
  readonly port: number
  /** What the commands on the road need. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

export async function runScript({ name, folder, port, env, timeoutMs }: ScriptRun): Promise<Ran> {
  const began = performance.now()
  const child = spawn('sh', [join(folder, 'test-exec.sh'), folder, join(folder, `${name}.sh`)], {
    cwd: folder,
    env: {
      ...env,
      PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
      HOME: folder,
      OBJ: folder,
      BUILDDIR: folder,
      TEST_SHELL: 'sh',
      TEST_SSH_SSH: 'ssh',
      TEST_SSH_SFTPSERVER: sftpServer,
      TEST_SSH_UNSAFE_PERMISSIONS: '1',
      TEST_SSH_PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, to end with everything that it started.
    detached: true,
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk
    })
  const ended = once(child, 'exit')
  let late = false
  const watch = setTimeout(() => {
    late = true
    end(child.pid)
  }, timeoutMs)
  const [code] = await ended
  clearTimeout(watch)
  // Whatever it left in the background.
  end(child.pid)
  const lines = text
    .replaceAll(folder, 'OBJ')
    // Of `ls -l`.
    .replaceAll(/\b[A-Z][a-z]{2} +\d{1,2} \d{2}:\d{2}\b/g, 'TODAY')
    .split('\n')
    .filter((line) => line !== '')
  const seconds = (performance.now() - began) / 1000
  return { name, passed: code === 0, lines: late ? [...lines, 'it did not end in time'] : lines, seconds }
}

function end(group: number | undefined): void {
  if (group === undefined) return
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}
