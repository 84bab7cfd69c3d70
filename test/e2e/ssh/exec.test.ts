/** Commands over SSH, OpenSSH at both ends: what they say, how they end, what they are given. */
import { createHash, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hoop, isInstalled } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('ssh TARGET command', () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await startSshWorld()
  })
  afterAll(() => world?.stop())

  test('its words arrive byte for byte, its output comes back, and stderr apart', async () => {
    const odd = `printf '%s|' "a  b" 'ü' "$HOME"; echo "to  stderr" >&2 # 'quotes" and \\ more`
    const { code, stdout, stderr } = await world.ssh('open', odd)
    expect(stderr).toBe('to  stderr\n')
    expect(stdout).toBe(`a  b|ü|${world.sshd.home}|`)
    expect(code).toBe(0)
    expect(await world.sshd.hasSeen(odd)).toBe(true)
  })

  test.each([0, 1, 7, 126, 127, 255])('ends with exit status %i as the command did', async (status) => {
    expect((await world.ssh('open', `exit ${status}`)).code).toBe(status)
  })

  test('a command that a signal ended is told as ended by that signal', async () => {
    const { code, stderr } = await world.run('ssh', ['-F', world.config, '-v', 'open.hoop', 'kill -TERM $$'])
    expect(stderr).toMatch(/exit-signal/)
    // OpenSSH's own answer to an exit signal.
    expect(code).toBe(255)
  })

  test('takes stdin to its end and gives every byte back', async () => {
    const input = randomBytes(8 * 1024 * 1024)
    const { code, bytes } = await world.run('ssh', ['-F', world.config, 'open.hoop', 'cat'], { input })
    expect(code).toBe(0)
    expect(sha256(bytes)).toBe(sha256(input))
    const counted = await world.run('ssh', ['-F', world.config, 'open.hoop', 'wc -c; echo end'], { input })
    expect(counted.stdout).toBe(`${input.length}\nend\n`)
  })

  test('a command that reads nothing, and a client that sends nothing (-n), end all the same', async () => {
    const deaf = await world.run('ssh', ['-F', world.config, 'open.hoop', 'exec <&-; echo done'], {
      input: randomBytes(4 * 1024 * 1024),
    })
    expect(deaf).toMatchObject({ code: 0, stdout: 'done\n' })
    const silent = await world.run('ssh', ['-F', world.config, '-n', 'open.hoop', 'cat; echo done'])
    expect(silent).toMatchObject({ code: 0, stdout: 'done\n' })
  })

  test('-T gives no terminal, -tt gives one', async () => {
    const none = await world.run('ssh', ['-F', world.config, '-T', 'open.hoop', 'tty'])
    expect(none).toMatchObject({ code: 1, stdout: 'not a tty\n' })
    const one = await world.run('ssh', ['-F', world.config, '-tt', 'open.hoop', 'tty; stty size; exit 5'])
    expect(one.stdout).toMatch(/^\/dev\/pts\/\d+\r\n/)
    expect(one.code).toBe(5)
  })

  test('passes on the environment that the target’s list names, and no other', async () => {
    const send = ['-o', 'SendEnv=LC_* SECRET_*', 'open.hoop', 'echo "$LC_SHOWN,$SECRET_ONE"']
    const env = { LC_SHOWN: 'shown', SECRET_ONE: 'hidden' }
    expect(await world.run('ssh', ['-F', world.config, ...send], { env })).toMatchObject({ stdout: 'shown,\n' })
  })

  test('several channels of one connection run at once (ControlMaster)', async () => {
    const path = join(world.folder, 'control')
    const master = spawn('ssh', ['-F', world.config, '-M', '-N', '-S', path, 'open.hoop'], {
      env: { PATH: process.env.PATH ?? '', HOME: world.folder, ...world.dev },
      stdio: 'ignore',
    })
    const ended = once(master, 'exit')
    const over = (...words: string[]) => world.run('ssh', ['-F', world.config, '-S', path, 'open.hoop', ...words])
    while ((await world.run('ssh', ['-F', world.config, '-S', path, '-O', 'check', 'open.hoop'])).code !== 0);
    // The first one waits until the gateway has logged in at the target.
    await over('true')
    const logins = (await world.sshd.log()).match(/Accepted publickey/g)?.length
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, at) => over(`sleep 0.2; echo ${at}; exit ${at % 3}`)),
    )
    expect(answers.map(({ stdout }) => stdout)).toEqual(answers.map((_, at) => `${at}\n`))
    expect(answers.map(({ code }) => code)).toEqual(answers.map((_, at) => at % 3))
    expect((await world.sshd.log()).match(/Accepted publickey/g)?.length).toBe(logins)
    await world.run('ssh', ['-F', world.config, '-S', path, '-O', 'exit', 'open.hoop'])
    await ended
  })

  test('what a mask’s detector finds is masked in the output', async () => {
    await writeFile(join(world.sshd.home, 'contacts'), 'write to ana.almeida@example.com today\n')
    const { stdout, code } = await world.ssh('masked', 'cat contacts; cat contacts >&2')
    expect(code).toBe(0)
    expect(stdout).toContain('write to a')
    expect(stdout).not.toContain('ana.almeida@example.com')
  })

  test('a refused command does not reach the target, and says why with status 126', async () => {
    const { code, stdout, stderr } = await world.ssh('open', 'id; sudo id')
    expect(code).toBe(126)
    expect(stdout).toBe('')
    expect(stderr).toContain('nobody-becomes-root')
    expect(stderr).toContain('ask for what you need')
    expect(await world.sshd.hasSeen('id; sudo id')).toBe(false)
  })

  test('a held rm waits, is shown to the client, and runs as it was written once it is approved', async () => {
    const file = join(world.sshd.home, 'doomed')
    await writeFile(file, '')
    const asked = world.ssh('open', 'rm  -f doomed')
    const approval = await world.held('rm  -f doomed')
    expect(await readFile(file, 'utf8')).toBe('')
    expect(await world.sshd.hasSeen('rm  -f doomed')).toBe(false)
    const decided = await hoop(
      ['approve', approval.id, '--reason', 'fine', '--confirm', approval.confirm ?? ''],
      world.dba,
    )
    expect(decided.stderr).toContain(`Approved ${approval.id}`)
    const { code, stderr } = await asked
    expect(stderr).toContain(approval.id)
    expect(code).toBe(0)
    expect(await world.sshd.hasSeen('rm  -f doomed')).toBe(true)
    await expect(readFile(file)).rejects.toThrow('ENOENT')
  })

  test('a held rm that is denied does not run, and the client ends with 126', async () => {
    const file = join(world.sshd.home, 'kept')
    await writeFile(file, '')
    const asked = world.ssh('open', 'rm kept')
    const approval = await world.held('rm kept')
    expect((await hoop(['deny', approval.id, '--reason', 'still in use'], world.dba)).code).toBe(0)
    const { code, stderr } = await asked
    expect(stderr).toContain('still in use')
    expect(code).toBe(126)
    expect(await readFile(file, 'utf8')).toBe('')
    expect(await world.sshd.hasSeen('rm kept')).toBe(false)
  })
})
