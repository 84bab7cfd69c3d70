/** Files through the gateway by the programs that people use, in front of OpenSSH's own server. */
import { execFile, execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SFTPWrapper } from 'ssh2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Secret } from '../../../../src/base/secret.ts'
import type { Command } from '../../../../src/contract/command.ts'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import { createRecordingCheckpoint, type Door, openDoor } from '../../../support/conversation.ts'
import { hasSshd, startTestSshd, type TestSshd } from '../../../support/sshd.ts'
import { connectClient, createTestSsh, targetOn } from './door.ts'
import { credentialOf } from '../../../support/credentials.ts'

const mebibyte = 1024 * 1024
const denied: Refusal = { code: 'denied', message: 'refused: not that one', next: 'take another' }
const deny = (part: string) => (batch: readonly Command[]) =>
  batch.some(({ text }) => text.includes(part)) ? denied : undefined
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe.runIf(hasSshd())('files', () => {
  let sshd: TestSshd
  let near: string
  let far: string
  beforeAll(async () => {
    sshd = await startTestSshd()
  })
  afterAll(() => sshd.stop())
  beforeEach(async () => {
    near = await mkdtemp(join(tmpdir(), 'hoop-files-'))
    far = join(sshd.home, 'files')
    await mkdir(far)
  })
  afterEach(async () => {
    await rm(near, { recursive: true, force: true })
    await rm(far, { recursive: true, force: true })
  })

  async function open(judge?: Parameters<typeof createRecordingCheckpoint>[0]) {
    const checkpoint = createRecordingCheckpoint(judge)
    const door: Door = await openDoor({
      // A busy machine is not a failed test.
      protocol: createTestSsh({ connectTimeoutMs: 20_000 }),
      target: targetOn(sshd),
      credential: credentialOf(new Secret(sshd.clientKey)),
      checkpoint,
    })
    onTestFinished(() => door.close())
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes']
    const words = ['-F', '/dev/null', ...options.flatMap((option) => ['-o', option]), '-P', String(door.port)]
    return {
      checkpoint,
      door,
      scp: (...args: string[]) => run('scp', [...words, ...args]),
      async sftp(...lines: string[]) {
        await writeFile(join(near, 'batch'), lines.map((line) => `${line}\n`).join(''))
        return await run('sftp', [...words, '-b', join(near, 'batch'), 'x@127.0.0.1'])
      },
      async ssh2() {
        const { client } = await connectClient(door.port)
        onTestFinished(() => void client.destroy())
        return await new Promise<SFTPWrapper>((resolve, reject) =>
          client.sftp((error, sftp) => (error === undefined ? resolve(sftp) : reject(error))),
        )
      },
    }
  }

  /** What the audit says of the files that went through. */
  function transfersOf({ outcomes }: ReturnType<typeof createRecordingCheckpoint>) {
    return outcomes.flatMap(({ outcome: { status, transfer } }) =>
      transfer === undefined ? [] : [{ status, ...transfer }],
    )
  }
  function bothWays(bytes: number, digest: string) {
    return [
      { status: 'done', direction: 'upload', bytes, sha256: digest },
      { status: 'done', direction: 'download', bytes, sha256: digest },
    ]
  }

  describe('64 MiB there and back, byte for byte, with the SHA-256 that the audit says', () => {
    const whole = randomBytes(64 * mebibyte)
    const digest = sha256(whole)
    beforeEach(() => writeFile(join(near, 'up'), whole))

    async function expectSame(checkpoint: ReturnType<typeof createRecordingCheckpoint>): Promise<void> {
      expect(sha256(await readFile(join(far, 'there')))).toBe(digest)
      expect(sha256(await readFile(join(near, 'back')))).toBe(digest)
      expect(transfersOf(checkpoint)).toEqual(bothWays(whole.length, digest))
    }

    it('by OpenSSH’s sftp', async () => {
      const { sftp, checkpoint } = await open()
      const ended = await sftp(`put ${near}/up ${far}/there`, `get ${far}/there ${near}/back`)
      expect(ended).toMatchObject({ code: 0, stderr: '' })
      await expectSame(checkpoint)
    })

    it.each([
      ['today’s protocol', []],
      ['its old one', ['-O']],
    ])('by OpenSSH’s scp in %s', async (_which, flags) => {
      const { scp, checkpoint } = await open()
      for (const [from, to] of [
        [join(near, 'up'), `x@127.0.0.1:${far}/there`],
        [`x@127.0.0.1:${far}/there`, join(near, 'back')],
      ] as const)
        expect(await scp(...flags, from, to)).toEqual({ code: 0, stdout: '', stderr: '' })
      await expectSame(checkpoint)
    })

    it('by ssh2, with 64 requests at once', async () => {
      const { ssh2, checkpoint } = await open()
      const sftp = await ssh2()
      const call = (work: (done: (error?: Error | null) => void) => void) =>
        new Promise<void>((resolve, reject) => work((error) => (error == null ? resolve() : reject(error))))
      await call((done) => sftp.fastPut(join(near, 'up'), join(far, 'there'), { concurrency: 64 }, done))
      await call((done) => sftp.fastGet(join(far, 'there'), join(near, 'back'), { concurrency: 64 }, done))
      await expectSame(checkpoint)
    })

    it.runIf(hasParamiko())('by paramiko', async () => {
      const { door, checkpoint } = await open()
      const script = `
import paramiko, sys
port, up, there, back = int(sys.argv[1]), *sys.argv[2:]
transport = paramiko.Transport(('127.0.0.1', port))
transport.connect(username='x')
transport.auth_none('x')
sftp = paramiko.SFTPClient.from_transport(transport)
sftp.put(up, there)
sftp.get(there, back)
transport.close()
`
      const paths = [join(near, 'up'), join(far, 'there'), join(near, 'back')]
      const ended = await run('/usr/bin/python3', ['-c', script, String(door.port), ...paths])
      expect(ended).toMatchObject({ code: 0 })
      await expectSame(checkpoint)
    })
  })

  it('every command of sftp does what it does without the gateway, and each is recorded', async () => {
    const { sftp, checkpoint } = await open()
    await writeFile(join(near, 'a'), 'contents')
    await writeFile(join(near, 'half'), 'cont')
    const { code, stderr, stdout } = await sftp(
      `cd ${far}`,
      'mkdir sub',
      `put ${near}/a a`,
      'rename a b',
      'chmod 600 b',
      'ln b hard',
      'ln -s b soft',
      'copy b copied',
      'ls -l',
      'df',
      `get soft ${near}/soft`,
      `put ${near}/half sub/a`,
      `reput ${near}/a sub/a`,
      'rm hard',
      'rmdir sub',
    )
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('Failure') })
    expect(stdout).toContain('copied')
    expect((await readdir(far)).toSorted()).toEqual(['b', 'copied', 'soft', 'sub'])
    expect(await readFile(join(far, 'copied'), 'utf8')).toBe('contents')
    expect(await readFile(join(near, 'soft'), 'utf8')).toBe('contents')
    expect((await stat(join(far, 'b'))).mode & 0o777).toBe(0o600)
    expect(await readFile(join(far, 'sub/a'), 'utf8')).toBe('contents')
    // What was resumed began in the middle: nobody saw all of it.
    expect(transfersOf(checkpoint).at(-1)).toEqual({ status: 'done', direction: 'upload', bytes: 4, sha256: null })
    const changes = checkpoint.asked
      .filter(({ facts }) => facts.kind === 'write')
      .map(({ text }) => text.replaceAll(far, '~').replaceAll(/ \((?:append|create|asked).*\)/g, ''))
    expect(changes).toEqual([
      'sftp mkdir ~/sub (mode 0777)',
      'sftp write ~/a',
      'sftp rename ~/a to ~/b (replacing what is there)',
      'sftp setstat ~/b (mode 0600)',
      'sftp link ~/hard to ~/b',
      'sftp symlink ~/soft to ~/b',
      'sftp write ~/copied',
      'sftp copy ~/b to ~/copied',
      'sftp write ~/sub/a',
      'sftp write ~/sub/a',
      'sftp remove ~/hard',
      'sftp rmdir ~/sub',
    ])
  })

  it('a tree goes both ways, also by the old protocol', async () => {
    const { scp } = await open()
    await mkdir(join(near, 'tree/inner'), { recursive: true })
    await writeFile(join(near, 'tree/inner/ä b'), 'x')
    await writeFile(join(near, 'tree/empty'), '')
    for (const flags of [[], ['-O']]) {
      const name = `tree${flags.length}`
      expect(await scp(...flags, '-rp', join(near, 'tree'), `x@127.0.0.1:files/${name}`)).toMatchObject({ code: 0 })
      expect(await scp(...flags, '-rp', `x@127.0.0.1:files/${name}`, near)).toMatchObject({ code: 0 })
      expect(await readFile(join(near, name, 'inner/ä b'), 'utf8')).toBe('x')
      expect(await readFile(join(near, name, 'empty'), 'utf8')).toBe('')
    }
  })

  describe('what is refused', () => {
    it.each([
      ['as it is', (far: string) => `${far}/secret`],
      ['round about', (far: string) => `${far}/../files/./secret`],
      ['from where the login begins', () => 'files/../files//secret'],
    ])('is not given, however it is named: %s', async (_how, name) => {
      await writeFile(join(far, 'secret'), 'x')
      const { sftp, scp } = await open(deny(`sftp read ${far}/secret`))
      const ended = await sftp(`get ${name(far)} ${near}/got`)
      // OpenSSH's own client prints the code of the answer, and the lines beside it.
      expect(ended.stderr).toContain('hoop: refused: not that one\n')
      expect(ended.stderr).toContain('Permission denied')
      expect(ended.code).toBe(1)
      for (const flags of [[], ['-O']]) {
        const copied = await scp(...flags, `x@127.0.0.1:${name(far)}`, join(near, 'got'))
        expect(copied.stderr).toContain('hoop: refused: not that one')
        expect(copied.code).toBe(1)
      }
      expect(existsSync(join(near, 'got'))).toBe(false)
    })

    it('is not written, and what comes after it is', async () => {
      const { scp } = await open(deny('/one'))
      for (const name of ['one', 'two']) await writeFile(join(near, name), name)
      for (const flags of [[], ['-O']]) {
        const ended = await scp(...flags, join(near, 'one'), join(near, 'two'), `x@127.0.0.1:${far}/`)
        expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('hoop: refused: not that one') })
        expect(await readdir(far)).toEqual(['two'])
        await rm(join(far, 'two'))
      }
    })

    it('tells other clients in the answer', async () => {
      const { ssh2 } = await open(deny('remove'))
      const sftp = await ssh2()
      const told = await new Promise((resolve) => sftp.unlink(join(far, 'x'), resolve))
      expect(told).toMatchObject({ code: 3, message: 'refused: not that one; next: take another' })
    })

    it('leaves the same channel usable, whatever number of times', async () => {
      await writeFile(join(far, 'kept'), 'x')
      const { ssh2 } = await open(deny('remove'))
      const sftp = await ssh2()
      const tries = Array.from(
        { length: 3000 },
        () => new Promise((resolve) => sftp.unlink(join(far, 'kept'), resolve)),
      )
      for (const told of await Promise.all(tries)) expect(told).toMatchObject({ code: 3 })
      expect(
        await new Promise((resolve) => sftp.readFile(join(far, 'kept'), (_error, bytes) => resolve(String(bytes)))),
      ).toBe('x')
    })
  })

  it('a symbolic link at the target is not seen through', async () => {
    await writeFile(join(far, 'secret'), 'x')
    await symlink(join(far, 'secret'), join(far, 'link'))
    const { sftp, checkpoint } = await open(deny(`sftp read ${far}/secret`))
    // As docs/rules.md says: links are the target's own, and making one is a command.
    expect(await sftp(`get ${far}/link ${near}/got`)).toMatchObject({ code: 0 })
    expect(checkpoint.asked.at(-1)?.objects).toEqual([`${far}/link`])
  })

  it('a held upload waits with a line on stderr, and goes through when it is approved', async () => {
    let approve: () => void = () => undefined
    let isHeld: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      isHeld = resolve
    })
    const { sftp } = await open((batch, asking) => {
      if (!batch.some(({ verb }) => verb === 'sftp write')) return undefined
      asking?.onHold?.({
        approval: 'apr_1',
        session: 'ses_1',
        rule: 'uploads',
        message: 'held: dba decides',
        hint: 'hoop approve apr_1',
        groups: ['dba'],
        expires: 0,
      })
      isHeld()
      return new Promise((resolve) => {
        approve = () => resolve(undefined)
      })
    })
    await writeFile(join(near, 'a'), 'x')
    const ended = sftp(`put ${near}/a ${far}/a`)
    await held
    expect(existsSync(join(far, 'a'))).toBe(false)
    approve()
    expect(await ended).toMatchObject({ code: 0, stderr: 'hoop: held: dba decides\nhoop: hoop approve apr_1\n' })
    expect(await readFile(join(far, 'a'), 'utf8')).toBe('x')
  })

  it('a session that is killed in the middle of a file says so, and the record is closed', async () => {
    await writeFile(join(far, 'large'), Buffer.alloc(32 * mebibyte))
    const { ssh2, checkpoint, door } = await open()
    const sftp = await ssh2()
    sftp.on('error', () => undefined)
    const reading = sftp.createReadStream(join(far, 'large'))
    reading.on('error', () => undefined)
    await new Promise((resolve) => reading.once('data', resolve))
    reading.pause()
    door.kill({ code: 'killed', message: 'killed by ana', next: 'ask ana' })
    await expect
      .poll(() => checkpoint.outcomes.at(-1))
      .toMatchObject({
        outcome: { status: 'unknown', transfer: { direction: 'download' } },
      })
  })
})

function hasParamiko(): boolean {
  try {
    execFileSync('/usr/bin/python3', ['-c', 'import paramiko'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env.CI !== undefined) throw new Error('paramiko is missing, and CI has to have it')
    console.warn('LEFT OUT: files by paramiko, because it is not here')
    return false
  }
}

function run(file: string, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { encoding: 'utf8' }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}
