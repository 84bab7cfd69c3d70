import { stat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runLogin } from '../../src/commands/login.ts'
import { runLogout } from '../../src/commands/logout.ts'
import { runStatus } from '../../src/commands/status.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { createIdentity } from '../../src/gateway/identity/identity.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { createTerminal, type TestTerminal } from '../support/terminal.ts'

/** A gateway that trusts a real identity provider. */
async function world(): Promise<{ gateway: TestGateway; confirm: (terminal: TestTerminal) => Promise<void> }> {
  const provider = await startIdentityProvider({ people: [{ user: 'dev@demo', groups: ['engineering'] }] })
  onTestFinished(() => provider.stop())
  const { issuer, clientId, audience } = provider
  const scopes = ['openid', 'email', 'profile', 'offline_access']
  const identity = createIdentity(() => ({
    identity: { issuer, clientId, audience, scopes, userClaim: 'email', groupsClaim: 'groups', algorithms: ['ES256'] },
    roles: { admin: { groups: [] }, auditor: { groups: [] } },
  }))
  const gateway = await startTestGateway({ identity, wellKnown: { issuer, clientId, audience, scopes } })
  return {
    gateway,
    async confirm(terminal) {
      await terminal.seen('user_code=')
      const link = `${terminal.stdout()}${terminal.stderr()}`.match(/http:[^\s"]+user_code=[\w-]+/)?.[0] ?? ''
      await provider.confirmDevice(link, 'dev@demo')
    },
  }
}

test('signs in, says who and where tokens are, and signs out', async () => {
  const { gateway, confirm } = await world()
  const terminal = createTerminal({ env: { NO_COLOR: '1' } })
  await Promise.all([runLogin(terminal.runtime, { gateway: gateway.url, browser: true }), confirm(terminal)])
  expect(terminal.stderr()).toContain('Signed in as dev@demo (engineering)')
  const file = join(terminal.home, '.local', 'state', 'hoop', 'tokens.json')
  expect(terminal.stderr()).toContain(`Tokens are kept in ${file} (mode 0600)`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(terminal.stdout()).toBe('')

  // The gateway need not be named again.
  const later = createTerminal({ home: terminal.home, env: { NO_COLOR: '1' } })
  await runStatus(later.runtime, {})
  expect(later.stdout()).toMatch(/user +dev@demo/)
  expect(later.stdout()).toMatch(/groups +engineering/)
  expect(later.stdout()).toMatch(/token +ends in .*renewed by itself/)
  expect(later.stdout()).toContain(file)

  await runLogout(later.runtime, {})
  expect(later.stderr()).toContain('Signed out dev@demo')
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(runStatus(later.runtime, { gateway: gateway.url })).rejects.toMatchObject({ code: 'sign-in-needed' })
})

test('tells a program the code and the end as NDJSON, and shows no token', async () => {
  const { gateway, confirm } = await world()
  const terminal = createTerminal()
  await Promise.all([
    runLogin(terminal.runtime, { gateway: gateway.url, browser: false, json: true }),
    confirm(terminal),
  ])
  const [code, end] = terminal
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(code).toMatchObject({ event: 'code', code: expect.any(String), url: expect.any(String) })
  expect(end).toMatchObject({ event: 'signed-in', user: 'dev@demo', groups: ['engineering'], store: 'file' })
  const kept = JSON.parse(await readFile(join(terminal.home, '.local/state/hoop/tokens.json'), 'utf8'))
  const { accessToken } = JSON.parse(kept[gateway.url])
  expect(terminal.stdout() + terminal.stderr()).not.toContain(accessToken)
})

test('asks which gateway when none is known', async () => {
  await expect(runLogin(createTerminal().runtime, { browser: false })).rejects.toMatchObject({ code: 'usage' })
})

test('signing out without a sign-in is no error', async () => {
  const terminal = createTerminal()
  await runLogout(terminal.runtime, { json: true })
  expect(JSON.parse(terminal.stdout())).toEqual({ gateway: null, forgotten: false, revoked: false })
})

test('a token in HOOP_TOKEN needs no sign-in', async () => {
  const gateway = await startTestGateway()
  const terminal = createTerminal({ env: { HOOP_TOKEN: 'dev-token', HOOP_GATEWAY: gateway.url } })
  await runStatus(terminal.runtime, { json: true })
  expect(JSON.parse(terminal.stdout())).toMatchObject({
    gateway: gateway.url,
    gatewayVersion: '9.9.9',
    user: 'dev@demo',
    groups: ['engineering'],
    tokens: 'HOOP_TOKEN',
    renewable: false,
  })
})

test('status still shows the gateway to whoever is not signed in, and ends with an error', async () => {
  const gateway = await startTestGateway()
  const terminal = createTerminal({ env: { HOOP_GATEWAY: gateway.url } })
  await expect(runStatus(terminal.runtime, {})).rejects.toMatchObject({ code: 'sign-in-needed' })
  expect(terminal.stdout()).toContain('version 9.9.9')
})
