/** The small server stands in for OpenSSH's in the demo, and for a target with passwords in tests: what it does, it does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2'
import { expect, onTestFinished, test } from 'vitest'
import { generateKeyPair } from '../../src/gateway/protocols/ssh/index.ts'
import { smallServerUser, startSmallSshServer } from '../../src/demo/ssh-server.ts'
import { fillFolder, sampleFiles, type SshTarget } from '../../src/demo/ssh-target.ts'
import { isInstalled } from '../support/built-cli.ts'

async function started(password?: string): Promise<SshTarget> {
  const server = await startSmallSshServer(password === undefined ? {} : { password })
  onTestFinished(() => server.stop())
  return server
}

async function connected(server: SshTarget, login: ConnectConfig): Promise<ssh2.Client> {
  const client = new ssh2.Client()
  onTestFinished(() => void client.end())
  client.on('error', () => undefined)
  client.connect({ host: server.host, port: server.port, username: smallServerUser, ...login })
  await once(client, 'ready')
  return client
}

interface Ran {
  readonly stdout: Buffer
  readonly stderr: Buffer
  /** The status, or null and the signal. */
  readonly exit: readonly unknown[]
}

/** Listens before anything can be said: the whole answer may come with the channel. */
function run(
  client: ssh2.Client,
  command: string,
  input?: Buffer,
  onOpen?: (channel: ClientChannel) => void,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error)
      const out: Buffer[] = []
      const err: Buffer[] = []
      let exit: readonly unknown[] = []
      channel.on('data', (chunk: Buffer) => out.push(chunk))
      channel.stderr.on('data', (chunk: Buffer) => err.push(chunk))
      channel.on('exit', (...how: unknown[]) => {
        exit = how
      })
      channel.on('close', () => resolve({ stdout: Buffer.concat(out), stderr: Buffer.concat(err), exit }))
      channel.end(input)
      onOpen?.(channel)
    })
  })
}

test('lets in who has the key, runs commands in its folder, and tells them byte for byte', async () => {
  const server = await started()
  await fillFolder(server.home)
  const client = await connected(server, { privateKey: server.clientKey })
  const { stdout, stderr, exit } = await run(client, 'pwd; cat app/config/settings.ini; echo "so  " >&2; exit 3')
  expect(stdout.toString()).toBe(`${server.home}\n${sampleFiles['app/config/settings.ini']}`)
  expect(stderr.toString()).toBe('so  \n')
  expect(exit[0]).toBe(3)
  const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, at) => (at * 7919) % 256))
  expect((await run(client, 'cat', bytes)).stdout.equals(bytes)).toBe(true)
  expect((await run(client, 'kill -TERM $$')).exit.slice(0, 2)).toEqual([null, 'SIGTERM'])
  expect((await server.asked()).slice(1)).toEqual(['cat', 'kill -TERM $$'])
})

test('lets in who knows the password, and nobody else', async () => {
  const server = await started('right horse')
  const client = await connected(server, { password: 'right horse' })
  expect((await run(client, 'echo in')).stdout.toString()).toBe('in\n')
  await expect(connected(server, { password: 'right hors' })).rejects.toThrow('authentication methods failed')
  await expect(connected(server, { privateKey: server.clientKey })).rejects.toThrow('authentication methods failed')
  const byKey = await started()
  const { private: other } = generateKeyPair()
  await expect(connected(byKey, { privateKey: other })).rejects.toThrow('authentication methods failed')
})

test('refuses what it does not have: terminals, SFTP, forwards', async () => {
  const server = await started()
  const client = await connected(server, { privateKey: server.clientKey })
  const refused = (ask: (done: (error?: Error) => void) => void) => new Promise((resolve) => ask(resolve))
  expect(await refused((done) => client.shell(done))).toBeInstanceOf(Error)
  expect(await refused((done) => client.sftp(done))).toBeInstanceOf(Error)
  expect(await refused((done) => client.forwardOut('127.0.0.1', 1, '127.0.0.1', server.port, done))).toBeInstanceOf(
    Error,
  )
  expect(await refused((done) => client.forwardIn('127.0.0.1', 0, done))).toBeInstanceOf(Error)
})

test('ends with what runs in it, and leaves nothing behind', async () => {
  const server = await started()
  const client = await connected(server, { privateKey: server.clientKey })
  const gone = once(client, 'close')
  await new Promise<void>((resolve) => {
    run(client, 'echo on; sleep 1000', undefined, (channel) => channel.once('data', () => resolve())).catch(() => {})
  })
  await server.stop()
  await gone
  expect(existsSync(server.home)).toBe(false)
})

test.runIf(isInstalled('ssh', '-V'))('OpenSSH’s client can use it', async () => {
  const server = await started()
  const key = join(server.home, 'key')
  await writeFile(key, server.clientKey, { mode: 0o600 })
  const known = join(server.home, 'known')
  await writeFile(known, `[${server.host}]:${server.port} ${server.hostKey}\n`)
  const options = ['-F', 'none', '-i', key, '-o', `UserKnownHostsFile=${known}`, '-o', 'BatchMode=yes']
  const where = ['-p', String(server.port), `${smallServerUser}@${server.host}`]
  const child = spawn('ssh', [...options, ...where, 'cat >made; echo done; exit 4'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end('a file')
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  expect(await once(child, 'close')).toEqual([4, null])
  expect(said).toBe('done\n')
  expect(await readFile(join(server.home, 'made'), 'utf8')).toBe('a file')
})
