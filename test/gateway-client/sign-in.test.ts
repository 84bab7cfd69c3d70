import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { type IdentityProvider, startIdentityProvider } from '../../src/demo/identity-provider.ts'
import { type DeviceCode, type Issuer, refresh, revoke, signInByDevice } from '../../src/gateway-client/sign-in.ts'

const people = [{ user: 'dev@demo', groups: ['engineering'] }]
const now = () => Date.now()
const never = new AbortController().signal

async function provided(
  options: { deviceCodeTtl?: number } = {},
): Promise<{ provider: IdentityProvider; issuer: Issuer }> {
  const provider = await startIdentityProvider({ people, ...options })
  onTestFinished(() => provider.stop())
  const { issuer, clientId, audience } = provider
  return { provider, issuer: { issuer, clientId, audience, scopes: ['openid', 'email', 'profile', 'offline_access'] } }
}

test('signs in by device flow at a real provider, refreshes with rotation, and revokes', async () => {
  const { provider, issuer } = await provided()
  const codes: DeviceCode[] = []
  const tokens = await signInByDevice(issuer, {
    signal: never,
    now,
    onCode(code) {
      codes.push(code)
      void provider.confirmDevice(code.completeUrl ?? '', 'dev@demo')
    },
  })
  expect(codes).toHaveLength(1)
  expect(codes[0]?.code).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/)
  expect(codes[0]?.url).toBe(`${issuer.issuer}/device`)
  expect(decodeJwt(tokens.accessToken)).toMatchObject({
    email: 'dev@demo',
    groups: ['engineering'],
    aud: provider.audience,
  })

  const fresh = await refresh(issuer, tokens.refreshToken ?? '', now)
  expect(fresh.accessToken).not.toBe(tokens.accessToken)
  expect(fresh.refreshToken).not.toBe(tokens.refreshToken)
  expect(decodeJwt(fresh.accessToken).aud).toBe(provider.audience)

  expect(await revoke(issuer, fresh)).toBe(true)
  await expect(refresh(issuer, fresh.refreshToken ?? '', now)).rejects.toMatchObject({ code: 'sign-in-needed' })
})

test('says that nobody confirmed the code in time', async () => {
  const { issuer } = await provided({ deviceCodeTtl: 1 })
  await expect(signInByDevice(issuer, { signal: never, now, onCode: () => undefined })).rejects.toMatchObject({
    code: 'sign-in-failed',
    message: 'the code expired before it was confirmed',
  })
})

test('gives up at once when it is told to', async () => {
  const { issuer } = await provided()
  const stop = new AbortController()
  await expect(signInByDevice(issuer, { signal: stop.signal, now, onCode: () => stop.abort() })).rejects.toMatchObject({
    code: 'cancelled',
  })
})

test('says that the provider cannot be reached', async () => {
  const gone: Issuer = { issuer: 'http://127.0.0.1:1', clientId: 'hoop-cli', audience: null, scopes: ['openid'] }
  await expect(signInByDevice(gone, { signal: never, now, onCode: () => undefined })).rejects.toMatchObject({
    code: 'identity-unavailable',
  })
})

test('refuses a provider on another machine without encryption', async () => {
  const plain: Issuer = { issuer: 'http://id.example.com', clientId: 'hoop-cli', audience: null, scopes: ['openid'] }
  await expect(signInByDevice(plain, { signal: never, now, onCode: () => undefined })).rejects.toMatchObject({
    code: 'identity-unavailable',
  })
})

/** oidc-provider never says slow_down or access_denied by itself: a small provider that answers as the test wants. */
async function scripted(
  answers: readonly [status: number, body: object][],
): Promise<{ issuer: Issuer; polls: number[] }> {
  const polls: number[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    response.setHeader('content-type', 'application/json')
    if (request.url === '/.well-known/openid-configuration')
      return response.end(
        JSON.stringify({ issuer: url, token_endpoint: `${url}/token`, device_authorization_endpoint: `${url}/device` }),
      )
    if (request.url === '/device')
      return response.end(
        JSON.stringify({
          device_code: 'd',
          user_code: 'AB-CD',
          verification_uri: `${url}/go`,
          expires_in: 60,
          interval: 1,
        }),
      )
    const [status, body] = answers[polls.length] ?? [500, {}]
    polls.push(performance.now())
    response.statusCode = status
    return response.end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return {
    issuer: { issuer: `http://127.0.0.1:${port}`, clientId: 'hoop-cli', audience: null, scopes: ['openid'] },
    polls,
  }
}

test('waits five seconds longer after slow_down (RFC 8628, 3.5)', async () => {
  const { issuer, polls } = await scripted([
    [400, { error: 'slow_down' }],
    [200, { access_token: 'a', token_type: 'bearer' }],
  ])
  const tokens = await signInByDevice(issuer, { signal: never, now, onCode: () => undefined })
  expect(tokens).toMatchObject({ accessToken: 'a', refreshToken: null, expires: null })
  const [first = 0, second = 0] = polls
  expect(second - first).toBeGreaterThan(5500)
})

test('says that the sign-in was denied', async () => {
  const { issuer } = await scripted([[400, { error: 'access_denied' }]])
  await expect(signInByDevice(issuer, { signal: never, now, onCode: () => undefined })).rejects.toMatchObject({
    code: 'sign-in-failed',
    message: 'the sign-in was denied',
  })
})
