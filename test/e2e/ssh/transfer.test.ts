/** Files through the door, by the programs that people use: whole, both ways, in bounded memory. */
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

const MiB = 1024 ** 2
const largeBytes = 256 * MiB

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: MiB })) hash.update(chunk)
  return hash.digest('hex')
}

/** No two pieces are the same, so that a lost or doubled one shows. */
async function fill(path: string, bytes: number): Promise<void> {
  const piece = Buffer.alloc(MiB)
  for (let at = 0; at < piece.length; at += 4) piece.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at)
  const file = await open(path, 'w')
  try {
    for (let at = 0; at < bytes; at += MiB) {
      piece.writeUInt32LE(at / MiB, (at / MiB) % (MiB - 4))
      await file.write(piece)
    }
  } finally {
    await file.close()
  }
}

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('files', () => {
  let world: SshWorld
  let large: string
  let sum: string
  const here = (name: string) => join(world.folder, name)
  const there = (name: string) => join(world.sshd.home, name)
  beforeAll(async () => {
    world = await startSshWorld()
    large = here('large')
    await fill(large, largeBytes)
    sum = await sha256(large)
  })
  afterAll(() => world?.stop())

  const ways = [
    ['scp', 'scp', []],
    ['scp in its old protocol', 'scp', ['-O']],
  ] as const
  test.each(ways)(
    '%s carries 256 MiB there and back, byte for byte',
    { timeout: 120_000 },
    async (_, program, flags) => {
      const name = `large${flags.join('')}`
      const up = await world.run(program, ['-F', world.config, ...flags, large, `open.hoop:${name}`])
      expect(up).toMatchObject({ code: 0, stderr: '' })
      expect(await sha256(there(name))).toBe(sum)
      const down = await world.run(program, ['-F', world.config, ...flags, `open.hoop:${name}`, here(name)])
      expect(down).toMatchObject({ code: 0, stderr: '' })
      expect(await sha256(here(name))).toBe(sum)
      const transfers = (await world.records()).flatMap((record) =>
        record.type === 'outcome' && record.outcome.transfer !== undefined ? [record.outcome.transfer] : [],
      )
      for (const direction of ['upload', 'download'] as const)
        expect(transfers).toContainEqual({ direction, bytes: largeBytes, sha256: sum })
    },
  )

  test('sftp does what a batch says, and fails where a rule says no', async () => {
    await mkdir(there('hidden'))
    await writeFile(there('hidden/file'), 'not for you')
    const small = here('small')
    await writeFile(small, 'a small file\n')
    const batch = `mkdir made\nput ${small} made/one\nrename made/one made/two\nchmod 600 made/two\nln -s two made/link\nls -l made\nget made/link ${here('back')}\nrm made/link\n`
    const { code, stdout, stderr } = await world.run('sftp', ['-F', world.config, '-b', '-', 'open.hoop'], {
      input: batch,
    })
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout).toContain('two')
    expect(await readFile(here('back'), 'utf8')).toBe('a small file\n')
    expect(await readFile(there('made/two'), 'utf8')).toBe('a small file\n')
    const input = `get ${there('hidden/file')} ${here('stolen')}\n`
    const refused = await world.run('sftp', ['-F', world.config, '-b', '-', 'open.hoop'], { input })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/hidden-files|[Pp]ermission denied/)
    await expect(readFile(here('stolen'), 'utf8').catch(() => '')).resolves.toBe('')
  })

  test.runIf(isInstalled('rsync', '--version'))('rsync there and back, and again only what changed', async () => {
    const from = here('tree')
    await mkdir(join(from, 'sub'), { recursive: true })
    for (const at of [1, 2, 3]) await writeFile(join(from, 'sub', `file ${at}`), `content ${at}\n`.repeat(at * 1000))
    const shell = ['-e', `ssh -F ${world.config}`]
    const up = await world.run('rsync', ['-a', ...shell, `${from}/`, 'open.hoop:tree/'])
    expect(up).toMatchObject({ code: 0, stderr: '' })
    await writeFile(there('tree/sub/file 2'), 'changed there\n')
    const down = await world.run('rsync', [
      '-a',
      '-i',
      '--ignore-times',
      '--checksum',
      ...shell,
      'open.hoop:tree/',
      `${from}/`,
    ])
    expect(down.code).toBe(0)
    expect(down.stdout.match(/^>f/gm)).toHaveLength(1)
    expect(await readFile(join(from, 'sub', 'file 2'), 'utf8')).toBe('changed there\n')
  })

  test.runIf(isInstalled('git', '--version'))('git clones and pushes', async () => {
    const env = {
      GIT_SSH_COMMAND: `ssh -F ${world.config}`,
      ...Object.fromEntries(
        ['AUTHOR', 'COMMITTER'].flatMap((who) => [
          [`GIT_${who}_NAME`, 'T'],
          [`GIT_${who}_EMAIL`, 't@e2e'],
        ]),
      ),
    }
    const git = async (...words: string[]) => {
      const ended = await world.run('git', words, { env })
      expect(ended.stderr).not.toMatch(/fatal|error/)
      expect(ended.code).toBe(0)
      return ended.stdout
    }
    await git('init', '-q', '--bare', there('repo.git'))
    await git('clone', '-q', `ssh://open.hoop${there('repo.git')}`, here('work'))
    await writeFile(join(here('work'), 'README'), 'pushed through the door\n')
    await git('-C', here('work'), 'add', '.')
    await git('-C', here('work'), 'commit', '-q', '-m', 'one')
    await git('-C', here('work'), 'push', '-q', 'origin', 'HEAD:main')
    expect(await git('-C', there('repo.git'), 'log', '--format=%s', 'main')).toBe('one\n')
    await git('clone', '-q', '-b', 'main', `ssh://open.hoop${there('repo.git')}`, here('again'))
    expect(await readFile(join(here('again'), 'README'), 'utf8')).toBe('pushed through the door\n')
  })

  test('a client that stops reading bounds the gateway’s memory, and gets every byte when it goes on', async () => {
    await using(world, async (child) => {
      const before = resident(world.gateway.pid)
      let most = 0
      let last = -1
      // Until nothing grows any more: every buffer on the way is full.
      for (let quiet = 0; quiet < 10; ) {
        await pause(100)
        const now = resident(world.gateway.pid)
        most = Math.max(most, now)
        quiet = Math.abs(now - last) < MiB ? quiet + 1 : 0
        last = now
      }
      // A small part of what the target would send if it was let.
      expect(most - before).toBeLessThan(64 * MiB)
      const hash = createHash('sha256')
      let bytes = 0
      for await (const chunk of child.stdout) {
        hash.update(chunk)
        bytes += chunk.length
      }
      expect(bytes).toBe(largeBytes)
      expect(hash.digest('hex')).toBe(sum)
    })
  })

  /** `cat` of the large file, of which nothing is read until somebody does. */
  async function using(
    { config, dev, folder }: SshWorld,
    work: (child: ReturnType<typeof spawnCat>) => Promise<void>,
  ): Promise<void> {
    const child = spawnCat(config, { ...dev, HOME: folder }, large)
    try {
      await work(child)
    } finally {
      child.kill()
    }
  }
})

function spawnCat(config: string, env: Readonly<Record<string, string>>, file: string) {
  return spawn('ssh', ['-F', config, 'open.hoop', `cat ${file}`], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function resident(pid: number): number {
  const [, kb] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB/m) ?? []
  return Number(kb) * 1024
}
