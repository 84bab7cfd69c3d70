import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { hoopError } from '../../src/contract/error-codes.ts'
import { startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { fileStore } from '../../src/gateway-client/secret-store.ts'
import { type Issuer, refresh, type Tokens } from '../../src/gateway-client/sign-in.ts'
import { createTokenKeeper, type TokenKeeper } from '../../src/gateway-client/tokens.ts'
import { emptyHome } from '../support/terminal.ts'

const gateway = 'https://hoop.example.com'
const issuer = { issuer: 'https://id.example.com', clientId: 'hoop-cli', audience: null, scopes: ['openid'] }
const start = Date.parse('2026-01-01T12:00:00Z')

/** A keeper with a clock that the test moves, and a provider that counts. */
function keeperAt(options: { refresh?: (issuer: Issuer, token: string) => Promise<Tokens> } = {}) {
  const folder = emptyHome()
  const time = { now: start }
  const asked: string[] = []
  const keeper = createTokenKeeper({
    stores: { wish: 'file', folder, platform: 'linux', env: {} },
    clock: { now: () => time.now, elapsed: () => time.now },
    async refresh(given, token) {
      asked.push(token)
      return options.refresh === undefined
        ? tokens(`access-${asked.length + 1}`, time.now)
        : options.refresh(given, token)
    },
  })
  return { keeper, folder, time, asked }
}

function tokens(accessToken: string, received = start, seconds = 3600): Tokens {
  return {
    accessToken,
    refreshToken: `refresh-of-${accessToken}`,
    expires: new Date(received + seconds * 1000).toISOString(),
    received: new Date(received).toISOString(),
  }
}

async function signedIn(keeper: TokenKeeper, folder: string, given = tokens('access-1')): Promise<void> {
  await keeper.keep(gateway, { ...issuer, user: 'dev@demo' }, given, fileStore(folder))
}

test('keeps tokens where only their owner can read them', async () => {
  const { keeper, folder } = keeperAt()
  await signedIn(keeper, folder)
  for (const name of ['tokens.json', 'sign-ins.json']) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect(await readFile(join(folder, 'sign-ins.json'), 'utf8')).not.toContain('access-1')
})

test('hands out a token that is good, and a new one in time', async () => {
  const { keeper, folder, time, asked } = keeperAt()
  await signedIn(keeper, folder)
  const source = keeper.source(gateway)
  expect(await source.token()).toBe('access-1')
  time.now = start + 58 * 60_000
  expect(await source.token()).toBe('access-1')
  time.now = start + 59.5 * 60_000
  expect(await source.token()).toBe('access-2')
  expect(asked).toEqual(['refresh-of-access-1'])
})

test('refreshes once for many who ask at the same time', async () => {
  const { keeper, folder, time, asked } = keeperAt()
  await signedIn(keeper, folder)
  time.now = start + 3_700_000
  const source = keeper.source(gateway)
  expect(await Promise.all([source.token(), source.token(), keeper.source(gateway).token()])).toEqual([
    'access-2',
    'access-2',
    'access-2',
  ])
  expect(asked).toHaveLength(1)
})

test('uses what it has while the provider is away, until that ends', async () => {
  const { keeper, folder, time } = keeperAt({
    refresh: () => Promise.reject(hoopError('identity-unavailable', 'away')),
  })
  await signedIn(keeper, folder)
  const source = keeper.source(gateway)
  time.now = start + 59.5 * 60_000
  expect(await source.token()).toBe('access-1')
  time.now = start + 61 * 60_000
  await expect(source.token()).rejects.toMatchObject({ code: 'identity-unavailable' })
})

test('asks for a sign-in when there is none, and when it has ended', async () => {
  const { keeper, folder, time } = keeperAt()
  await expect(keeper.source(gateway).token()).rejects.toMatchObject({ code: 'sign-in-needed' })
  await signedIn(keeper, folder, { ...tokens('access-1'), refreshToken: null })
  time.now = start + 3_700_000
  await expect(keeper.source(gateway).token()).rejects.toMatchObject({ code: 'sign-in-needed' })
})

test('replaces a token that the gateway turns away, whatever its end says', async () => {
  const { keeper, folder } = keeperAt()
  await signedIn(keeper, folder)
  const source = keeper.source(gateway)
  expect(await source.renew('access-1')).toBe('access-2')
  // Somebody else was faster: no second refresh.
  expect(await source.renew('access-1')).toBe('access-2')
})

test('forgets', async () => {
  const { keeper, folder } = keeperAt()
  await signedIn(keeper, folder)
  expect(await keeper.current()).toBe(gateway)
  expect((await keeper.forget(gateway))?.tokens?.accessToken).toBe('access-1')
  expect(await keeper.current()).toBeUndefined()
  expect(await keeper.find(gateway)).toBeUndefined()
  await expect(stat(join(folder, 'tokens.json'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('refreshes once when several processes need it at the same time', async () => {
  const provider = await startIdentityProvider({ people: [{ user: 'dev@demo', groups: [] }] })
  onTestFinished(() => provider.stop())
  const { accessToken, refreshToken } = await provider.tokensFor('dev@demo')
  const folder = emptyHome()
  const keeper = createTokenKeeper({
    stores: { wish: 'file', folder, platform: 'linux', env: {} },
    clock: systemClock,
    refresh,
  })
  const past = new Date(Date.now() - 60_000).toISOString()
  const stale = { accessToken, refreshToken, expires: past, received: past }
  const { issuer: url, clientId, audience } = provider
  const known = { issuer: url, clientId, audience, scopes: ['openid'], user: 'dev@demo' }
  await keeper.keep(gateway, known, stale, fileStore(folder))

  const script = new URL('../support/refresh-process.ts', import.meta.url).pathname
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, [script, folder, gateway], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill())
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() }
  })
  for (const { lines } of children) expect((await lines.next()).value).toBe('ready')
  for (const { child } of children) child.stdin.write('go\n')
  const got = await Promise.all(children.map(async ({ lines }) => (await lines.next()).value))
  await Promise.all(children.map(({ child }) => child.exitCode ?? once(child, 'close')))

  // Each refresh gives another token, so four times the same one means one refresh.
  expect(new Set(got).size).toBe(1)
  expect(got[0]).not.toBe(accessToken)
  expect(got[0]).toMatch(/^ey/)
})
