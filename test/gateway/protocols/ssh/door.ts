/** SSH through the protocol as the tests of this folder need it: its parts, a target on a real sshd, and a client. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import ssh2, { type Client, type ClientChannel, type ConnectConfig, type ExecOptions } from 'ssh2'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { Secret } from '../../../../src/base/secret.ts'
import type { Recordings, SshSettings, Target } from '../../../../src/gateway/protocols/protocol.ts'
import type { TargetKeys } from '../../../../src/gateway/protocols/ssh/host-keys.ts'
import { generateKeyPair } from '../../../../src/gateway/protocols/ssh/key-pair.ts'
import { createProtocol, type ProtocolParts } from '../../../../src/gateway/protocols/ssh/protocol.ts'
import {
  createRecordingCheckpoint,
  type Door,
  openDoor,
  type RecordingCheckpoint,
} from '../../../support/conversation.ts'
import { plainShell } from '../../../support/plain-shell.ts'
import { createMemoryRecordings, type MemoryRecordings } from '../../../support/recordings.ts'
import type { TestSshd } from '../../../support/sshd.ts'
import { credentialOf } from '../../../support/credentials.ts'

export function createTestSsh(parts: Partial<ProtocolParts> = {}) {
  return createProtocol({
    clock: systemClock,
    reader: Promise.resolve(plainShell),
    hostKey: generateKeyPair().private,
    targetKeys: memoryKeys(),
    // A busy machine needs a while to start a process of sshd.
    connectTimeoutMs: 20_000,
    ...parts,
  })
}

/** Keys taken on first use, with what was taken. */
export function memoryKeys(): TargetKeys & { readonly taken: Map<string, string> } {
  const taken = new Map<string, string>()
  return {
    taken,
    known: async ({ name }) => taken.get(name),
    async take({ name }, key) {
      // As slow as a disk: the target goes on meanwhile.
      await pause(30)
      const known = taken.get(name)
      if (known === undefined) taken.set(name, key)
      return known ?? key
    },
  }
}

export function targetOn(sshd: Pick<TestSshd, 'host' | 'port' | 'user'>, settings: Partial<SshSettings> = {}): Target {
  return {
    name: 'ssh-test',
    protocol: 'ssh',
    host: sshd.host,
    port: sshd.port,
    tls: { mode: 'disable' },
    user: sshd.user,
    databases: [],
    ssh: { login: 'key', hostKeys: [], shell: 'deny', forwards: [], env: [], ...settings },
  }
}

export interface Ended {
  readonly status: number | null
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
}

/** A client that has shaken hands. Its errors are the tests' to look at (`client.on('error')`). */
export async function connectClient(
  port: number,
  config: ConnectConfig = {},
): Promise<{ client: Client; socket: Socket }> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const client = new ssh2.Client()
  client.on('error', () => undefined)
  client.connect({ sock: socket, username: 'anybody', ...config })
  await once(client, 'ready')
  return { client, socket }
}

type Opened = (error: Error | undefined, channel: ClientChannel) => void

/** A channel, however it is asked for: `(opened) => client.shell(opened)`. */
export function channelOf(ask: (opened: Opened) => void): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    ask((error, channel) => {
      if (error !== undefined) return reject(error)
      // In this turn: the end of a short program comes in the same packet.
      channel.on('exit', (status: number | null, signal?: string) => exits.set(channel, { status, signal }))
      resolve(channel)
    })
  })
}

const exits = new WeakMap<ClientChannel, Pick<Ended, 'status' | 'signal'>>()

export function exec(client: Client, command: string, options: ExecOptions = {}): Promise<ClientChannel> {
  return channelOf((opened) => client.exec(command, options, opened))
}

/** All of it, to the end. */
export async function run(client: Client, command: string, options: ExecOptions = {}): Promise<Ended> {
  const channel = await exec(client, command, options)
  channel.end()
  return await endOf(channel)
}

export async function endOf(channel: ClientChannel): Promise<Ended> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  channel.on('data', (chunk: Buffer) => out.push(chunk))
  channel.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  await new Promise((resolve) => channel.once('close', resolve))
  const { status = null, signal } = exits.get(channel) ?? {}
  return { status, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}

/** OpenSSH's own client; asks nothing, keeps nothing. */
export function startOpenSsh(port: number, args: readonly string[]): ChildProcessWithoutNullStreams {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes']
  const all = [
    '-F',
    'none',
    '-p',
    String(port),
    ...options.flatMap((option) => ['-o', option]),
    'anybody@127.0.0.1',
    ...args,
  ]
  const ssh = spawn('ssh', all)
  onTestFinished(() => void ssh.kill('SIGKILL'))
  return ssh
}

const noRecordings: Recordings = {
  async start() {
    const nothing = () => undefined
    const end = async () => ({ sha256: '', bytes: 0 })
    return { output: nothing, input: nothing, resize: nothing, room: nothing, marker: nothing, end }
  },
}

export interface TestDoor {
  readonly door: Door
  readonly checkpoint: RecordingCheckpoint
  readonly recordings: MemoryRecordings
  /** Another connection of a client. */
  connect(config?: ConnectConfig): Promise<Client>
}

export interface TestDoorWish {
  readonly target: Target
  readonly secret: string
  readonly judge?: Parameters<typeof createRecordingCheckpoint>[0]
  readonly parts?: Partial<ProtocolParts>
  /** Keeps no recordings: for what is too long to be kept in memory. */
  readonly forgetful?: boolean
}

/** A door that closes when the test is over. */
export async function openTestDoor({
  target,
  secret,
  judge,
  parts,
  forgetful = false,
}: TestDoorWish): Promise<TestDoor> {
  const checkpoint = createRecordingCheckpoint(judge)
  const recordings = createMemoryRecordings()
  const door = await openDoor({
    protocol: createTestSsh(parts),
    target,
    credential: credentialOf(new Secret(secret), { session: 'ses_test' }),
    checkpoint,
    recordings: forgetful ? noRecordings : recordings,
  })
  const clients: Client[] = []
  onTestFinished(async () => {
    for (const client of clients) client.destroy()
    await door.close()
  })
  return {
    door,
    checkpoint,
    recordings,
    async connect(config) {
      const { client } = await connectClient(door.port, config)
      clients.push(client)
      return client
    },
  }
}
