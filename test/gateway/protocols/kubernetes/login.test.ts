import { describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/base/secret.ts'
import type { Request } from '../../../../src/gateway/protocols/http/index.ts'
import { loginWith } from '../../../../src/gateway/protocols/kubernetes/login.ts'
import type { Credential, KubernetesTarget } from '../../../../src/gateway/protocols/protocol.ts'
import { startHttpApi } from '../../../support/http-api.ts'
import { credentialOf } from '../../../support/credentials.ts'
import { openTestDoor, targetAt } from './door.ts'
import { requestFor } from './requests.ts'

const noSignal = new AbortController().signal

interface World {
  readonly credential: Credential
  readonly clock: { now(): number; elapsed(): number }
  readonly renewed: () => number
  time: number
}

/** A secret that is another one each time it is read. */
function world(secrets: readonly string[]): World {
  let read = 0
  const secret = () => new Secret(secrets[Math.min(read, secrets.length - 1)] ?? '')
  const first = secret()
  const made: World = {
    time: Date.parse('2026-01-01T00:00:00Z'),
    clock: { now: () => made.time, elapsed: () => made.time },
    renewed: () => read,
    credential: {
      ...credentialOf(first),
      async renew() {
        read += 1
        return secret()
      },
    },
  }
  return made
}

function login({ clock, credential }: World, kind: KubernetesTarget['login']) {
  return loginWith(clock, targetAt(1, { login: kind }), credential)
}

const request: Request = requestFor('GET /version')
async function said(way: ReturnType<typeof loginWith>): Promise<string | undefined> {
  const pass = await way.current(noSignal)
  return pass.sign(request.head).fields.find(([name]) => name.toLowerCase() === 'authorization')?.[1]
}

const plugin = (status: object) =>
  JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })

describe('logging in at a cluster', () => {
  it('takes a token as a file has it, with the line break behind it', async () => {
    expect(await said(login(world(['t0ken-1\n']), 'token'))).toBe('Bearer t0ken-1')
  })

  it.each([
    ['token', 'two words', 'is not a token'],
    ['token', 'a\nb', 'is not a token'],
    ['certificate', 't0ken-secret', 'is not PEM'],
    ['exec-plugin', 't0ken-secret', 'is no ExecCredential'],
    ['exec-plugin', plugin({}), 'neither a token nor a certificate'],
    ['exec-plugin', plugin({ token: 't0ken-secret', expirationTimestamp: 'soon' }), 'is no time'],
  ] as const)('refuses what cannot be one, and does not repeat it: %s %s', (kind, secret, why) => {
    const attempt = () => login(world([secret]), kind)
    expect(attempt).toThrow(why)
    expect(attempt).not.toThrow(secret)
  })

  it('reads a token again when the cluster does not take it any more, once for all who find out', async () => {
    const made = world(['old', 'new'])
    const way = login(made, 'token')
    const refused = await way.current(noSignal)
    expect(await Promise.all([way.renew(refused, noSignal), way.renew(refused, noSignal)])).toEqual([true, true])
    expect(made.renewed()).toBe(1)
    expect(await said(way)).toBe('Bearer new')
    // Whoever was refused with the old one has a new one by now.
    expect(await way.renew(refused, noSignal)).toBe(true)
    expect(made.renewed()).toBe(1)
  })

  it('does not read it for every 401 where it stays the same', async () => {
    const made = world(['same'])
    const way = login(made, 'token')
    const pass = await way.current(noSignal)
    expect(await way.renew(pass, noSignal)).toBe(false)
    expect(await way.renew(pass, noSignal)).toBe(false)
    expect(made.renewed()).toBe(1)
    made.time += 11_000
    expect(await way.renew(pass, noSignal)).toBe(false)
    expect(made.renewed()).toBe(2)
  })

  it('asks a plugin again before its token expires', async () => {
    const made = world([
      plugin({ token: 'first', expirationTimestamp: '2026-01-01T00:10:00Z' }),
      plugin({ token: 'second', expirationTimestamp: '2026-01-01T00:20:00Z' }),
      plugin({ token: 'third', expirationTimestamp: '2026-01-01T00:20:00Z' }),
    ])
    const way = login(made, 'exec-plugin')
    expect(await said(way)).toBe('Bearer first')
    made.time += 9.9 * 60_000
    expect(await said(way)).toBe('Bearer second')
    expect(await said(way)).toBe('Bearer second')
    expect(made.renewed()).toBe(1)
    made.time += 20 * 60_000
    await expect(said(way)).rejects.toThrow('has expired')
  })

  it('shows the new token of a file under a connection that stays', async () => {
    const tokens = ['old-token-1', 'new-token-2']
    let accepted = 'old-token-1'
    const api = await startHttpApi(({ headers }, response) => {
      const isKnown = headers.authorization === `Bearer ${accepted}`
      response.writeHead(isKnown ? 200 : 401, { 'content-length': '2' }).end('{}')
    })
    const { credential } = world(tokens)
    const { port } = await openTestDoor(api.port, { credential })
    const get = async () => (await fetch(`http://127.0.0.1:${port}/version`)).status
    expect(await get()).toBe(200)
    accepted = 'new-token-2'
    expect(await get()).toBe(200)
    await api.close()
  })
})

describe('who the person is', () => {
  it.each(['system:admin', '', 'a\nb'])('is not passed on as %j', async (user) => {
    const api = await startHttpApi()
    const { port } = await openTestDoor(api.port, {
      kubernetes: { impersonate: true },
      credential: credentialOf(new Secret('token-of-the-gateway'), { user }),
    })
    const answer = await fetch(`http://127.0.0.1:${port}/version`)
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({
      kind: 'Status',
      message: expect.stringContaining('is not impersonated'),
    })
    expect(api.seen).toEqual([])
    await api.close()
  })
})
