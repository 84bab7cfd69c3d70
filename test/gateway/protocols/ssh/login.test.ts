/** How the gateway reaches a target: whose key it believes, and how it logs in. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import ssh2 from 'ssh2'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startSmallSshServer } from '../../../../src/demo/ssh-server.ts'
import { fingerprintOf } from '../../../../src/gateway/protocols/ssh/host-keys.ts'
import { generateKeyPair } from '../../../../src/gateway/protocols/ssh/key-pair.ts'
import { hasSshd, startTestSshd, type TestSshd } from '../../../support/sshd.ts'
import { memoryKeys, openTestDoor, run, startOpenSsh, targetOn } from './door.ts'

describe.skipIf(!hasSshd())('the way to a target', () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startTestSshd()
  })
  afterAll(() => sshd.stop())
  const open = (wish: Partial<Parameters<typeof openTestDoor>[0]> = {}) =>
    openTestDoor({ target: targetOn(sshd), secret: sshd.clientKey, ...wish })
  const other = () => generateKeyPair().public.split(' ', 2).join(' ')

  it('takes the first key that a target shows, and refuses another from then on, naming both', async () => {
    const targetKeys = memoryKeys()
    const world = await open({ parts: { targetKeys } })
    expect(await run(await world.connect(), 'true')).toMatchObject({ status: 0 })
    const key = sshd.hostKey.split(' ', 2).join(' ')
    expect([...targetKeys.taken.values()]).toEqual([key])

    const changed = await startTestSshd()
    onTestFinished(() => changed.stop())
    const second = await open({ target: targetOn(changed), secret: changed.clientKey, parts: { targetKeys } })
    const ended = await run(await second.connect(), 'touch never')
    expect(ended.status).toBe(255)
    expect(ended.stderr).toContain(fingerprintOf(key))
    expect(ended.stderr).toContain(fingerprintOf(changed.hostKey))
    while (second.door.ends.length === 0) await pause(5)
    expect(second.door.ends[0]).toMatchObject({ code: 'target-refused' })
    // Before the gateway has shown who it is.
    expect(await changed.log()).not.toContain('Accepted')
  })

  it('believes only a pinned key where one is pinned, whatever comment stands behind it', async () => {
    const hostKeys = [other(), `${sshd.hostKey} the one since 2024`]
    const world = await open({ target: targetOn(sshd, { hostKeys }) })
    expect(await run(await world.connect(), 'true')).toMatchObject({ status: 0 })

    const [wrong = ''] = hostKeys
    const refused = await open({ target: targetOn(sshd, { hostKeys: [wrong] }) })
    const { status, stderr } = await run(await refused.connect(), 'true')
    expect(status).toBe(255)
    expect(stderr).toContain(`it shows ${fingerprintOf(sshd.hostKey)}, expected is ${fingerprintOf(wrong)}`)
  })

  it('does not believe a first key that cannot be kept', async () => {
    const targetKeys = { known: async () => undefined, take: () => Promise.reject(new Error('the disk is full')) }
    const world = await open({ parts: { targetKeys } })
    const { status, stderr } = await run(await world.connect(), 'true')
    expect({ status, stderr }).toEqual({ status: 255, stderr: expect.stringContaining('cannot be kept') })
    expect(stderr).not.toContain('disk')
  })

  it.each(['ed25519', 'rsa', 'ecdsa'] as const)('logs in with a key of type %s', async (type) => {
    const { private: secret, public: authorized } = pairOf(type)
    const server = await startTestSshd({ authorized })
    onTestFinished(() => server.stop())
    const world = await open({ target: targetOn(server), secret })
    expect(await run(await world.connect(), 'true')).toMatchObject({ status: 0 })
  })

  it.each(['ed25519', 'rsa', 'ecdsa'] as const)(
    'logs in with a certificate of an authority of type %s; the log names session and person',
    async (type) => {
      const { private: secret, public: authority } = pairOf(type)
      const folder = await mkdtemp(join(tmpdir(), 'hoop-ca-'))
      onTestFinished(() => rm(folder, { recursive: true }))
      const trusted = join(folder, 'authority.pub')
      await writeFile(trusted, `${authority}\n`)
      const server = await startTestSshd({ lines: [`TrustedUserCAKeys ${trusted}`, 'AuthorizedKeysFile none'] })
      onTestFinished(() => server.stop())
      const world = await open({ target: targetOn(server, { login: 'certificate' }), secret })
      expect(await run(await world.connect(), 'true')).toMatchObject({ status: 0 })
      expect(await server.log()).toMatch(
        /Accepted publickey for \S+ .*ED25519-CERT .*ID hoop session ses_test for ana@acme\.test \(serial \d+\)/,
      )
    },
  )

  it('logs in with a password', async () => {
    const server = await startSmallSshServer({ password: 'correct horse' })
    onTestFinished(() => server.stop())
    const target = targetOn(server, { login: 'password' })
    const world = await open({ target, secret: 'correct horse' })
    expect(await run(await world.connect(), 'echo in')).toMatchObject({ status: 0, stdout: 'in\n' })

    const wrong = await open({ target, secret: 'battery staple' })
    const ended = await run(await wrong.connect(), 'echo in')
    expect(ended).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('refused the gateway\'s login as "demo"'),
    })
    expect(ended.stderr).not.toContain('battery staple')
  })

  it('says that a credential is no key, without showing it', async () => {
    const world = await open({ secret: 'not a key at all' })
    const { status, stderr } = await run(await world.connect(), 'true')
    expect({ status, stderr }).toEqual({ status: 255, stderr: expect.stringContaining('is not a private key') })
    expect(stderr).not.toContain('at all')
  })

  it.each([
    ['a command', ['true']],
    ['no command (-N)', ['-N']],
  ])('tells OpenSSH with %s in a sentence why it cannot connect', async (_what, args) => {
    const world = await open({ target: { ...targetOn(sshd), user: 'nobody_of_that_name' } })
    const ssh = startOpenSsh(world.door.port, args)
    const [told, [status]] = await Promise.all([text(ssh.stderr), once(ssh, 'exit')])
    expect({ told, status }).toEqual({ told: expect.stringContaining("refused the gateway's login"), status: 255 })
  })
})

function pairOf(type: 'ed25519' | 'rsa' | 'ecdsa'): { private: string; public: string } {
  switch (type) {
    case 'ed25519':
      return generateKeyPair()
    case 'rsa':
      return ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
    case 'ecdsa':
      return ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
    default:
      return type satisfies never
  }
}
