import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createSocketTable } from '../../src/tunnel/socket-table.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-table-'))
  file = join(folder, 'tcp')
})
afterEach(() => rm(folder, { recursive: true }))

const never = () => false
/** Rows of different lengths, more of them than are read at once. */
const rows = Array.from({ length: 2000 }, (_, n) => `row ${n} ${'x'.repeat(n % 97)}\n`)
const find = (n: number) => (text: string) =>
  text
    .split('\n')
    .find((row) => row.startsWith(`row ${n} `))
    ?.trim()

it('finds every row whole, wherever a piece was cut', async () => {
  await writeFile(file, rows.join(''))
  const table = createSocketTable(file)
  for (const n of [0, 1, 500, 1001, 1999]) expect(await table.find(find(n), never)).toBe(rows[n]?.trim())
  const all = await Promise.all(rows.map((_, n) => table.find(find(n), never)))
  expect(all).toEqual(rows.map((row) => row.trim()))
})

it('says so when a row is not there, after several looks', async () => {
  await writeFile(file, rows.join(''))
  let looks = 0
  const nowhere = (text: string) => {
    if (text.includes('row 0 ')) looks += 1
    return undefined
  }
  expect(await createSocketTable(file).find(nowhere, never)).toBeUndefined()
  expect(looks).toBe(4)
})

it('never shows rows to somebody who came after they were read', async () => {
  await writeFile(file, rows.join(''))
  const table = createSocketTable(file)
  let late: Promise<string | undefined> | undefined
  const seen: string[] = []
  await table.find((text) => {
    // From inside the first piece: what this one is shown first must be another.
    late ??= table.find((piece) => {
      seen.push(piece)
      return piece.includes('row 0 ') ? 'found' : undefined
    }, never)
    return find(1999)(text)
  }, never)
  expect(await late).toBe('found')
  expect(seen.length).toBeGreaterThan(2)
  expect(seen[0]).not.toContain('row 0 ')
})

it('finds what was added while it looks', async () => {
  await writeFile(file, rows.join(''))
  const table = createSocketTable(file)
  let added: Promise<void> | undefined
  const found = table.find((text) => {
    added ??= appendFile(file, 'row 5000 \n')
    return find(5000)(text)
  }, never)
  expect(await found).toBe('row 5000')
  await added
})

it('stops when it is over for everyone', async () => {
  await writeFile(file, rows.join(''))
  let pieces = 0
  const nowhere = () => {
    pieces += 1
    return undefined
  }
  expect(await createSocketTable(file).find(nowhere, () => pieces === 1)).toBeUndefined()
  expect(pieces).toBe(1)
})

it('does not pass for an empty table when it cannot be read', async () => {
  const table = createSocketTable(join(folder, 'none'))
  await expect(table.find(find(0), never)).rejects.toMatchObject({ code: 'ENOENT' })
  await writeFile(file, rows.join(''))
  await expect(table.find(find(0), never)).rejects.toMatchObject({ code: 'ENOENT' })
})
