/** What pgbench says, read: a run that was not perfect has to be an error with its words. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPgbench, runPgbench } from '../../../scripts/bench/pgbench.ts'

const said = (transactions: number, tps: string, failed = 0) => `pgbench (15.18)
transaction type: <builtin: select only>
query mode: prepared
number of transactions actually processed: ${transactions}
number of failed transactions: ${failed} (0.000%)
latency average = 0.123 ms
initial connection time = 4.567 ms
tps = ${tps} (without initial connection time)
`

test('reads transactions and their time', () => {
  expect(readPgbench(0, said(56789, '28394.5'))).toEqual({ transactions: 56789, seconds: 2 })
})

test('its first second does not count, connecting included', () => {
  const progress =
    'progress: 1.0 s, 900.0 tps, lat 0.5 ms stddev 0.1, 0 failed\nprogress: 2.0 s, 2000.0 tps, lat 0.5 ms\n'
  // Ten milliseconds of it were for connecting: 4.99 seconds in all.
  const text = `${progress}${said(8900, '1783.567').replace('4.567 ms', '10.0 ms')}`
  const { transactions, seconds } = readPgbench(0, text)
  expect(transactions).toBe(8000)
  expect(seconds).toBeCloseTo(4, 2)
})

test('a client that was aborted is an error, in its words', () => {
  const aborted = `pgbench: error: client 3 script 0 aborted in command 1 query 0: ERROR:  hoop: not allowed\n${said(10, '5.0')}`
  expect(() => readPgbench(2, aborted)).toThrow(/exit 2.*client 3 script 0 aborted.*not allowed/)
})

test('a server that cannot be reached is an error, in its words', () => {
  const unreachable = 'pgbench: error: connection to server at "127.0.0.1", port 1 failed: Connection refused'
  expect(() => readPgbench(1, unreachable)).toThrow('Connection refused')
})

test('failed transactions are an error', () => {
  expect(() => readPgbench(0, said(10, '5.0', 1))).toThrow('number of failed transactions: 1')
})

test.runIf(process.platform !== 'win32')(
  'not one transaction, with all the time it may get, is an error and not a zero',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-pgbench-'))
    try {
      const path = join(folder, 'pgbench')
      const times = join(folder, 'times')
      await writeFile(path, `#!/bin/sh\necho "$@" >> ${times}\ncat <<'END'\n${said(0, 'nan')}END\n`, { mode: 0o755 })
      const reach = { kind: 'tcp', port: 1, user: 'u', database: 'd', password: undefined } as const
      const load = { reach, script: 'select', protocol: 'simple', clients: 1, seconds: 2 } as const
      const options = { tool: { path, version: '0' }, signal: new AbortController().signal }
      await expect(runPgbench(options, load)).rejects.toThrow('not one transaction in 9 seconds')
      const asked = [...(await readFile(times, 'utf8')).matchAll(/--time=(\d+)/g)].map(([, seconds]) => Number(seconds))
      expect(asked).toEqual([3, 5, 7, 9])
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)

test('a summary without figures is an error', () => {
  expect(() => readPgbench(0, '')).toThrow('it said nothing')
})
