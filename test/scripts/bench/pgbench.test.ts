/** What pgbench says, read: a run that was not perfect has to be an error with its words. */
import { expect, test } from 'vitest'
import { readPgbench } from '../../../scripts/bench/pgbench.ts'

const said = (transactions: number, tps: string, failed = 0) => `pgbench (15.18)
transaction type: <builtin: select only>
query mode: prepared
number of transactions actually processed: ${transactions}
number of failed transactions: ${failed} (0.000%)
latency average = 0.123 ms
initial connection time = 4.567 ms
tps = ${tps} (without initial connection time)
`

test('reads transactions and their rate', () => {
  expect(readPgbench(0, said(56789, '28394.512'))).toEqual({ transactions: 56789, tps: 28394.512 })
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

test('not one transaction is an error, not a zero', () => {
  expect(() => readPgbench(0, said(0, '0.000'))).toThrow('not one transaction')
})

test('a summary without figures is an error', () => {
  expect(() => readPgbench(0, '')).toThrow('it said nothing')
})
