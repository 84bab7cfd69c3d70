/** One connection to an open SSH port of the demo, for the tour: without a key, to the host key that the gateway names. */
import ssh2 from 'ssh2'
import { hoopError } from '../contract/error-codes.ts'
import type { OpenTarget } from '../tunnel/tunnel.ts'

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  /** null: it had none. */
  readonly status: number | null
}

export interface SshClient {
  /** What it has said on stderr so far is in `onStderr` at once. */
  run(command: string, onStderr?: (text: string) => void): Promise<Ran>
  close(): void
}

export function connectSsh({ port, target }: OpenTarget): Promise<SshClient> {
  const expected = ssh2.utils.parseKey(target.defaults.hostKey ?? '')
  if (expected instanceof Error)
    throw hoopError('internal', 'the gateway does not say its host key', { cause: expected })
  const client = new ssh2.Client()
  return new Promise((resolve, reject) => {
    client.on('error', reject)
    client.on('ready', () =>
      resolve({ run: (command, onStderr) => run(client, command, onStderr), close: () => client.end() }),
    )
    client.connect({
      host: '127.0.0.1',
      port,
      username: target.defaults.user ?? 'hoop',
      hostVerifier: (key: Buffer) => key.equals(expected.getPublicSSH()),
      authHandler: ['none'],
    })
  })
}

function run(client: ssh2.Client, command: string, onStderr: (text: string) => void = () => {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error)
      const out: Buffer[] = []
      const err: Buffer[] = []
      let status: number | null = null
      channel.on('data', (chunk: Buffer) => out.push(chunk))
      channel.stderr.on('data', (chunk: Buffer) => {
        err.push(chunk)
        onStderr(chunk.toString())
      })
      channel.on('exit', (code: number | null) => {
        status = code
      })
      channel.on('close', () =>
        resolve({ stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(), status }),
      )
      channel.end()
    })
  })
}
