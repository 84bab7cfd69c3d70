/** An admin ends a session: both sides are gone within a second, and whoever was killed is told why. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { paths } from '../../../src/contract/api.ts'
import { isInstalled } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('a kill', () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await startSshWorld()
  })
  afterAll(() => world?.stop())

  test.each([
    // sshd sends nothing to a program without a terminal: it ends when what it says finds nobody any more.
    ['a running command', ['open.hoop', 'echo "pid $$"; while echo still here; do sleep 0.1; done'], ''],
    ['a running shell', ['-tt', 'open.hoop'], 'echo "pid $$"; sleep 1000\n'],
  ])('ends %s within a second, at the target too', async (_, words, typed) => {
    const child = spawn('ssh', ['-F', world.config, ...words], {
      env: { PATH: process.env.PATH ?? '', HOME: world.folder, ...world.dev },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const ended = once(child, 'close')
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk
      })
    // At its prompt: what is typed before is no line that stands there.
    while (typed !== '' && !/[$#] $/.test(said)) await once(child.stdout, 'data')
    child.stdin.write(typed)
    while (!/pid \d+/.test(said)) await Promise.race([once(child.stdout, 'data'), ended.then(() => expect.fail(said))])
    const pid = Number(said.match(/pid (\d+)/)?.[1])
    const start = (await world.records()).findLast(({ type }) => type === 'session.start')
    const session = start?.session ?? expect.fail('no session is recorded')

    const began = performance.now()
    const answer = await fetch(world.gateway.url + paths.killSession(session), {
      method: 'POST',
      headers: { authorization: `Bearer ${world.dba.HOOP_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'runaway' }),
    })
    expect(answer.ok).toBe(true)
    const [code] = await ended
    while (isRunning(pid)) await pause(10)
    expect(performance.now() - began).toBeLessThan(1000)
    expect(code).toBe(255)
    expect(said).toContain('runaway')
    const end = (await world.records()).findLast(({ type }) => type === 'session.end')
    expect(end).toMatchObject({ session, why: expect.stringContaining('runaway') })
  })
})

/** Not what has ended and is not yet fetched by its parent. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z')
  } catch {
    return false
  }
}
