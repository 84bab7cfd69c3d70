/** Real kubectls at both protocols: what they are shown, what reaches the program, and what is written down of it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { detectorNames } from '../../../../../src/gateway/config/schema.ts'
import { compileMasks } from '../../../../../src/gateway/policy/masks.ts'
import type { Subject } from '../../../../../src/gateway/policy/rules.ts'
import { kubectlOf, kubectlsHere, startKubectl } from '../../../../support/cluster/kubectl.ts'
import { type Pods, startPods } from '../../../../support/pods.ts'
import { openPty } from '../../../../support/pty.ts'
import { openStreamsDoor, type StreamsDoor, type StreamsDoorOptions } from '../../../../support/streams-door.ts'

const subject = {
  target: { name: 'k8s-prod', protocol: 'kubernetes', labels: {} },
  person: { user: 'ana@acme', subject: '1', groups: [] },
  agent: null,
} satisfies Subject
const hidden = { name: 'secrets', match: {}, detectors: [...detectorNames], style: 'redact' as const }
const masks = compileMasks([hidden], subject, Buffer.from('a key of the test'))

const found = kubectlsHere()
if (found.length === 0) {
  if (process.env.CI !== undefined) throw new Error('kubectl is missing, and CI has to have it')
  console.warn('LEFT OUT: streams with kubectl, which is not installed here')
  describe.skip('kubectl', () => it('is not here', () => undefined))
}
let home: string
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'hoop-streams-'))
  return () => rm(home, { recursive: true })
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(
  options: Omit<StreamsDoorOptions, 'upstream'> = {},
  speaks?: readonly ('websocket' | 'spdy')[],
): Promise<{ pods: Pods; door: StreamsDoor }> {
  const pods = await startPods(speaks === undefined ? {} : { speaks })
  const door = await openStreamsDoor({ upstream: pods.port, ...options })
  closing.push(pods.close, door.close)
  return { pods, door }
}

const env = () => ({ HOME: home, KUBECONFIG: '/dev/null' })
const at = (door: StreamsDoor, ...words: readonly string[]) => [
  `--server=http://127.0.0.1:${door.port}`,
  '--namespace=prod',
  ...words,
]

// Each kubectl has a protocol of its own choice; those that know WebSocket fall back to SPDY where the server does not.
interface Way {
  readonly name: string
  readonly program: string
  readonly speaks: readonly ('websocket' | 'spdy')[]
  readonly carrier: string
}

const ways = found.flatMap(({ version, program }): readonly Way[] => {
  const isNew = version === '0.0' || Number(version.split('.')[1]) >= 31
  const spdy: Way = { name: `kubectl ${version} over SPDY`, program, speaks: ['spdy'], carrier: 'spdy/3.1' }
  return isNew
    ? [{ name: `kubectl ${version} over WebSocket`, program, speaks: ['websocket'], carrier: 'websocket' }, spdy]
    : [{ ...spdy, speaks: ['websocket', 'spdy'] }]
})

describe.each(ways)('$name', ({ program, speaks, carrier }) => {
  const kubectl = kubectlOf(program, env())
  const run = (door: StreamsDoor, words: readonly string[], input?: Buffer | string) =>
    kubectl(at(door, ...words), { env: env(), ...(input !== undefined && { input }) })

  it('runs a program, and tells its output, its stderr and its exit status apart', async () => {
    const { door, pods } = await open({}, speaks)
    const ended = await run(door, ['exec', 'api', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])
    expect(ended.stdout).toBe('out\n')
    expect(ended.stderr).toContain('err\n')
    expect(ended.stderr).toContain('command terminated with exit code 7')
    expect(ended.code).toBe(7)
    expect(pods.asked.at(-1)).toContain(carrier)
    await door.ended(1)
    expect(door.ends).toEqual([undefined])
    expect(door.checkpoint.outcomes).toMatchObject([
      { outcome: { status: 'failed', error: { code: '7' }, bytesIn: 0, bytesOut: 8 } },
    ])
    expect(door.recordings.kept[0]?.events.sort()).toEqual(['o err\n', 'o out\n', 'x 7'])
  })

  it('passes input on to its end, byte for byte', async () => {
    const { door } = await open({}, speaks)
    const bytes = randomBytes(3_000_000)
    const ended = await run(door, ['exec', '-i', 'api', '--', 'cat'], bytes)
    expect(ended.stderr).toBe('')
    expect(ended.bytes.equals(bytes)).toBe(true)
    await door.ended(1)
    expect(door.checkpoint.outcomes).toMatchObject([
      { outcome: { status: 'done', bytesIn: bytes.length, bytesOut: bytes.length } },
    ])
  })

  it('loses nothing at the end of much output', async () => {
    const { door } = await open({}, speaks)
    const ended = await run(door, ['exec', 'api', '--', 'sh', '-c', 'seq 1 400000; printf end'])
    expect(ended.stdout.length).toBe(2_688_898)
    expect(ended.stdout.endsWith('400000\nend')).toBe(true)
  })

  it('copies files there and back', async () => {
    const { door } = await open({}, speaks)
    const bytes = randomBytes(2_000_000)
    const [from, there, back] = ['from', 'there', 'back'].map((name) => join(home, `${name}-${carrier.slice(0, 4)}`))
    await writeFile(from ?? '', bytes)
    expect(await run(door, ['cp', from ?? '', `api:${there}`])).toMatchObject({ code: 0, stderr: '' })
    expect(await run(door, ['cp', `api:${there}`, back ?? ''])).toMatchObject({ code: 0 })
    expect((await readFile(back ?? '')).equals(bytes)).toBe(true)
  })

  it('attaches', async () => {
    const { door } = await open({}, speaks)
    const ended = await run(door, ['attach', '-i', 'api', '-c', 'app'], 'hello')
    expect(ended.stdout).toContain('hello')
    await door.ended(1)
    expect(door.checkpoint.outcomes).toMatchObject([{ outcome: { bytesIn: 5, bytesOut: 5 } }])
  })

  it('judges every line of a script that comes on input, and ends at one that is refused', async () => {
    const { door } = await open({}, speaks)
    door.checkpoint.clear = refusing(door, 'rm')
    const running = startKubectl(program, at(door, 'exec', '-i', 'api', '--', 'sh'), env())
    running.type('echo one\n')
    await running.said('one')
    running.type(`rm ${home}/nothing\necho two\n`)
    await running.said('hoop: no rm here')
    expect(await running.ended).toBe(126)
    await door.ended(1)
    expect(door.checkpoint.log).toContain('clear echo one')
    expect(door.checkpoint.log).not.toContain('clear echo two')
  })

  it('judges what is typed in a shell line by line, and tells its size', async () => {
    const { door } = await open({}, speaks)
    door.checkpoint.clear = refusing(door, 'rm')
    const terminal = openPty([program, ...at(door, 'exec', '-it', 'api', '--', 'sh')], {
      env: env(),
      columns: 100,
      rows: 30,
    })
    await terminal.until((shown) => /[#$] $/.test(shown))
    await terminal.quiet(300)
    terminal.write('stty size\r')
    await terminal.until((shown) => shown.includes('30 100'))
    terminal.resize(90, 20)
    await terminal.quiet(300)
    terminal.write('stty size\r')
    await terminal.until((shown) => shown.includes('20 90'))
    terminal.write('rm -rf /tmp/never\r')
    await terminal.until((shown) => shown.includes('no rm here'))
    await terminal.quiet(300)
    terminal.write('echo a$((1+1))b\r')
    await terminal.until((shown) => shown.includes('a2b'))
    await terminal.quiet(300)
    terminal.write('exit 3\r')
    expect(await terminal.exit).toBe(3)
    await door.ended(1)
    const lines = door.checkpoint.log.filter((entry) => entry.startsWith('clear '))
    expect(lines).toEqual([
      'clear exec',
      'clear stty size',
      'clear stty size',
      'clear rm -rf /tmp/never',
      'clear echo a$((1+1))b',
      'clear exit 3',
    ])
    const events = door.recordings.kept[0]?.events ?? []
    expect(events).toContain('r 100x30')
    expect(events).toContain('r 90x20')
    expect(events).toContain('i exit 3\r')
    expect(events.filter((event) => event.startsWith('i rm'))).toEqual([])
  })

  it('is not shown what is to be hidden, in however many pieces it comes', async () => {
    const { door } = await open({ masks }, speaks)
    const script = 'printf "key AKIAIOS"; printf FODNN7; printf "EXAMPLE ok\\n"; printf end'
    const ended = await run(door, ['exec', 'api', '--', 'sh', '-c', script])
    expect(ended.stdout).not.toContain('FODNN7')
    expect(ended.stdout).toMatch(/^key \S+ ok\nend$/)
    await door.ended(1)
    expect(door.checkpoint.outcomes).toMatchObject([{ outcome: { status: 'done', masked: true } }])
    expect(door.recordings.kept[0]?.events.join('')).not.toContain('FODNN7')
  })

  it('is told at once when it is killed', async () => {
    const { door, pods } = await open({}, speaks)
    const running = run(door, ['exec', 'api', '--', 'sh', '-c', 'echo started; sleep 60'])
    while (door.recordings.kept[0]?.events.includes('o started\n') !== true)
      await new Promise((resolve) => setTimeout(resolve, 20))
    door.kill({ code: 'killed', message: 'killed by ana: runaway', next: 'ask ana' })
    const ended = await running
    expect(ended.stdout).toBe('started\n')
    expect(ended.stderr).toContain('hoop: killed by ana: runaway\n')
    expect(ended.code).toBe(255)
    await door.ended(1)
    expect(door.checkpoint.outcomes).toMatchObject([{ outcome: { status: 'unknown' } }])
    while (pods.open > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it('ends when its recording is lost', async () => {
    const { door } = await open({}, speaks)
    const running = run(door, ['exec', 'api', '--', 'sh', '-c', 'echo started; sleep 60'])
    while (door.recordings.kept[0]?.events.includes('o started\n') !== true)
      await new Promise((resolve) => setTimeout(resolve, 20))
    door.recordings.lose(new Error('disk full'))
    expect((await running).stderr).toContain('disk full')
    await door.ended(1)
    expect(door.checkpoint.outcomes).toMatchObject([
      { outcome: { status: 'failed', error: { code: 'audit-unavailable' } } },
    ])
  })

  it('runs nothing that cannot be recorded', async () => {
    const recordings = { kept: [], lose: () => undefined, start: () => Promise.reject(new Error('disk full')) }
    const { door } = await open({ recordings }, speaks)
    const ended = await run(door, ['exec', 'api', '--', 'sh', '-c', 'sleep 60'])
    expect(ended.stderr).toContain('disk full')
    expect(ended.code).toBe(126)
  })

  it('is cancelled when the client goes away', async () => {
    const { door, pods } = await open({}, speaks)
    const running = startKubectl(program, at(door, 'exec', 'api', '--', 'sh', '-c', 'echo started; sleep 60'), env())
    await running.said('started')
    await running.stop()
    await door.ended(1)
    expect(door.checkpoint.outcomes).toMatchObject([{ outcome: { status: 'cancelled' } }])
    while (pods.open > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  describe('forwards a port', () => {
    async function forward(door: StreamsDoor, port: number) {
      const running = startKubectl(program, at(door, 'port-forward', 'api', `:${port}`), env())
      const said = await running.said(/Forwarding from 127\.0\.0\.1:\d+/)
      return { running, port: Number(/127\.0\.0\.1:(\d+)/.exec(said)?.[1]) }
    }

    it('both ways, several connections at a time, each to its end', async () => {
      const { door, pods } = await open({}, speaks)
      const server = await echo()
      const { running, port } = await forward(door, server.port)
      await Promise.all(
        [1, 2, 3, 4].map(async () => {
          const bytes = randomBytes(500_000)
          expect((await throughPort(port, bytes)).equals(bytes)).toBe(true)
        }),
      )
      expect(pods.asked.at(-1)).toContain(carrier)
      await running.stop()
      await door.ended(1)
      expect(door.checkpoint.log.slice(0, 2)).toEqual([
        'clear portforward',
        `clear create pods/portforward prod/api port ${server.port}`,
      ])
      expect(door.checkpoint.outcomes.at(-1)).toMatchObject({
        outcome: { status: 'done', bytesIn: 2_000_000, bytesOut: 2_000_000, summary: `ports ${server.port}` },
      })
    })

    it('but not one that is refused', async () => {
      const { door } = await open({}, speaks)
      const server = await echo()
      door.checkpoint.clear = refusing(door, 'port')
      const { running, port } = await forward(door, server.port)
      expect(await throughPort(port, Buffer.from('hello'))).toHaveLength(0)
      await running.said('no port here')
      expect(server.connections).toBe(0)
    })

    it('and tells what the pod says of one where nobody listens', async () => {
      const { door } = await open({}, speaks)
      const { running, port } = await forward(door, 1)
      expect(await throughPort(port, Buffer.from('hello'))).toHaveLength(0)
      await running.said('ECONNREFUSED')
    })
  })
})

function refusing(door: StreamsDoor, what: string): StreamsDoor['checkpoint']['clear'] {
  const { clear } = door.checkpoint
  return async (batch, asking) => {
    const given = await clear(batch, asking)
    const [{ text, actions }] = batch
    const isIt = what === 'port' ? actions[0]?.arguments !== undefined : text.startsWith(what)
    if (!isIt) return given
    return { refusal: { code: 'denied', message: `no ${what} here`, next: 'ask' } }
  }
}

async function echo(): Promise<{ readonly port: number; readonly connections: number }> {
  let connections = 0
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1
    socket.on('error', () => undefined)
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    get connections() {
      return connections
    },
  }
}

async function throughPort(port: number, bytes: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  socket.end(bytes)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(chunks)
}
