/** A program on a terminal of its own: Node has no way to open one, so Python's pty module does. */
import { spawn, spawnSync } from 'node:child_process'
import { Writable } from 'node:stream'
import { onTestFinished } from 'vitest'

const bridge = `
import fcntl, os, pty, select, signal, struct, sys, termios
def size(fd, text):
    columns, rows = map(int, text.split())
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
child, end = pty.fork()
if child == 0:
    size(0, sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])
inputs = [0, end, 3]
while True:
    for ready in select.select(inputs, [], [])[0]:
        try:
            data = os.read(ready, 65536)
        except OSError:
            data = b''
        if ready == 3:
            for line in data.decode().split('\\n'):
                if line: size(end, line)
            if not data: inputs.remove(3)
        elif ready == 0:
            if data: os.write(end, data)
            else: inputs.remove(0)
        elif data: os.write(1, data)
        else:
            status = os.waitpid(child, 0)[1]
            sys.exit(os.waitstatus_to_exitcode(status) & 255)
`

const longestWaitMs = 15_000

export interface Pty {
  write(text: string | Uint8Array): void
  resize(columns: number, rows: number): void
  onOutput(listener: (bytes: Buffer) => void): void
  /** Resolves with everything shown so far, once that is the case. */
  until(isSo: (shown: string) => boolean): Promise<string>
  /** Nothing has been shown or typed for so long. */
  quiet(milliseconds?: number): Promise<void>
  readonly shown: string
  readonly exit: Promise<number | null>
}

export interface PtyOptions {
  readonly columns?: number
  readonly rows?: number
  readonly env?: Record<string, string>
  readonly cwd?: string
  /** Takes what ends it, where tests run beside each other; otherwise it ends with the test. */
  readonly opened?: (() => void)[]
}

export function openPty(argv: readonly string[], { columns = 80, rows = 24, env, cwd, opened }: PtyOptions = {}): Pty {
  const child = spawn('python3', ['-c', bridge, `${columns} ${rows}`, ...argv], {
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env },
    ...(cwd !== undefined && { cwd }),
  })
  const { stdin, stdout } = child
  const sizes = child.stdio[3]
  if (stdin === null || stdout === null || !(sizes instanceof Writable)) throw new Error('no pipes')
  const listeners = new Set<(bytes: Buffer) => void>()
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  let shown = ''
  let last = Date.now()
  stdout.on('data', (bytes: Buffer) => {
    last = Date.now()
    shown += bytes.toString()
    for (const listener of listeners) listener(bytes)
  })
  for (const stream of [stdin, sizes]) stream.on('error', () => undefined)
  const close = () => void child.kill('SIGKILL')
  opened?.push(close)
  if (opened === undefined) onTestFinished(close)
  return {
    write(text) {
      last = Date.now()
      stdin.write(text)
    },
    resize: (nextColumns, nextRows) => void sizes.write(`${nextColumns} ${nextRows}\n`),
    onOutput: (listener) => void listeners.add(listener),
    until: (isSo) =>
      new Promise((resolve, reject) => {
        const giveUp = (why: string) => () => {
          listeners.delete(look)
          clearTimeout(late)
          reject(new Error(`${why}; it had shown ${JSON.stringify(shown.slice(-2000))}`))
        }
        const late = setTimeout(giveUp('that never came'), longestWaitMs)
        function look() {
          if (!isSo(shown)) return
          listeners.delete(look)
          clearTimeout(late)
          resolve(shown)
        }
        listeners.add(look)
        void exit.then(giveUp('it ended'))
        look()
      }),
    async quiet(milliseconds = 150) {
      while (Date.now() - last < milliseconds)
        await new Promise((resolve) => setTimeout(resolve, milliseconds - (Date.now() - last)))
    },
    get shown() {
      return shown
    },
    exit,
  }
}

/** Which of these programs are here; what is left out is said. */
export function installed(...programs: readonly string[]): string[] {
  return programs.filter((program) => {
    if (spawnSync('which', [program]).status === 0) return true
    console.warn(`LEFT OUT: tests with ${program}, which is not installed here`)
    return false
  })
}
