import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { createIdentity, type IdentitySettings } from '../../../src/gateway/identity/identity.ts'
import { audience, startTestIssuer, type TestIssuer } from '../../support/test-issuer.ts'

let issuer: TestIssuer
let now: number
const clock: Clock = { now: () => now, elapsed: () => now }

beforeAll(async () => {
  issuer = await startTestIssuer()
})
afterAll(() => issuer.stop())
beforeEach(() => {
  now = Date.now()
})
afterEach(() => {
  issuer.fail(undefined)
  vi.useRealTimers()
})

function settings(changes: Partial<IdentitySettings['identity']> = {}): IdentitySettings {
  return {
    identity: {
      issuer: issuer.url,
      clientId: 'hoop-cli',
      audience,
      scopes: ['openid'],
      userClaim: 'email',
      groupsClaim: 'groups',
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      ...changes,
    },
    roles: { admin: { groups: ['sre'] }, auditor: { groups: ['audit'] } },
  }
}

const identityWith = (changes?: Partial<IdentitySettings['identity']>) =>
  createIdentity(() => settings(changes), { clock })
const signInNeeded = { code: 'sign-in-needed', hint: 'sign in with "hoop login"' }
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a good token', () => {
  it('says user, subject, groups, roles and its end', async () => {
    const exp = Math.floor(now / 1000) + 60
    const token = await issuer.token({ groups: ['engineering', 'sre'], exp })
    expect(await identityWith().verify(token)).toEqual({
      user: 'ana@acme',
      subject: 'sub-ana',
      groups: ['engineering', 'sre'],
      roles: ['admin'],
      expires: exp * 1000,
    })
  })

  it.each([
    ['a bare string', 'dba', ['dba']],
    ['an array with things that are no groups', ['dba', 7, '', null, 'dba'], ['dba']],
    ['nothing', undefined, []],
    ['an object', { dba: true }, []],
  ])('has groups read out of %s', async (_, groups, expected) => {
    expect((await identityWith().verify(await issuer.token({ groups }))).groups).toEqual(expected)
  })

  it('names the user by the claim that is configured', async () => {
    const identity = identityWith({ userClaim: 'preferred_username' })
    expect((await identity.verify(await issuer.token({ preferred_username: 'ana' }))).user).toBe('ana')
  })

  it('is verified once and then known until it ends', async () => {
    const identity = identityWith()
    const token = await issuer.token()
    await identity.verify(token)
    issuer.fail(500)
    await expect(identity.verify(token)).resolves.toMatchObject({ user: 'ana@acme' })
    now += 700_000
    issuer.fail(undefined)
    await expect(identity.verify(token)).rejects.toMatchObject({ message: 'your sign-in has expired' })
  })

  it('has the roles of the configuration in force, not of when it was verified', async () => {
    let inForce = settings()
    const identity = createIdentity(() => inForce, { clock })
    const token = await issuer.token({ groups: ['sre'] })
    expect((await identity.verify(token)).roles).toEqual(['admin'])
    inForce = { ...settings(), roles: { admin: { groups: [] }, auditor: { groups: ['sre'] } } }
    expect((await identity.verify(token)).roles).toEqual(['auditor'])
  })

  it('counts no more once the configuration wants another audience', async () => {
    let inForce = settings()
    const identity = createIdentity(() => inForce, { clock })
    const token = await issuer.token()
    await identity.verify(token)
    inForce = settings({ audience: 'urn:other' })
    await expect(identity.verify(token)).rejects.toMatchObject(signInNeeded)
  })
})

describe('a token is refused', () => {
  const seconds = () => Math.floor(now / 1000)
  it.each<[string, () => Record<string, unknown>]>([
    ['is expired', () => ({ exp: seconds() - 60 })],
    ['is not valid yet', () => ({ nbf: seconds() + 120 })],
    ['never ends', () => ({ exp: undefined })],
    ['is for another audience', () => ({ aud: 'urn:other' })],
    ['names no audience', () => ({ aud: undefined })],
    ['is of another issuer', () => ({ iss: 'https://evil.example' })],
    ['names no subject', () => ({ sub: undefined })],
  ])('when it %s', async (_, claims) => {
    await expect(identityWith().verify(await issuer.token(claims()))).rejects.toMatchObject(signInNeeded)
  })

  it('when it does not say who it is for', async () => {
    const token = await issuer.token({ email: undefined })
    await expect(identityWith().verify(token)).rejects.toMatchObject({ code: 'sign-in-needed' })
  })

  it('when its address is not verified at the provider', async () => {
    const token = await issuer.token({ email_verified: false })
    await expect(identityWith().verify(token)).rejects.toMatchObject({ code: 'sign-in-needed' })
  })

  it('when it is not signed (alg none)', async () => {
    const [, payload] = (await issuer.token()).split('.')
    const token = `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`
    await expect(identityWith().verify(token)).rejects.toMatchObject(signInNeeded)
  })

  it.each(['the key as JSON', 'its coordinates'])('when %s was used as the secret of an HMAC', async (what) => {
    const jwk = issuer.publicJwk()
    const secret = what === 'the key as JSON' ? JSON.stringify(jwk) : `${jwk.x}${jwk.y}`
    const [, payload] = (await issuer.token()).split('.')
    const signed = `${encode({ alg: 'HS256', kid: jwk.kid })}.${payload}`
    const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
    await expect(identityWith().verify(token)).rejects.toMatchObject(signInNeeded)
  })

  it('when its algorithm is good but not among those pinned', async () => {
    const identity = identityWith({ algorithms: ['RS256'] })
    await expect(identity.verify(await issuer.token())).rejects.toMatchObject(signInNeeded)
  })

  it('when its payload was changed after signing', async () => {
    const [header, , signature] = (await issuer.token()).split('.')
    const [, payload] = (await issuer.token({ groups: ['sre'] })).split('.')
    await expect(identityWith().verify(`${header}.${payload}.${signature}`)).rejects.toMatchObject(signInNeeded)
  })

  it.each(['', 'x', 'a.b.c', 'opaque-token-of-a-provider', `${'a'.repeat(20_000)}`])('when it is %j', async (token) => {
    await expect(identityWith().verify(token)).rejects.toMatchObject(signInNeeded)
  })

  it('without the token in what is said', async () => {
    const token = await issuer.token({ aud: 'urn:other' })
    const error: unknown = await identityWith()
      .verify(token)
      .catch((thrown: unknown) => thrown)
    expect(JSON.stringify(error) + String(error)).not.toContain(token.slice(0, 40))
  })
})

describe('keys', () => {
  it('that are new are fetched when a token names one, and withdrawn ones stop counting within five minutes', async () => {
    // jose reads the system's clock for the pause between two fetches.
    vi.useFakeTimers({ toFake: ['Date'], now })
    const identity = identityWith()
    const old = await issuer.token({ exp: Math.floor(now / 1000) + 3600 })
    await identity.verify(old)
    await issuer.rotate()
    const later = (ms: number) => {
      now += ms
      vi.setSystemTime(now)
    }
    later(11_000)
    await expect(identity.verify(await issuer.token())).resolves.toMatchObject({ user: 'ana@acme' })
    await expect(identity.verify(old)).resolves.toMatchObject({ user: 'ana@acme' })
    later(300_000)
    await expect(identity.verify(old)).rejects.toMatchObject(signInNeeded)
  })

  it('are fetched once for many tokens', async () => {
    const identity = identityWith()
    const before = issuer.keyRequests()
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => issuer.token({ sub: `sub-${n}` })))
    await Promise.all(tokens.map((token) => identity.verify(token)))
    expect(issuer.keyRequests() - before).toBe(1)
  })

  it('are not asked for over and over by tokens with made-up key ids', async () => {
    const identity = identityWith()
    await identity.verify(await issuer.token())
    const before = issuer.keyRequests()
    for (let n = 0; n < 10; n++)
      await expect(identity.verify(await issuer.token({}, { kid: `made-up-${n}` }))).rejects.toMatchObject(signInNeeded)
    expect(issuer.keyRequests() - before).toBe(0)
  })
})

describe('when the identity provider', () => {
  it.each<[string, Partial<IdentitySettings['identity']>]>([
    ['fails', {}],
    ['cannot be reached', { issuer: 'http://127.0.0.1:1' }],
    ['is not https', { issuer: 'http://login.acme.example' }],
  ])('%s, it is not the caller who has to sign in', async (_, changes) => {
    issuer.fail(500)
    const identity = identityWith(changes)
    await expect(identity.verify(await issuer.token())).rejects.toMatchObject({ code: 'identity-unavailable' })
    expect(await identity.health()).toMatchObject({ ok: false })
  })

  it('calls itself by another name than configured, it is not used', async () => {
    const identity = identityWith({ issuer: issuer.url.replace('127.0.0.1', 'localhost') })
    await expect(identity.verify(await issuer.token())).rejects.toMatchObject({ code: 'identity-unavailable' })
  })

  it('works again, so does verification, after a second', async () => {
    const identity = identityWith()
    issuer.fail(503)
    const token = await issuer.token()
    await expect(identity.verify(token)).rejects.toMatchObject({ code: 'identity-unavailable' })
    issuer.fail(undefined)
    now += 1001
    await expect(identity.verify(token)).resolves.toMatchObject({ user: 'ana@acme' })
    expect(await identity.health()).toEqual({ ok: true })
  })
})
