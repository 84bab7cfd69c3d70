import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeWhole } from '../../src/tunnel/ssh-files.ts'
import { includeLine, withInclude, withoutInclude } from '../../src/tunnel/ssh-include.ts'

const file = '/home/ana/.config/hoop/ssh_config'

test.each([
  ['nothing', ''],
  ['some hosts', 'Host a\n  User b\n'],
  ['no end of the last line', 'Host a\n  User b'],
  ['lines that end as on Windows', 'Host a\r\n  User b\r\n'],
  ['an include of somebody else', 'Include other\nHost a\n'],
])('the line comes first and goes again without a trace: %s', (_what, text) => {
  const added = withInclude(text, file)
  expect(added.split(/\r?\n/)[0]).toBe(includeLine(file))
  expect(withInclude(added, file)).toBe(added)
  expect(withoutInclude(added, file)).toBe(text)
})

test('the line counts as there wherever the person has moved it, and however it is written', () => {
  for (const text of [`Host a\n  include "${file}"\n`, `Include=${file}\nHost a\n`])
    expect(withInclude(text, file)).toBe(text)
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-include-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('a file keeps its permissions and its symbolic link, and nothing lies about afterwards', async () => {
  await mkdir(join(folder, 'dotfiles'))
  const real = join(folder, 'dotfiles', 'config')
  await writeFile(real, 'old')
  await chmod(real, 0o644)
  const link = join(folder, 'config')
  await symlink(real, link)
  expect(await writeWhole(link, 'new')).toBe(true)
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect(await readFile(real, 'utf8')).toBe('new')
  expect((await stat(real)).mode & 0o777).toBe(0o644)
  expect(await readdir(join(folder, 'dotfiles'))).toEqual(['config'])
  expect(await writeWhole(link, 'new')).toBe(false)
})

test('a new file is for its owner alone, in a folder that is too', async () => {
  const path = join(folder, '.ssh', 'config')
  await writeWhole(path, 'x')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, '.ssh'))).mode & 0o777).toBe(0o700)
})
