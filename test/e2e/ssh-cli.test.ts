/** The ways in for SSH that people use: plain ssh after `hoop ssh-config`, `hoop ssh`, `hoop connect`; OpenSSH at both ends. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hoop, isInstalled } from '../support/built-cli.ts'
import { hasSshd } from '../support/sshd.ts'
import { type SshWorld, startSshWorld } from '../support/ssh-world.ts'

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('through the door', () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await startSshWorld()
  })
  afterAll(() => world?.stop())

  test('hoop ssh exits as the command did, and its words arrive as they were', async () => {
    const ran = await hoop(['ssh', '--reason', 'ticket 7', 'open', '-T', 'echo "a  b"; exit 7'], world.dev)
    expect(ran).toMatchObject({ code: 7, stdout: 'a  b\n' })
    const starts = (await world.records()).filter(({ type }) => type === 'session.start')
    expect(starts.at(-1)).toMatchObject({ reason: 'ticket 7', targets: ['open'] })
  })

  test('the session of a connection ends with it', async () => {
    expect((await world.ssh('open', 'true')).code).toBe(0)
    const records = await world.records()
    const session = records.findLast(({ type }) => type === 'session.start')?.session
    for (;;) {
      const end = (await world.records()).find((one) => one.type === 'session.end' && one.session === session)
      if (end === undefined) continue
      expect(end).toMatchObject({ why: 'its connection ended' })
      return
    }
  })

  test.each([
    ['nothing', 'there is no target named "nothing"', 1],
    ['dead', 'cannot reach target "dead"', 255],
  ])('hoop ssh to %s is one clear sentence and not 0', async (target, sentence, code) => {
    const ran = await hoop(['ssh', target, 'true'], world.dev)
    expect(ran.stderr).toContain(sentence)
    expect(ran.code).toBe(code)
  })

  test('hoop ssh says that ssh is missing', async () => {
    const { code, stderr } = await hoop(['ssh', 'open', 'true'], { ...world.dev, PATH: '/nonexistent' })
    expect(stderr).toContain('hoop: cannot run "ssh" (there is no such program)\n  hint: install OpenSSH’s client')
    expect(code).toBe(2)
  })

  test('hoop connect gives its program a config in which the target has its name', async () => {
    const ran = await hoop(
      [
        'connect',
        'open',
        '--',
        'sh',
        '-c',
        `ssh -F "$HOOP_SSH_CONFIG" open.hoop 'echo by name'; echo "$HOOP_URL_OPEN"`,
      ],
      world.dev,
    )
    expect(ran.stdout).toMatch(/^by name\nssh:\/\/\w+@127\.0\.0\.1:\d+\n$/)
    expect(ran.code).toBe(0)
  })

  test.runIf(isInstalled('git', '--version'))('git clones and pushes in the session of hoop connect', async () => {
    const repository = join(world.folder, 'app.git')
    const clone = join(world.folder, 'clone')
    const script = `set -e
git init -q --bare ${repository}
git clone -q ssh://open.hoop${repository} ${clone}
cd ${clone}; echo one > file; git add file
git -c user.name=x -c user.email=x@example.com commit -qm one
git push -q origin HEAD`
    const ran = await hoop(['connect', 'open', '--', 'sh', '-c', script], world.dev)
    expect(ran.code).toBe(0)
    const log = await world.run('git', ['-C', repository, 'log', '--all', '--format=%s'])
    expect(log.stdout).toBe('one\n')
  })

  test.runIf(isInstalled('rsync', '--version'))('rsync copies through hoop proxy', async () => {
    const from = join(world.folder, 'from')
    await mkdir(from)
    await writeFile(join(from, 'file'), 'content')
    const to = join(world.folder, 'to')
    const ran = await world.run('rsync', ['-a', '-e', `ssh -F ${world.config}`, `${from}/`, `open.hoop:${to}/`])
    expect(ran).toMatchObject({ code: 0, stderr: '' })
    expect(await readFile(join(to, 'file'), 'utf8')).toBe('content')
  })
})
