import { expect, test } from 'vitest'
import { environmentOf } from '../../src/commands/connect.ts'
import { runProgram } from '../../src/commands/run-program.ts'
import type { Runtime } from '../../src/runtime.ts'
import { clientConfig } from '../../src/tunnel/client-config.ts'
import { paperSession, shop } from '../support/gateway.ts'
import { createTerminal } from '../support/terminal.ts'

/** A runtime whose signals the test sends. */
function withSignals(isTty = false): { runtime: Runtime; send: (signal: NodeJS.Signals) => void } {
  let handler: ((signal: NodeJS.Signals) => void) | undefined
  const { runtime } = createTerminal({ isTty, env: { PATH: process.env.PATH ?? '' } })
  return {
    runtime: {
      ...runtime,
      takeSignals(taker) {
        handler = taker
        return () => {
          handler = undefined
        }
      },
    },
    send: (signal) => handler?.(signal),
  }
}

const node = (script: string) => ({ program: process.execPath, args: ['-e', script] })

test('exits as the program does', async () => {
  const { runtime } = withSignals()
  expect(await runProgram(runtime, { ...node('process.exit(37)'), env: {} })).toBe(37)
})

test('gives the program its variables and keeps the others', async () => {
  const { runtime } = withSignals()
  const script = 'process.exit(process.env.PGPORT === "5432" && process.env.PATH !== undefined ? 0 : 1)'
  expect(await runProgram(runtime, { ...node(script), env: { PGPORT: '5432' } })).toBe(0)
})

test('hands on signals; a program that one ended has 128 and its number', async () => {
  const { runtime, send } = withSignals()
  const ended = runProgram(runtime, { ...node('setInterval(() => {}, 1000)'), env: {} })
  send('SIGTERM')
  expect(await ended).toBe(143)
})

test('at a terminal Ctrl-C is not handed on twice', async () => {
  const { runtime, send } = withSignals(true)
  const ended = runProgram(runtime, { ...node('setTimeout(() => process.exit(5), 300)'), env: {} })
  send('SIGINT')
  expect(await ended).toBe(5)
})

test('says that there is no such program', async () => {
  const { runtime } = withSignals()
  await expect(runProgram(runtime, { program: 'no-such-program', args: [], env: {} })).rejects.toMatchObject({
    code: 'usage',
    message: 'cannot run "no-such-program" (there is no such program)',
  })
})

test('the first target has the usual variables, every target one of its own', () => {
  const open = (name: string, port: number) => ({
    target: { ...shop, name },
    port,
    ...clientConfig({ ...shop, name }, port, { knownHosts: '/nowhere/known_hosts' }),
  })
  const env = environmentOf({
    session: paperSession({ id: 'ses_1' }),
    targets: [open('pg-prod', 1001), open('pg.two', 1002)],
  })
  expect(env).toMatchObject({
    HOOP_SESSION: 'ses_1',
    PGHOST: '127.0.0.1',
    PGPORT: '1001',
    PGUSER: 'dev',
    PGDATABASE: 'shop',
    HOOP_URL_PG_PROD: expect.stringContaining(':1001/shop'),
    HOOP_URL_PG_TWO: expect.stringContaining(':1002/shop'),
  })
})
