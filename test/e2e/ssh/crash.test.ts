/** The gateway dies in the middle: what was shown until then is kept, listed and replayed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hoop, isInstalled } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('a gateway that is killed', () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await startSshWorld()
  })
  afterAll(() => world?.stop())

  test('leaves a session that is listed, and replays up to its last second', async () => {
    const child = spawn(
      'ssh',
      ['-F', world.config, 'open.hoop', 'for at in 1 2 3 4 5 6 7 8 9; do echo "line $at"; sleep 0.5; done'],
      {
        env: { PATH: process.env.PATH ?? '', HOME: world.folder, ...world.dev },
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    const ended = once(child, 'close')
    let said = ''
    child.stdout.on('data', (chunk) => {
      said += chunk
    })
    while (!said.includes('line 4')) await once(child.stdout, 'data')
    // A second, and a little more, so that what was shown a second ago is kept.
    await pause(1100)
    const shownLongAgo = said
    await world.gateway.end('SIGKILL')
    expect((await ended)[0]).not.toBe(0)
    await world.restart()

    const sessions = await hoop(['sessions', 'list', '--json'], world.dba)
    expect(sessions.stderr).toBe('')
    const [session] = sessions.stdout
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => JSON.parse(line))
    expect(session).toMatchObject({ user: 'dev@e2e', targets: ['open'] })
    const replay = await hoop(['replay', session.id, '--speed', 'max'], world.dba)
    expect(replay.stderr).toBe('')
    for (const line of shownLongAgo
      .split('\n')
      .filter((one) => one !== '' && one !== shownLongAgo.trimEnd().split('\n').at(-1)))
      expect(replay.stdout).toContain(line)
    expect(replay.stdout).toContain('line 3')
    const outcome = (await world.records()).findLast((record) => record.type === 'outcome')
    expect(outcome).toMatchObject({ outcome: { status: 'unknown' } })
  })
})
