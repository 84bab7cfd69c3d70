/**
 * A small SSH server for machines without OpenSSH's: it runs commands in a folder that goes away, each by `sh`, and knows one
 * person with a key or a password. It has no terminals, no files over SFTP and no forwards, and refuses whoever asks for them.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from 'ssh2'
import { generateKeyPair } from '../gateway/protocols/ssh/index.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { SshTarget } from './ssh-target.ts'

export interface SmallSshServerOptions {
  /** Lets in who knows this, instead of who has a key. */
  readonly password?: string
}

export const smallServerUser = 'demo'

export async function startSmallSshServer({ password }: SmallSshServerOptions = {}): Promise<SshTarget> {
  const home = await mkdtemp(join(tmpdir(), 'hoop-ssh-'))
  const hostKeys = generateKeyPair()
  const clientKeys = generateKeyPair()
  const asked: string[] = []
  const running = new Set<ChildProcess>()
  const clients = new Set<Connection>()
  const isLetIn = password === undefined ? hasKey(clientKeys.public) : knows(password)

  const server = new ssh2.Server({ hostKeys: [hostKeys.private], ident: 'hoop-demo' }, (client) => {
    clients.add(client)
    client.on('error', () => client.end())
    client.on('close', () => clients.delete(client))
    client.on('authentication', (attempt) => (isLetIn(attempt) ? attempt.accept() : attempt.reject([method])))
    client.on('session', (accept) => serve(accept()))
  })
  const method = password === undefined ? 'publickey' : 'password'

  /** Whatever nobody listens for (a terminal, a subsystem) is refused by ssh2. */
  function serve(session: Session): void {
    let child: ChildProcess | undefined
    session.on('exec', (accept, _reject, { command }) => {
      asked.push(command)
      child = spawn('/bin/sh', ['-c', command], {
        cwd: home,
        env: { PATH: process.env.PATH ?? '', HOME: home, USER: smallServerUser, LC_ALL: 'C' },
        // A group of its own, so that what it started ends with it.
        detached: true,
      })
      running.add(child)
      const ran = child
      void attach(ran, accept()).finally(() => running.delete(ran))
    })
    session.on('signal', (accept, _reject, { name }) => {
      if (child !== undefined) killGroup(child, `SIG${name}` as NodeJS.Signals)
      accept?.()
    })
    session.on('close', () => {
      if (child !== undefined) killGroup(child, 'SIGHUP')
    })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw hoopError('internal', 'no free port on 127.0.0.1')
  return {
    about: 'a small SSH server of the demo’s own, because OpenSSH’s is not installed',
    isOpenSsh: false,
    host: '127.0.0.1',
    port: address.port,
    user: smallServerUser,
    hostKey: hostKeys.public.trim(),
    clientKey: clientKeys.private,
    home,
    asked: async () => [...asked],
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const client of clients) client.end()
      for (const child of running) killGroup(child, 'SIGKILL')
      await closed
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function attach(child: ChildProcess, channel: ServerChannel): Promise<void> {
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw hoopError('internal', 'a command without its pipes')
  // A command that does not read what it is given is no failure. Not pipeline(): it would close the channel of a command that
  // ended without reading all, before its status is told.
  for (const stream of [channel, stdin]) stream.on('error', () => undefined)
  channel.pipe(stdin)
  stdout.pipe(channel, { end: false })
  stderr.pipe(channel.stderr, { end: false })
  const [status, signal] = await once(child, 'close').catch((): [number, null] => [127, null])
  if (signal === null) channel.exit(status ?? 1)
  else channel.exit(String(signal).replace(/^SIG/, ''))
  channel.end()
}

function hasKey(publicKey: string): (attempt: AuthContext) => boolean {
  const key = ssh2.utils.parseKey(publicKey)
  if (key instanceof Error) throw key
  return (attempt) => {
    if (attempt.method !== 'publickey' || attempt.username !== smallServerUser) return false
    if (!key.getPublicSSH().equals(attempt.key.data)) return false
    // Without a signature it is only asked whether this key would do.
    if (attempt.signature === undefined || attempt.blob === undefined) return true
    return key.verify(attempt.blob, attempt.signature, attempt.hashAlgo) === true
  }
}

function knows(password: string): (attempt: AuthContext) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return (attempt) =>
    attempt.method === 'password' &&
    attempt.username === smallServerUser &&
    timingSafeEqual(digest(attempt.password), digest(password))
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // Gone already, or a signal that this system does not have.
  }
}
