/** What an upgraded connection to a pod is for, as the request that began it said (`../commands.ts` reads it). Pure. */

export interface RemoteCommandAsked {
  readonly kind: 'exec' | 'attach'
  /** The program and its words; empty for attach. */
  readonly argv: readonly string[]
  /** A terminal: then stdout carries stderr too. */
  readonly tty: boolean
  readonly stdin: boolean
  /** Stands on the recording: `exec prod/api-7f: sh`. */
  readonly title: string
}

export interface PortForwardAsked {
  readonly kind: 'portforward'
  /** Only where the request names them: on WebSocket without SPDY in it. */
  readonly ports: readonly number[]
}

export type StreamsAsked = RemoteCommandAsked | PortForwardAsked

/**
 * How input is judged. `typed`: a shell on a terminal; each line is read off the screen and judged at its Enter. `script`: a
 * shell without one reads commands; each line is judged before it is passed on. `data`: what the program does with it is its
 * own business, and was judged with the program. Whoever judges the program need not call a shell dynamic that gets its lines
 * one by one.
 */
export type InputMode = 'typed' | 'script' | 'data'

export function inputModeOf({ argv, tty, stdin }: Omit<RemoteCommandAsked, 'kind' | 'title'>): InputMode {
  if (!stdin || !isOpenShell(argv)) return 'data'
  return tty ? 'typed' : 'script'
}

/** Shells whose lines the grammar reads. */
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'mksh', 'zsh', 'rbash'])
const quietOptions: ReadonlySet<string> = new Set([
  '-l',
  '-i',
  '-s',
  '-il',
  '-li',
  '--login',
  '--norc',
  '--noprofile',
  '--posix',
])

/** `bash -l`, `busybox sh`, `env TERM=xterm bash`: nothing but a shell that takes its commands from its input. */
export function isOpenShell(argv: readonly string[]): boolean {
  const [program, ...words] = argv
  if (program === undefined) return false
  const name = /^(?:\/(?:usr\/(?:local\/)?)?bin\/)?([a-z]+)$/.exec(program)?.[1]
  if (name === 'busybox') return isOpenShell(words)
  // A terminal's own variables change nothing that a shell runs.
  if (name === 'env') {
    const first = words.findIndex((word) => !/^(?:TERM|COLUMNS|LINES|LANG|LC_[A-Z]+|PS1)=[\w.:@ \\$#-]*$/.test(word))
    return first >= 0 && isOpenShell(words.slice(first))
  }
  return name !== undefined && shells.has(name) && words.every((word) => quietOptions.has(word))
}
