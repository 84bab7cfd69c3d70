/** Interactive shells, as at a terminal of one's own: OpenSSH's client in a real terminal (tmux), OpenSSH's server behind. */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hoop, isInstalled } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

describe.runIf(hasSshd() && isInstalled('ssh', '-V') && isInstalled('tmux', '-V'))('a shell', () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await startSshWorld()
  })
  afterAll(() => world?.stop())

  let terminals = 0

  /** A terminal with `ssh TARGET.hoop` in it, at its prompt. */
  async function terminal(target = 'open') {
    const socket = join(world.folder, `tmux-${terminals++}`)
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: world.folder,
      TERM: 'xterm-256color',
      LC_ALL: 'C.UTF-8',
      ...world.dev,
    }
    const tmux = (...words: string[]) => {
      const ended = spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { env, encoding: 'utf8' })
      return ended.stdout
    }
    tmux(
      'new-session',
      '-d',
      '-x',
      '80',
      '-y',
      '24',
      `ssh -F ${world.config} ${target}.hoop; echo "ended with $?"; sleep 60`,
    )
    onTestFinished(() => void tmux('kill-server'))
    const screen = () => tmux('capture-pane', '-p')
    const type = (...keys: string[]) => void tmux('send-keys', ...keys)
    async function shows(what: string | RegExp): Promise<string> {
      for (const deadline = Date.now() + 20_000; ; ) {
        const now = screen()
        if (typeof what === 'string' ? now.includes(what) : what.test(now)) return now
        if (Date.now() > deadline) throw new Error(`it does not show ${what}, but:\n${now}`)
        await pause(20)
      }
    }
    await shows(/[$#]\s*$/m)
    return {
      type,
      screen,
      shows,
      resize: (x: number, y: number) => void tmux('resize-window', '-x', `${x}`, '-y', `${y}`),
    }
  }

  test('runs what is typed, ends with the shell’s status, and records each line', async () => {
    const { type, shows } = await terminal()
    type('echo "one  $((1 + 1))"; tty', 'Enter')
    expect(await shows('/dev/pts/')).toContain('one  2')
    type('exit 3', 'Enter')
    await shows('ended with 3')
    const asked = (await world.records()).flatMap((record) => (record.type === 'command' ? [record.asked.text] : []))
    expect(asked).toContain('echo "one  $((1 + 1))"; tty')
    expect(asked).toContain('exit 3')
  })

  test('follows the size of the terminal', async () => {
    const { type, shows, resize } = await terminal()
    type('stty size', 'Enter')
    await shows('24 80')
    resize(100, 30)
    type('clear; stty size', 'Enter')
    await shows('30 100')
  })

  test('^C ends what runs, ^Z and fg are job control', async () => {
    const { type, shows } = await terminal()
    type('sleep 1000', 'Enter')
    await pause(300)
    type('C-c')
    type('echo "after $?"', 'Enter')
    await shows('after 130')
    type('sleep 1000', 'Enter')
    await pause(300)
    type('C-z')
    await shows('Stopped')
    type('jobs', 'Enter')
    await shows(/\[1\]\+\s+Stopped\s+sleep 1000[\s\S]*\[1\]\+\s+Stopped\s+sleep 1000/)
    type('kill %1; echo done', 'Enter')
    await shows('done')
  })

  test.runIf(isInstalled('vi', '--version') || isInstalled('vim.tiny', '--version'))('vim writes a file', async () => {
    const { type, shows } = await terminal()
    type('vim.tiny written', 'Enter')
    await shows('~')
    type('i', 'typed in vim', 'Escape', ':wq', 'Enter')
    await shows(/[$#]\s*$/m)
    type('cat written', 'Enter')
    await shows(/^typed in vim$/m)
    expect(await readFile(join(world.sshd.home, 'written'), 'utf8')).toBe('typed in vim\n')
  })

  test('a line that is refused does not run, and the shell goes on', async () => {
    const { type, shows } = await terminal()
    type('sudo touch became-root', 'Enter')
    await shows('nobody-becomes-root')
    type('echo still here', 'Enter')
    await shows(/^still here$/m)
    await expect(readFile(join(world.sshd.home, 'became-root'))).rejects.toThrow('ENOENT')
  })

  test('a line that is held waits, says so, and runs once it is approved', async () => {
    const { type, shows } = await terminal()
    type('echo x > doomed', 'Enter')
    await pause(300)
    type('rm doomed && echo gone', 'Enter')
    const approval = await world.held('rm doomed')
    await shows(approval.id)
    expect(await readFile(join(world.sshd.home, 'doomed'), 'utf8')).toBe('x\n')
    expect(
      (await hoop(['approve', approval.id, '--reason', 'fine', '--confirm', approval.confirm ?? ''], world.dba)).code,
    ).toBe(0)
    await shows(/^gone$/m)
    await expect(readFile(join(world.sshd.home, 'doomed'))).rejects.toThrow('ENOENT')
  })
})
