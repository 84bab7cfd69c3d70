/** Forwards with OpenSSH's own options: where the target is open for them, rules decide; elsewhere nothing does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../../src/demo/postgres.ts'
import { isInstalled } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('forwards', () => {
  let world: SshWorld
  let echo: Server
  let echoPort: number
  beforeAll(async () => {
    world = await startSshWorld()
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined)
      socket.pipe(socket)
    })
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const address = echo.address()
    echoPort = typeof address === 'object' && address !== null ? address.port : 0
  })
  afterAll(async () => {
    echo?.close()
    await world?.stop()
  })

  /** A connection that only forwards, until the test is over; resolves when it has its forwards. */
  async function forwarding(target: string, ...options: string[]) {
    const control = join(world.folder, `c${await freePort()}`)
    const flags = ['-F', world.config, '-N', '-M', '-S', control, '-o', 'ExitOnForwardFailure=yes']
    const child = spawn('ssh', [...flags, ...options, `${target}.hoop`], {
      env: { PATH: process.env.PATH ?? '', HOME: world.folder, ...world.dev },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said = { text: '' }
    child.stderr.on('data', (chunk) => {
      said.text += chunk
    })
    const ended = once(child, 'exit')
    onTestFinished(async () => {
      child.kill()
      await ended
    })
    const isReady = async () => (await world.run('ssh', ['-S', control, '-O', 'check', 'x'])).code === 0
    while (child.exitCode === null && !(await isReady()));
    return { said, ended, hasEnded: () => child.exitCode !== null }
  }

  async function roundTrip(port: number, text: string, before?: (socket: ReturnType<typeof connect>) => Promise<void>) {
    const socket = await connected(port)
    await before?.(socket)
    socket.end(text)
    let heard = ''
    socket.on('data', (chunk) => {
      heard += chunk
    })
    // A connection that is refused behind the port may end by a reset.
    await new Promise((resolve) => socket.once('close', resolve))
    return heard === text ? 'everything' : `${heard.length} bytes: ${heard.slice(0, 80)}`
  }

  /** A port at the target opens a little after the client says that it is ready. */
  async function connected(port: number) {
    for (;;) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      const isOpen = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.on('error', () => undefined)
      if (isOpen) return socket
    }
  }

  const large = 'x'.repeat(3_000_000)

  test('-L carries both ways to its end, and is recorded with its destination', async () => {
    const port = await freePort()
    await forwarding('open', '-L', `${port}:127.0.0.1:${echoPort}`)
    expect(await roundTrip(port, large)).toBe('everything')
    const commands = (await world.records()).flatMap((record) => (record.type === 'command' ? [record.asked] : []))
    expect(commands).toContainEqual(expect.objectContaining({ verb: 'forward', objects: [`127.0.0.1:${echoPort}`] }))
  })

  test('a rule refuses one destination and the others go on', async () => {
    const [closed, open] = [await freePort(), await freePort()]
    await forwarding('open', '-L', `${closed}:127.0.0.1:9`, '-L', `${open}:127.0.0.1:${echoPort}`)
    expect(await roundTrip(closed, 'hello')).toBe('0 bytes: ')
    expect(await roundTrip(open, 'hello')).toBe('everything')
    const refused = (await world.records()).filter(
      (record) => record.type === 'command' && record.asked.objects.includes('127.0.0.1:9'),
    )
    expect(refused).toMatchObject([{ decision: { verdict: 'deny', rule: 'hidden-places' } }])
  })

  test('-D: each destination of a SOCKS client is a command', async () => {
    const port = await freePort()
    await forwarding('open', '-D', String(port))
    const heard = await roundTrip(port, 'through socks', async (socket) => {
      socket.write(Buffer.from([5, 1, 0]))
      await once(socket, 'readable')
      expect([...(socket.read(2) as Buffer)]).toEqual([5, 0])
      const to = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, echoPort >> 8, echoPort & 255])
      socket.write(to)
      await once(socket, 'readable')
      expect((socket.read(10) as Buffer)[1]).toBe(0)
    })
    expect(heard).toBe('everything')
  })

  test('-R: the target listens, and who connects there reaches the client’s side', async () => {
    const port = await freePort()
    await forwarding('open', '-R', `127.0.0.1:${port}:127.0.0.1:${echoPort}`)
    expect(await roundTrip(port, large)).toBe('everything')
    const commands = (await world.records()).flatMap((record) => (record.type === 'command' ? [record.asked] : []))
    expect(commands).toContainEqual(expect.objectContaining({ verb: 'reverse-forward' }))
  })

  test('a target that is not open for forwards gives none', async () => {
    const port = await freePort()
    const local = await forwarding('closed', '-L', `${port}:127.0.0.1:${echoPort}`)
    expect(local.hasEnded()).toBe(false)
    expect(await roundTrip(port, 'hello')).toBe('0 bytes: ')
    const remote = await forwarding('closed', '-R', `127.0.0.1:${await freePort()}:127.0.0.1:${echoPort}`)
    expect(await remote.ended).toEqual([255, null])
    expect(remote.said.text).toContain('remote port forwarding failed')
    expect(await world.sshd.log()).not.toContain(`direct-tcpip: originator 127.0.0.1 port ${port}`)
  })

  test('agent forwarding (-A) is not there at the target', async () => {
    const agent = join(world.folder, 'agent')
    const child = spawn('ssh-agent', ['-D', '-a', agent], { stdio: 'ignore' })
    onTestFinished(() => void child.kill())
    while ((await world.run('ssh-add', ['-l'], { env: { SSH_AUTH_SOCK: agent } })).code === 2);
    const asked = ['-F', world.config, '-A', 'open.hoop', 'echo "agent: $SSH_AUTH_SOCK"']
    const { stdout, code } = await world.run('ssh', asked, { env: { SSH_AUTH_SOCK: agent } })
    expect(code).toBe(0)
    expect(stdout).toBe('agent: \n')
  })

  test('ssh -N without any forward stays, and ends with the client', async () => {
    const { hasEnded } = await forwarding('open')
    expect(hasEnded()).toBe(false)
  })
})
