/** README's first command: it does what it says, and leaves nothing behind. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../../bin/hoop.js', import.meta.url))
let temporary: string

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'hoop-demo-test-'))
  // The demo's PostgreSQL may run as another user and has to get through.
  await chmod(temporary, 0o711)
})

afterEach(() => rm(temporary, { recursive: true, force: true }))

function demo(...flags: string[]) {
  const child = spawn(process.execPath, [program, 'demo', ...flags], {
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const heard = { text: '' }
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      heard.text += chunk
    })
  return { child, heard, ended: once(child, 'close') }
}

test('hoop demo --tour plays the whole story and checks each step of it', async () => {
  const { heard, ended } = demo('--tour')
  const [code] = await ended
  expect(code, heard.text).toBe(0)
  expect(heard.text).toContain('every step happened')
  expect(heard.text.match(/✓/g)?.length).toBeGreaterThanOrEqual(34)
  expect(heard.text).toContain('approved by dba@demo: it ran as it was written, and the folder is gone')
  expect(heard.text).toMatch(/GET \/v1\/customers\/1 → \{"id":1,"name":"Ana Almeida"/)
  expect(heard.text).toContain('approved by dba@demo: the API answered 204, and the customer is gone')
  expect(heard.text).toMatch(/cat app\/log\/orders\.log was recorded as it was shown/)
  expect(await readdir(temporary)).toEqual([])
})

test('hoop demo says what to type, and Ctrl-C ends everything and leaves nothing behind', async () => {
  const { child, heard, ended } = demo()
  while (!heard.text.includes('logs --verify'))
    await Promise.race([once(child.stdout, 'data'), ended.then(() => expect.fail(heard.text))])
  const url = heard.text.match(/'(postgresql:[^']+)'/)?.[1]
  const database = heard.text.match(/PostgreSQL .* 127\.0\.0\.1:(\d+)/)?.[1]
  expect(await readdir(temporary)).not.toEqual([])

  const sql = spawn(
    process.execPath,
    [program, 'demo', 'sql', String(url), 'SELECT email FROM customers WHERE id = 1'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let answer = ''
  sql.stdout.on('data', (chunk) => {
    answer += chunk
  })
  expect(await once(sql, 'close')).toEqual([0, null])
  expect(answer).toContain('a•••@example.com')

  const api = heard.text.match(/curl (http:\/\/127\.0\.0\.1:\d+\/v1\/customers\/1)/)?.[1]
  const customer = await (await fetch(String(api))).text()
  expect(customer).toContain('Ana Almeida')
  expect(customer).not.toContain('ana.almeida@example.com')

  child.kill('SIGINT')
  const [code] = await ended
  expect(code, heard.text).toBe(0)
  expect(await readdir(temporary)).toEqual([])
  await expect(fetch(`http://127.0.0.1:${database}`)).rejects.toThrow('fetch failed')
})
