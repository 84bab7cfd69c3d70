/**
 * OpenSSH's own server on loopback, with a configuration and keys of its own in a folder that goes away: for `hoop demo` and
 * for the tests. Whoever starts it is also who can log in: without PAM, and without adding a user to the system, sshd lets
 * in no one else. So there are no passwords either.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { chmod, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '../gateway/protocols/ssh/index.ts'
import { hoopError } from '../contract/error-codes.ts'
import { descendantsOf } from './descendants.ts'
import { freePort } from './postgres.ts'
import type { SshTarget } from './ssh-target.ts'

export interface SshdOptions {
  /** A new one by default. Removed by stop(). */
  readonly folder?: string
  /** Keep the port of a server before: for a target that changes its key. */
  readonly port?: number
  /** Lines for sshd_config, before ours: sshd takes the first that it meets. */
  readonly lines?: readonly string[]
  /** Lets in whoever shows this public key; a pair is made and given back by default. */
  readonly authorized?: string
  /** Commands start where sshd has them start (the person's own home) and are not written down. */
  readonly bare?: boolean
}

export interface Sshd extends SshTarget {
  readonly clientKeyFile: string
  readonly version: string
  /** What the server wrote: logins with their keys, channels, forwards. */
  log(): Promise<string>
}

const startTimeoutMs = 30_000
const programs = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd']
const sftpPrograms = [
  '/usr/lib/openssh/sftp-server',
  '/usr/libexec/openssh/sftp-server',
  '/usr/lib/ssh/sftp-server',
  '/usr/libexec/sftp-server',
]

/** Where sshd is, if it is installed. It wants to be started by its whole path. */
export function findSshd(): string | undefined {
  return programs.find(canRun)
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const program = findSshd()
  if (program === undefined)
    throw hoopError('internal', 'OpenSSH’s server is not installed', { hint: 'install the package openssh-server' })
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hoop-sshd-')))
  let server: ChildProcess | undefined
  try {
    await mkdir(folder, { recursive: true })
    const home = join(folder, 'home')
    await mkdir(home, { recursive: true })
    const host = generateKeyPair()
    const pair = generateKeyPair()
    const place = (name: string) => join(folder, name)
    const secret = (name: string, text: string) => writeFile(place(name), text, { mode: 0o600 })
    await secret('host-key', host.private)
    await secret('client-key', pair.private)
    await secret('authorized-keys', `${options.authorized ?? pair.public}\n`)
    await writeFile(place('asked'), '')
    await writeFile(place('run'), runScript(place('asked')))
    await chmod(place('run'), 0o755)
    const version = versionOf(program)
    const port = options.port ?? (await freePort())
    const lines = [...(options.lines ?? []), ...ownLines({ folder, home, port, version, bare: options.bare ?? false })]
    await secret('sshd_config', `${lines.join('\n')}\n`)

    server = await launch(program, place('sshd_config'), place('sshd.log'))
    await untilListening(server, place('sshd.log'))
    const running = server
    return {
      about: `OpenSSH ${version.join('.')}`,
      isOpenSsh: true,
      host: '127.0.0.1',
      port,
      user: userInfo().username,
      hostKey: host.public.trim(),
      clientKey: pair.private,
      clientKeyFile: place('client-key'),
      home,
      version: version.join('.'),
      log: () => readFile(place('sshd.log'), 'utf8'),
      asked: async () => askedIn(await readFile(place('asked'), 'utf8')),
      stop: async () => {
        await end(running)
        await rm(folder, { recursive: true, force: true, maxRetries: 5 })
      },
    }
  } catch (error) {
    if (server !== undefined) await end(server)
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

interface Own {
  readonly folder: string
  readonly home: string
  readonly port: number
  readonly version: readonly [number, number]
  readonly bare: boolean
}

function ownLines({ folder, home, port, version: [major, minor], bare }: Own): readonly string[] {
  const sftp = sftpPrograms.find(canRun)
  return [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${join(folder, 'host-key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized-keys')}`,
    'PidFile none',
    'UsePAM no',
    // The folder is below one that everybody may write to.
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PrintMotd no',
    'PrintLastLog no',
    'PermitUserRC no',
    'UseDNS no',
    'LogLevel VERBOSE',
    // Many connections and channels at once are what the tests are about.
    'MaxStartups 1000:30:2000',
    'MaxSessions 1000',
    ...(major > 9 || (major === 9 && minor >= 8) ? ['PerSourcePenalties no'] : []),
    ...(sftp === undefined ? [] : [`Subsystem sftp ${sftp}`]),
    ...(bare ? [] : [`SetEnv HOME="${home}"`, `ForceCommand "${join(folder, 'run')}"`]),
  ]
}

/**
 * Runs what was asked for, in HOME, by the person's own shell as sshd would have; and first writes it down, each ended by
 * a zero byte, which no command can hold. A shell is an empty one behind a mark.
 */
function runScript(askedFile: string): string {
  return `#!/bin/sh
cd "$HOME" || exit 1
if [ "\${SSH_ORIGINAL_COMMAND+set}" ]; then
  printf 'c%s\\0' "$SSH_ORIGINAL_COMMAND" >>'${askedFile}'
  exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"
fi
printf 's\\0' >>'${askedFile}'
exec "$SHELL" -l
`
}

function askedIn(text: string): readonly (string | null)[] {
  return text
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => (entry.startsWith('c') ? entry.slice(1) : null))
}

async function launch(program: string, config: string, log: string): Promise<ChildProcess> {
  if (process.getuid?.() === 0) await makePrivilegeSeparationFolder()
  const file = await open(log, 'a', 0o600)
  try {
    const child = spawn(program, ['-D', '-e', '-f', config], {
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', file.fd, file.fd],
      // A group of its own: Ctrl-C in the terminal is ours to handle, the server ends when we say so.
      detached: true,
    })
    await once(child, 'spawn')
    return child
  } finally {
    await file.close()
  }
}

/**
 * Where root's sshd locks itself up while it does not know yet who is there. The system makes this empty folder at its
 * start where it starts sshd itself; it stays, because another sshd may have begun to use it.
 */
export async function makePrivilegeSeparationFolder(): Promise<void> {
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
}

async function untilListening(server: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const log = await readFile(logFile, 'utf8')
    if (log.includes('Server listening on')) return
    if (server.exitCode !== null || Date.now() > deadline)
      throw hoopError('internal', `sshd did not start: ${log.trim().slice(-500)}`)
    await new Promise((resume) => setTimeout(resume, 10))
  }
}

/** Its connections are processes apart that outlive it: they are ended with all that they run. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  const below = descendantsOf(server.pid)
  server.kill('SIGTERM')
  await ended
  for (const pid of below) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone already.
    }
  }
}

function versionOf(program: string): readonly [number, number] {
  const { stdout, stderr } = spawnSync(program, ['-V'], { encoding: 'utf8' })
  const [, major, minor] = `${stdout}${stderr}`.match(/OpenSSH_(\d+)\.(\d+)/) ?? []
  return [Number(major), Number(minor)]
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
