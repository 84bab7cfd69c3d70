/** Interactive shells: OpenSSH's client on a terminal, the door, OpenSSH's server with its own login shell. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from '../../../../src/contract/command.ts'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import type { Asking, Hold } from '../../../../src/gateway/checkpoint.ts'
import { openPty, type Pty } from '../../../support/pty.ts'
import { hasSshd, startTestSshd, type TestSshd } from '../../../support/sshd.ts'
import { openTestDoor, startOpenSsh, targetOn, type TestDoor } from './door.ts'

const denied: Refusal = { code: 'denied', message: 'refused: no rm here', next: 'ask ana', rule: 'no-rm' }
const up = '\x1b[A'

interface OpenShell extends TestDoor {
  readonly pty: Pty
  /** Typed and sent, and a little later. */
  line(text: string): Promise<void>
  shown(): string
  sees(isSo: (shown: string) => boolean): Promise<unknown>
}

/** Without the modes that bash sets around its prompt. */
function plain(shown: string): string {
  return shown.replaceAll(/\x1b\[\?2004[hl]\r?/g, '')
}

describe.skipIf(!hasSshd())('a shell over SSH', () => {
  let sshd: TestSshd
  let folder: string
  beforeAll(async () => {
    sshd = await startTestSshd()
    folder = await mkdtemp(join(tmpdir(), 'hoop-shell-'))
  })
  afterAll(async () => {
    await sshd.stop()
    await rm(folder, { recursive: true })
  })

  const judge = (batch: readonly Command[]) => (batch.some(({ text }) => /\brm\b/.test(text)) ? denied : undefined)
  type Wish = Partial<Omit<Parameters<typeof openTestDoor>[0], 'target'>> & { shell?: 'allow' | 'hold' | 'deny' }
  const door = ({ shell = 'allow', ...wish }: Wish = {}) =>
    openTestDoor({ target: targetOn(sshd, { shell }), secret: sshd.clientKey, judge, ...wish })

  /** Says `ready` when bash has its own prompt. */
  async function open(wish: Wish = {}): Promise<OpenShell> {
    const world = await door(wish)
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes']
    const args = options.flatMap((option) => ['-o', option])
    const pty = openPty(['ssh', '-F', 'none', '-p', String(world.door.port), ...args, '-tt', 'anybody@127.0.0.1'])
    await pty.until((shown) => /[#$] $/.test(shown))
    const line = async (text: string) => {
      pty.write(text)
      await pty.quiet(100)
      pty.write('\r')
      await pty.quiet(400)
    }
    await line(`cd ${folder}; PS1='$ '; unset PROMPT_COMMAND; echo rea""dy`)
    await pty.until((shown) => /ready\r\n[\s\S]*\$ $/.test(shown))
    return { ...world, pty, line, shown: () => plain(pty.shown), sees: (isSo) => pty.until((all) => isSo(plain(all))) }
  }
  const cleared = ({ checkpoint }: TestDoor) => checkpoint.asked.map(({ text }) => text).slice(2)

  test('what is typed is judged line by line, and runs', async () => {
    const world = await open()
    await world.line('echo one | tr o 0')
    await world.line('')
    world.pty.write('ls -d /ets\x7fc\r')
    await world.sees((shown) => shown.includes('\n/etc\r\n'))
    expect(world.shown()).toContain('\n0ne\r\n')
    await world.line('exit 3')
    expect(await world.pty.exit).toBe(3)
    expect(cleared(world)).toEqual(['echo one | tr o 0', 'ls -d /etc', 'exit 3'])
    while (world.checkpoint.outcomes.length < 5) await pause(5)
    expect(world.checkpoint.outcomes.map(({ text, outcome }) => [text, outcome.status]).slice(1)).toEqual([
      ['echo one | tr o 0', 'done'],
      ['ls -d /etc', 'done'],
      ['exit 3', 'done'],
      ['shell', 'failed'],
    ])
    expect(world.checkpoint.outcomes.at(-1)?.outcome.recording).toBeDefined()
  })

  test('a refused line is thrown away, and the shell goes on', async () => {
    const world = await open()
    await world.line('touch kept')
    await world.line('rm kept')
    expect(world.shown()).toContain('hoop: refused: no rm here')
    await world.line('')
    await world.line('echo after')
    expect(world.shown()).toContain('\nafter\r\n')
    expect(existsSync(join(folder, 'kept'))).toBe(true)
    // Nor does it come by way of the history, edited.
    world.pty.write(`${up}${up}`)
    await world.pty.quiet(200)
    world.pty.write('\x01X=1 rm kept;\x05\r')
    await world.pty.quiet(800)
    expect(existsSync(join(folder, 'kept'))).toBe(true)
    expect(cleared(world).filter((text) => text.includes('rm')).length).toBe(2)
  })

  test('a line from the history is read off the screen', async () => {
    const world = await open()
    await world.line('echo first')
    world.pty.write(`${up}\x7f\x7f\r`)
    await world.sees((shown) => shown.includes('\nfir\r\n'))
    expect(cleared(world)).toEqual(['echo first', 'echo fir'])
  })

  test('every line of a paste is judged, and nothing goes behind a refused one', async () => {
    const world = await open()
    world.pty.write('\x1b[200~echo p1\necho p2\x1b[201~')
    await world.sees((shown) => shown.includes('\np1\r\n'))
    await world.pty.quiet(400)
    world.pty.write('\r')
    await world.sees((shown) => shown.includes('\np2\r\n'))
    await world.pty.quiet(200)
    world.pty.write('\x1b[200~echo q1\nrm -rf x\necho q2\x1b[201~\r')
    await world.sees((shown) => shown.includes('no rm here'))
    await world.pty.quiet(800)
    expect(world.shown()).toContain('\nq1\r\n')
    expect(world.shown()).not.toContain('\nq2\r\n')
    expect(cleared(world)).toEqual(['echo p1', 'echo p2', 'echo q1', 'rm -rf x'])
  })

  test.each(['\n', '\x0f', '\r'])('%j sends a line as well', async (key) => {
    const world = await open()
    world.pty.write(`rm x${key}`)
    await world.sees((shown) => shown.includes('no rm here'))
    world.pty.write(`echo o""k${key}`)
    await world.sees((shown) => shown.includes('\nok\r\n'))
  })

  test('a line that is continued behind its end is refused', async () => {
    const world = await open()
    await world.line('touch kept2; r\\')
    await world.line('m kept2')
    expect(world.shown()).toContain('goes on behind its end')
    expect(existsSync(join(folder, 'kept2'))).toBe(false)
  })

  test('a password is not written down, and stands as hidden input', async () => {
    const world = await open()
    await world.line('read -s -p Password: x; echo length; echo $x | wc -c')
    await world.line('hunter2')
    await world.sees((shown) => /length\r\n8\r\n/.test(shown))
    expect(cleared(world)[1]).toBe('typed where nothing is shown')
    expect(world.checkpoint.asked.at(-1)?.verb).toBe('hidden-input')
    expect(JSON.stringify([world.checkpoint.asked, world.recordings.kept])).not.toContain('hunter2')
  })

  test('^C and ^Z go at once', async () => {
    const world = await open()
    await world.line('sleep 100')
    world.pty.write('\x03')
    await world.pty.quiet(300)
    await world.line('sleep 100')
    world.pty.write('\x1a')
    await world.sees((shown) => shown.includes('Stopped'))
    await world.pty.quiet(200)
    await world.line('kill %1; echo do""ne')
    expect(world.shown()).toContain('\ndone\r\n')
  })

  test('the window changes, and full-screen programs work', async () => {
    const world = await open()
    world.pty.resize(101, 31)
    await world.pty.quiet(300)
    await world.line('stty size')
    expect(world.shown()).toContain('\n31 101\r\n')
    await world.line('vi -u NONE written')
    await world.sees((shown) => shown.includes('\x1b[?1049h'))
    world.pty.write('irm is text here\rsecond\x1b')
    await world.pty.quiet(300)
    world.pty.write(':wq\r')
    await world.sees((shown) => shown.includes('\x1b[?1049l'))
    await world.pty.quiet(300)
    await world.line('cat written')
    expect(world.shown()).toContain('\nrm is text here\r\nsecond\r\n')
    expect(cleared(world)).toEqual(['stty size', 'vi -u NONE written', 'cat written'])
    const kept = world.recordings.kept[0]
    expect(kept?.events).toContain('r 101x31')
    expect(kept?.events).toContain('i cat written\r')
  })

  describe('a held line', () => {
    const hold: Hold = {
      approval: 'apr_1',
      session: 'ses_1',
      rule: 'removing',
      message: 'held: removing',
      hint: 'hoop approve apr_1',
      groups: ['dba'],
      expires: 0,
    }
    const cancelled: Refusal = { code: 'cancelled', message: 'not run: given up', next: 'ask again' }
    let approve: (refusal?: Refusal) => void
    const holding = (batch: readonly Command[], asking: Asking | undefined) => {
      if (!batch.some(({ text }) => text.startsWith('rm '))) return undefined
      asking?.onHold?.(hold)
      return new Promise<Refusal | undefined>((resolve) => {
        approve = resolve
        asking?.signal?.addEventListener('abort', () => resolve(cancelled))
      })
    }

    test('waits, says so at once, and runs when it is approved; keys typed meanwhile wait', async () => {
      const world = await open({ judge: holding })
      await world.line('touch gone')
      world.pty.write('rm -v gone\r')
      await world.sees((shown) => shown.includes('hoop: held: removing'))
      world.pty.write('echo behind\r')
      await world.pty.quiet(300)
      expect(existsSync(join(folder, 'gone'))).toBe(true)
      expect(world.shown()).not.toContain('echo behind')
      approve()
      await world.sees((shown) => shown.includes("removed 'gone'") && shown.includes('\nbehind\r\n'))
      expect(cleared(world)).toEqual(['touch gone', 'rm -v gone', 'echo behind'])
    })

    test('is given up with ^C', async () => {
      const world = await open({ judge: holding })
      await world.line('touch stays')
      world.pty.write('rm stays\r')
      await world.sees((shown) => shown.includes('hoop: held: removing'))
      world.pty.write('\x03')
      await world.sees((shown) => shown.includes('not run: given up'))
      await world.pty.quiet(600)
      await world.line('echo o""k')
      expect(world.shown()).toContain('\nok\r\n')
      expect(existsSync(join(folder, 'stays'))).toBe(true)
    })

    test('is refused when it cannot be read any more', async () => {
      const world = await open({ judge: holding })
      world.pty.write('rm -f unchanged\r')
      await world.sees((shown) => shown.includes('hoop: held: removing'))
      approve()
      await world.pty.quiet(400)
      await world.line('(sleep 1.5; echo; printf "$ rm other") &')
      // Only the screen tells what comes from the history.
      world.pty.write(`${up}${up}`)
      await world.pty.quiet(200)
      world.pty.write('\r')
      await world.sees((shown) => shown.split('hoop: held: removing').length === 3)
      await world.sees((shown) => shown.includes('\n$ rm other'))
      await world.pty.quiet(200)
      approve()
      await world.sees((shown) => shown.includes('the line changed'))
      expect(world.checkpoint.log.filter((line) => line === 'settle not-run rm -f unchanged')).toHaveLength(1)
    })
  })

  test('a kill ends it within a second, with last words', async () => {
    const world = await open()
    await world.line('sleep 100')
    const began = Date.now()
    world.door.kill({ code: 'killed', message: 'killed by ana: enough', next: 'ask ana' })
    expect(await world.pty.exit).toBe(255)
    expect(Date.now() - began).toBeLessThan(1000)
    expect(world.shown()).toContain('killed by ana: enough')
  })

  test('it ends when it cannot be recorded any more', async () => {
    const world = await open()
    world.recordings.lose(new Error('the disk is full'))
    await world.pty.exit
    expect(world.shown()).toContain('cannot be recorded')
  })

  describe('that the target does not allow', () => {
    const ask = async (shell: 'deny' | 'hold') => {
      const world = await door({ shell })
      const ssh = startOpenSsh(world.door.port, ['-tt'])
      let said = ''
      ssh.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
      ssh.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
      const status = await new Promise((resolve) => ssh.once('close', resolve))
      return { world, status, said }
    }
    test('is refused whatever the rules say', async () => {
      const { world, status, said } = await ask('deny')
      expect(status).toBe(126)
      expect(said).toContain('opens no shells')
      expect(world.checkpoint.log).toEqual(['refuse shell'])
    })
    test('is refused where it has to be held and no rule holds it', async () => {
      const { world, status } = await ask('hold')
      expect(status).toBe(126)
      expect(world.checkpoint.log).toEqual(['refuse shell'])
    })
  })

  describe('without a terminal', () => {
    const script = async (lines: string) => {
      const world = await door()
      const ssh = startOpenSsh(world.door.port, ['-T'])
      let out = ''
      let err = ''
      ssh.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
      ssh.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
      ssh.stdin.on('error', () => undefined)
      ssh.stdin.end(lines)
      const status = await new Promise((resolve) => ssh.once('close', resolve))
      return { world, status, out, err }
    }
    test('lines of a script are judged before they run', async () => {
      const { world, status, out } = await script('echo one\n\necho two\nexit 4')
      expect({ status, out }).toEqual({ status: 4, out: 'one\ntwo\n' })
      expect(world.checkpoint.asked.map(({ text }) => text)).toEqual(['shell', 'echo one', 'echo two', 'exit 4'])
    })
    test('a refused line ends it', async () => {
      const { status, err } = await script(`cd ${folder}; touch script1\nrm script1\ntouch script2\n`)
      expect(status).toBe(126)
      expect(err).toContain('no rm here')
      expect(existsSync(join(folder, 'script2'))).toBe(false)
    })
  })
})
