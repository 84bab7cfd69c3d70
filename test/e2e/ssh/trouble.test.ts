/** What does not work says so: one sentence on stderr, and an exit status that is not zero. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

describe.runIf(hasSshd() && isInstalled('ssh', '-V'))('trouble', () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await startSshWorld()
  })
  afterAll(() => world?.stop())

  const sentences = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('hoop: '))

  test('a dead target', async () => {
    const { code, stdout, stderr } = await world.ssh('dead', 'true')
    expect(stdout).toBe('')
    expect(sentences(stderr)[0]).toMatch(/"dead".*(refused|ECONNREFUSED)/)
    expect(code).toBe(255)
  })

  test('a target that refuses the gateway’s login', async () => {
    const { code, stderr } = await world.ssh('stranger', 'true')
    expect(sentences(stderr)[0]).toMatch(/"stranger"/)
    expect(code).toBe(255)
    expect(await world.sshd.hasSeen('true')).toBe(false)
  })

  test('a target with another key than the pinned one: both fingerprints, and no login', async () => {
    const logins = async () => (await world.sshd.log()).match(/Accepted publickey/g)?.length ?? 0
    const before = await logins()
    const { code, stderr } = await world.ssh('changed', 'true')
    expect(new Set(stderr.match(/SHA256:[A-Za-z0-9+/]{43}/g)).size).toBe(2)
    expect(code).toBe(255)
    expect(await logins()).toBe(before)
  })

  test('a shell at a target without shells', async () => {
    const { code, stderr } = await world.run('ssh', ['-F', world.config, '-tt', 'closed.hoop'], { input: 'id\n' })
    expect(stderr + code).toMatch(/shell/)
    expect(code).not.toBe(0)
    expect(await world.sshd.asked()).not.toContain(null)
  })

  test('a target that does not exist', async () => {
    const { code, stderr } = await world.ssh('nowhere', 'true')
    expect(stderr).toMatch(/nowhere/)
    expect(code).not.toBe(0)
  })
})
