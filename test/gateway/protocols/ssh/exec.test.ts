/** One command line on a channel, against OpenSSH's own server. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import type { Hold } from '../../../../src/gateway/checkpoint.ts'
import { hasSshd, startTestSshd, type TestSshd } from '../../../support/sshd.ts'
import { startSmallSshServer } from '../../../../src/demo/ssh-server.ts'
import { channelOf, endOf, exec, openTestDoor, run, startOpenSsh, targetOn } from './door.ts'

const denied: Refusal = { code: 'denied', message: 'refused: not here', next: 'ask ana', rule: 'no-rm' }

describe.skipIf(!hasSshd())('a command line over SSH', () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startTestSshd({ acceptEnv: ['*'] })
  })
  afterAll(() => sshd.stop())
  const open = (wish: Partial<Parameters<typeof openTestDoor>[0]> = {}) =>
    openTestDoor({ target: targetOn(sshd), secret: sshd.clientKey, ...wish })
  const settled = async ({ checkpoint }: Awaited<ReturnType<typeof open>>) => {
    while (checkpoint.outcomes.length === 0) await pause(2)
    return checkpoint.outcomes[0]?.outcome
  }

  it('keeps output and stderr apart, and gives the exit status', async () => {
    const world = await open()
    const ended = await run(await world.connect(), 'printf out; printf err >&2; exit 3')
    expect(ended).toEqual({ status: 3, signal: undefined, stdout: 'out', stderr: 'err' })
    expect(await settled(world)).toMatchObject({
      status: 'failed',
      error: { code: '3' },
      bytesIn: 0,
      bytesOut: 6,
    })
  })

  it.each(['KILL', 'TERM', 'USR1', 'SEGV', 'XCPU'])('passes on that %s ended it', async (name) => {
    const world = await open()
    const ended = await run(await world.connect(), `kill -${name} $$`)
    // OpenSSH itself names only the signals of POSIX.
    expect(ended.signal).toBe(name === 'XCPU' ? 'SIGSIG@openssh.com' : `SIG${name}`)
    expect(await settled(world)).toMatchObject({ status: 'failed', error: { code: ended.signal } })
  })

  it('passes a signal to what runs', async () => {
    // OpenSSH's server takes none for root, and none for a forced command.
    const small = await startSmallSshServer()
    onTestFinished(() => small.stop())
    const world = await open({ target: targetOn(small), secret: small.clientKey })
    const line = 'trap "echo caught; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
    const channel = await exec(await world.connect(), line)
    channel.once('data', () => channel.signal('TERM'))
    expect(await endOf(channel)).toMatchObject({ status: 5, stdout: expect.stringContaining('caught') })
  })

  it('is binary-safe both ways, to the end of input', async () => {
    const world = await open()
    const channel = await exec(await world.connect(), 'cat')
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 31 + (at >> 8)) & 255))
    const back: Buffer[] = []
    channel.on('data', (chunk: Buffer) => back.push(chunk))
    channel.end(bytes)
    await new Promise((resolve) => channel.once('close', resolve))
    const all = Buffer.concat(back)
    expect({ length: all.length, same: all.equals(bytes) }).toEqual({ length: bytes.length, same: true })
    expect(await settled(world)).toMatchObject({ status: 'done', bytesIn: bytes.length, bytesOut: bytes.length })
  })

  it('lets output end before input does, and both before the program', async () => {
    const world = await open()
    const command = 'echo first; exec 1>&- 2>&-; cat > afterwards; sleep 0.3; exit 4'
    const ssh = startOpenSsh(world.door.port, [command])
    const output = await text(ssh.stdout)
    ssh.stdin.end('said afterwards')
    const [status] = await once(ssh, 'exit')
    expect({ output, status }).toEqual({ output: 'first\n', status: 4 })
    expect(readFileSync(join(sshd.home, 'afterwards'), 'utf8')).toBe('said afterwards')
    expect(await settled(world)).toMatchObject({ error: { code: '4' } })
  })

  it('gives the exit status of a program that ended its output before, to a client that shares a connection', async () => {
    const world = await open()
    const socket = join(sshd.home, 'shared')
    startOpenSsh(world.door.port, ['-M', '-S', socket, '-N'])
    while (!existsSync(socket)) await pause(10)
    // Both ends of a channel are over for such a client then: it closes, and waits.
    const line = 'echo first; exec 1>&- 2>&-; sleep 0.6; exit 7'
    const ssh = startOpenSsh(world.door.port, ['-S', socket, '-n', line])
    expect(await text(ssh.stdout)).toBe('first\n')
    expect(await once(ssh, 'exit')).toEqual([7, null])
    expect(await settled(world)).toMatchObject({ error: { code: '7' } })
  })

  it('mixes up nothing where more than a window of output and of stderr waits for a slow client', async () => {
    const world = await open()
    const command = 'head -c 6000000 /dev/zero | tr "\\0" o; head -c 6000000 /dev/zero | tr "\\0" e >&2; printf end'
    const channel = await exec(await world.connect(), command)
    let [out, err] = ['', '']
    const slowly = (stream: Readable, hear: (text: string) => void) =>
      stream.on('data', (chunk: Buffer) => {
        hear(chunk.toString())
        stream.pause()
        setTimeout(() => stream.resume(), 1)
      })
    slowly(channel, (text) => {
      out += text
    })
    slowly(channel.stderr, (text) => {
      err += text
    })
    await Promise.all([once(channel, 'close'), once(channel.stderr, 'end')])
    expect(out).toBe(`${'o'.repeat(6_000_000)}end`)
    expect(err).toBe('e'.repeat(6_000_000))
  })

  it('gives a terminal of the asked size, and its changes', async () => {
    const world = await open()
    const channel = await exec(
      await world.connect(),
      'stty size; echo $TERM; trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done',
      {
        pty: { rows: 31, cols: 97, term: 'xterm-256color' },
      },
    )
    const out: string[] = []
    channel.on('data', (chunk: Buffer) => {
      out.push(chunk.toString())
      if (out.join('').includes('ready') && !out.join('').includes('40 120')) channel.setWindow(40, 120, 0, 0)
    })
    await new Promise((resolve) => channel.once('close', resolve))
    expect(out.join('').split('\r\n')).toEqual(expect.arrayContaining(['31 97', 'xterm-256color', '40 120']))
    expect(world.recordings.kept[0]?.head).toMatchObject({ width: 97, height: 31, term: 'xterm-256color' })
    expect(world.recordings.kept[0]?.events).toContain('r 120x40')
  })

  it('sets only the environment that the target’s settings name', async () => {
    const world = await open({ target: targetOn(sshd, { env: ['LC_*', 'EDITO?', 'a.b'] }) })
    const env = { LC_PAPER: 'a4', EDITOR: 'vi', LD_PRELOAD: '/evil.so', XLC_X: 'x', aXb: 'x' }
    const { stdout } = await run(await world.connect(), 'echo "$LC_PAPER:$EDITOR:$LD_PRELOAD:$XLC_X:$aXb"', { env })
    expect(stdout).toBe('a4:vi:::\n')
  })

  it('refuses with a sentence on stderr and status 126, and the next command runs', async () => {
    const world = await open({ judge: ([command]) => (command?.text.startsWith('touch') ? denied : undefined) })
    const client = await world.connect()
    const ended = await run(client, 'touch refused')
    expect(ended).toMatchObject({ status: 126, stdout: '' })
    expect(ended.stderr.split('\n').slice(0, 2)).toEqual(['hoop: refused: not here', 'hoop: next: ask ana'])
    expect(await run(client, 'echo fine')).toMatchObject({ status: 0, stdout: 'fine\n' })
    expect(existsSync(join(sshd.home, 'refused'))).toBe(false)
  })

  it.each([
    ['approved', undefined, { status: 0, stdout: 'exactly   this é\n' }],
    ['denied', denied, { status: 126, stdout: '' }],
  ])('says on stderr that it is held, then goes on as it was %s', async (end, answer, expected) => {
    let decide: () => void = () => undefined
    const decided = new Promise<void>((resolve) => {
      decide = resolve
    })
    const world = await open({
      judge: async (_batch, asking) => {
        asking?.onHold?.(hold)
        await decided
        return answer
      },
    })
    const line = `printf '%s\\n' 'exactly   this é' # ${end}`
    const channel = await exec(await world.connect(), line)
    const told = await new Promise<string>((resolve) => {
      channel.stderr.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    })
    expect(told).toBe('hoop: held apr_1: dba may approve it until noon\nhoop: hoop approve apr_1\n')
    expect(await sshd.hasSeen(line)).toBe(false)
    decide()
    expect(await endOf(channel)).toMatchObject(expected)
    expect(await sshd.hasSeen(line)).toBe(answer === undefined)
  })

  it('keeps the input that comes while it is held, also when it ends', async () => {
    const world = await open({
      judge: async () => {
        await pause(200)
        return undefined
      },
    })
    const channel = await exec(await world.connect(), 'cat')
    channel.end('early words')
    expect(await endOf(channel)).toMatchObject({ status: 0, stdout: 'early words' })
  })

  it('runs a command line as long as a shell takes, and says of one that is longer than a packet why it does not', async () => {
    const world = await open()
    // Linux takes no word above 128 KiB, and to sshd a line is one.
    const words = Array.from({ length: 2000 }, () => 'x'.repeat(99)).join(' ')
    for (const cipher of ['aes128-gcm@openssh.com', 'aes256-ctr'] as const) {
      const client = await world.connect({ algorithms: { cipher: [cipher] } })
      const ended = await run(client, `cat > /dev/null; # ${words.slice(0, 120_000)}`)
      expect(ended).toMatchObject({ status: 0, stderr: '' })
    }
    const client = await world.connect()
    const told = new Promise<Error>((resolve) => client.once('error', resolve))
    client.exec(`true # ${words}${words}`, () => undefined)
    expect((await told).message).toBe(
      'the client broke the protocol: it sent a packet of 400032 bytes; the longest is 262144',
    )
  })

  it('ends what runs without a terminal and says nothing, when it is killed', async () => {
    const small = await startSmallSshServer()
    onTestFinished(() => small.stop())
    const world = await open({ target: targetOn(small), secret: small.clientKey })
    const channel = await exec(await world.connect(), 'trap "" HUP; echo $$; while :; do sleep 0.05; done')
    const [pid] = await once(channel, 'data')
    world.door.kill({ code: 'killed', message: 'killed by ana', next: 'ask ana' })
    while (isRunning(Number(pid))) await pause(10)
  })

  it('gives up a held command when the client closes its channel', async () => {
    const gone = Promise.withResolvers<void>()
    const world = await open({
      judge: async (_batch, asking) => {
        asking?.signal?.addEventListener('abort', () => gone.resolve())
        await gone.promise
        return { code: 'cancelled', message: 'not run: the client gave up', next: 'ask again' }
      },
    })
    const channel = await exec(await world.connect(), 'touch given-up')
    channel.write('input that nobody reads')
    while (world.checkpoint.asked.length === 0) await pause(5)
    channel.close()
    await gone.promise
    expect(existsSync(join(sshd.home, 'given-up'))).toBe(false)
  })

  it('ends at the target what a client leaves behind', async () => {
    const world = await open()
    const client = await world.connect()
    const channel = await exec(client, 'trap "echo > hung-up; exit" HUP; echo ready; while :; do sleep 0.05; done', {
      pty: true,
    })
    await new Promise((resolve) => channel.once('data', resolve))
    client.destroy()
    expect(await settled(world)).toMatchObject({ status: 'cancelled' })
    while (!existsSync(join(sshd.home, 'hung-up'))) await pause(10)
  })

  it.each([
    ['bytes that are not UTF-8', 'echo \udcff', /not valid UTF-8/],
    ['a NUL', 'echo a\0b', /NUL/],
  ])('refuses %s, which could not be forwarded as they were written', async (_what, command, why) => {
    const world = await open()
    const ended = await run(await world.connect(), command)
    expect(ended).toMatchObject({ status: 126, stderr: expect.stringMatching(why) })
    expect(world.checkpoint.asked).toEqual([])
    expect(world.checkpoint.log[0]).toMatch(/^refuse echo/)
  })

  it('records what was shown, and not the input', async () => {
    const world = await open()
    const channel = await exec(await world.connect(), 'cat; echo oops >&2')
    channel.end('data')
    await endOf(channel)
    const outcome = await settled(world)
    expect(world.recordings.kept[0]?.events.sort()).toEqual(['o data', 'o oops\n', 'x 0'])
    expect(outcome?.recording?.bytes).toBeGreaterThan(0)
  })

  it('runs nothing that cannot be recorded, and ends what can be recorded no longer', async () => {
    const world = await open()
    const client = await world.connect()
    const channel = await exec(client, 'echo begun; sleep 30')
    await new Promise((resolve) => channel.once('data', resolve))
    world.recordings.lose(new Error('the disk is full'))
    expect(await endOf(channel)).toMatchObject({ status: 255, stderr: expect.stringContaining('the disk is full') })
    expect(await settled(world)).toMatchObject({ status: 'failed', error: { code: 'audit-unavailable' } })

    const silent = await exec(client, 'exec 1>&- 2>&-; sleep 30')
    await new Promise((resolve) => silent.once('end', resolve).resume())
    world.recordings.lose(new Error('the disk is full'))
    expect(await endOf(silent)).toMatchObject({ status: 255 })

    Object.assign(world.recordings, { start: () => Promise.reject(new Error('the disk is full')) })
    const refused = await run(client, 'touch unrecorded')
    expect(refused).toMatchObject({ status: 126, stderr: expect.stringContaining('cannot be recorded') })
    expect(existsSync(join(sshd.home, 'unrecorded'))).toBe(false)
  })

  it('refuses shells, subsystems and agents that it does not pass on', async () => {
    const world = await open()
    const client = await world.connect()
    const shell = await channelOf((opened) => client.shell(false, opened))
    expect(await endOf(shell)).toMatchObject({ status: 126, stderr: expect.stringContaining('opens no shells') })
    const other = await channelOf((opened) => client.subsys('netconf', opened))
    expect(await endOf(other)).toMatchObject({
      status: 126,
      stderr: expect.stringContaining('only the subsystem sftp'),
    })
    expect(world.checkpoint.log).toEqual(['refuse shell', 'refuse subsystem netconf'])
  })

  const hold: Hold = {
    approval: 'apr_1',
    session: 'ses_1',
    rule: 'ask-first',
    message: 'held apr_1: dba may approve it until noon',
    hint: 'hoop approve apr_1',
    groups: ['dba'],
    expires: 0,
  }
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
