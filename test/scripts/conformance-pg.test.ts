/** The comparison is the whole proof: it has to see what differs. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareResults } from '../../scripts/conformance-pg/compare.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-compare-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function compare(direct: Record<string, string>, through: Record<string, string>) {
  for (const [way, files] of Object.entries({ direct, through })) {
    await mkdir(join(folder, way))
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, way, name), text, 'latin1')
  }
  return compareResults(join(folder, 'direct'), join(folder, 'through'))
}

test('results are the same when every byte is', async () => {
  const files = { 'a.out': 'one\n', 'b.out': '\xff\x00\n' }
  expect(await compare(files, files)).toEqual({ same: ['a.out', 'b.out'], different: [] })
})

test.each([
  ['a line that ends differently', 'one\n', 'one'],
  ['bytes that are no text', '\xff', '\xfe'],
  ['an empty answer', 'one\n', ''],
])('%s is a difference', async (_what, direct, through) => {
  const { same, different } = await compare({ 'a.out': direct }, { 'a.out': through })
  expect(same).toEqual([])
  expect(different.map(({ name }) => name)).toEqual(['a.out'])
})

test('a result that only one way has is a difference', async () => {
  const { same, different } = await compare({ 'a.out': '', 'b.out': '' }, { 'b.out': '', 'c.out': '' })
  expect(same).toEqual(['b.out'])
  expect(different.map(({ name }) => name)).toEqual(['a.out', 'c.out'])
})

test('shows the first lines of a difference, and how many more there are', async () => {
  const lines = (word: string) => Array.from({ length: 30 }, (_, at) => `${word} ${at}\n`).join('')
  const { different } = await compare({ 'a.out': lines('one') }, { 'a.out': lines('other') })
  expect(different[0]?.diff[1]).toBe('< one 0')
  expect(different[0]?.diff.at(-1)).toBe('… 50 lines more')
})
