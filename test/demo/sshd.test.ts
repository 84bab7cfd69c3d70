/** The server that everything about SSH is tested against: it is OpenSSH's own, and it tells what it was asked. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { generateKeyPair } from '../../src/gateway/protocols/ssh/index.ts'
import { isInstalled } from '../support/built-cli.ts'
import { hasSshd, startTestSshd, type TestSshd, type TestSshdOptions } from '../support/sshd.ts'

async function started(options: TestSshdOptions = {}): Promise<TestSshd> {
  const sshd = await startTestSshd(options)
  onTestFinished(() => sshd.stop())
  return sshd
}

function line(sshd: TestSshd, ...words: string[]): string[] {
  const options = { StrictHostKeyChecking: 'no', UserKnownHostsFile: '/dev/null', LogLevel: 'ERROR', BatchMode: 'yes' }
  return [
    ...['-F', 'none', '-i', sshd.clientKeyFile, '-p', String(sshd.port)],
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    `${sshd.user}@${sshd.host}`,
    ...words,
  ]
}

const ssh = (sshd: TestSshd, ...words: string[]) => spawnSync('ssh', line(sshd, ...words), { encoding: 'utf8' })

/** Not what has ended and is not yet fetched by its parent. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z')
  } catch {
    return false
  }
}

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('OpenSSH’s server', () => {
  test('runs commands in a folder of its own and tells them byte for byte', async () => {
    const sshd = await started()
    const odd = `printf '%s|' "a  b" 'ü' "$HOME";	pwd # 'quotes" and \\ more`
    const { stdout, stderr, status } = ssh(sshd, odd)
    expect({ stdout, stderr, status }).toEqual({
      stdout: `a  b|ü|${sshd.home}|${sshd.home}\n`,
      stderr: '',
      status: 0,
    })
    expect(await sshd.asked()).toEqual([odd])
    expect(await sshd.hasSeen(odd)).toBe(true)
    expect(await sshd.hasSeen(odd.slice(1))).toBe(false)
    expect(ssh(sshd, 'exit 7').status).toBe(7)
  })

  test('shows its key, and gives a shell', async () => {
    const sshd = await started()
    const scan = spawnSync('ssh-keyscan', ['-p', String(sshd.port), '-t', 'ed25519', sshd.host], { encoding: 'utf8' })
    expect(scan.stdout).toContain(sshd.hostKey.split(' ')[1])
    const shell = spawnSync('ssh', line(sshd, '-tt'), { encoding: 'utf8', input: 'tty; exit 3\n' })
    expect(shell.stdout).toContain('/dev/pts/')
    expect(shell.status).toBe(3)
    expect(await sshd.asked()).toEqual([null])
  })

  test('takes the environment that it is told to take', async () => {
    const sshd = await started({ acceptEnv: ['LC_*'] })
    const told = spawnSync('ssh', ['-o', 'SendEnv=LC_ONE OTHER', ...line(sshd, 'echo "$LC_ONE,$OTHER"')], {
      encoding: 'utf8',
      env: { ...process.env, LC_ONE: '1', OTHER: '2' },
    })
    expect(told.stdout).toBe('1,\n')
  })

  test('lets in who has a certificate of its authority, and says whose it was', async () => {
    const sshd = await started({ authority: true })
    expect(ssh(sshd, 'true').stderr).toContain('Permission denied')
    const { private: key, public: open } = generateKeyPair()
    const at = (name: string) => join(sshd.home, name)
    await writeFile(at('authority'), sshd.authorityKey, { mode: 0o600 })
    await writeFile(at('mine'), key, { mode: 0o600 })
    await writeFile(at('mine.pub'), `${open}\n`)
    const signed = ['-s', at('authority'), '-I', 'somebody', '-n', sshd.user, '-V', '+5m', at('mine.pub')]
    expect(spawnSync('ssh-keygen', signed, { encoding: 'utf8' }).status).toBe(0)
    const { status, stderr } = spawnSync('ssh', ['-i', at('mine'), ...line(sshd, 'true')], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(await sshd.log()).toContain('ID somebody')
  })

  test('ends with everything that runs in it, and leaves nothing behind', async () => {
    const sshd = await started()
    const client = spawn('ssh', line(sshd, 'echo $$; exec sleep 1000'), { stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(client, 'close')
    const [pid] = await once(client.stdout, 'data')
    await sshd.stop()
    expect(await ended).toEqual([255, null])
    expect(existsSync(sshd.home)).toBe(false)
    while (isRunning(Number(pid))) await pause(10)
    const [error] = await once(connect(sshd.port, sshd.host), 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })
})
