/** Each way to log in, at a server that says what it was told; and what happens when a credential is exchanged. */
import { createServer, type IncomingMessage } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'
import { afterEach, describe, expect, it } from 'vitest'
import { Secret } from '../../../../../src/base/secret.ts'
import { createMemoryAdapter } from '../../../../../src/demo/memory-adapter.ts'
import type { Target } from '../../../../../src/gateway/protocols/protocol.ts'
import { ask, createWorld, type Ends, field, httpLogin, listen, targetAt } from '../../../../support/http-listener.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

async function serve(answer: (request: IncomingMessage) => { status?: number; text?: string }): Promise<number> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const { status = 200, text = '' } = answer(request)
      response.writeHead(status).end(text)
    })
  })
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return await listen(server)
}

function open(target: Target, ends: Ends, world = createWorld()) {
  const upstream = world.open(target, ends)
  cleanups.push(() => upstream.close())
  return upstream
}

const secret = 'p\u00e4ss word/1'
const mine = [
  ['Authorization', 'Basic bWluZTptaW5l'],
  ['Proxy-Authorization', 'Basic bWluZQ=='],
  ['X-Api-Key', 'mine'],
] as const

describe('a login', () => {
  it.each([
    ['none', {}, { authorization: 'Basic bWluZTptaW5l', key: 'mine', url: '/?token=mine' }],
    ['bearer', {}, { authorization: `Bearer ${secret}`, key: 'mine', url: '/?token=mine' }],
    [
      'basic',
      {},
      {
        authorization: `Basic ${Buffer.from(`robot:${secret}`).toString('base64')}`,
        key: 'mine',
        url: '/?token=mine',
      },
    ],
    ['header', { name: 'X-API-Key' }, { authorization: 'Basic bWluZTptaW5l', key: secret, url: '/?token=mine' }],
    [
      'query',
      { name: 'token' },
      { authorization: 'Basic bWluZTptaW5l', key: 'mine', url: `/?token=${encodeURIComponent(secret)}` },
    ],
  ] as const)('%s puts the credential in its place', async (login, given, expected) => {
    const seen: unknown[] = []
    const port = await serve(({ headers, url }) => {
      const [authorization, key] = [headers.authorization, headers['x-api-key']].map((value) =>
        Buffer.from(String(value), 'latin1').toString(),
      )
      seen.push({ authorization, key, url, proxy: headers['proxy-authorization'] })
      return {}
    })
    const target = targetAt(port, { user: 'robot', ...httpLogin(login, given) })
    await ask(open(target, { secret }), { target: '/?token=mine', fields: mine })
    expect(seen).toEqual([{ ...expected, proxy: undefined }])
  })

  it.each(['bearer', 'basic', 'header', 'query', 'oauth2', 'certificate'] as const)(
    '%s without a credential is refused in words, before anything is sent',
    (login) => {
      const target = targetAt(
        1,
        httpLogin(login, { name: 'key', oauth2: { tokenUrl: 'http://127.0.0.1:1', clientId: 'c' } }),
      )
      expect(() => createWorld().open(target)).toThrow(/"api-test" has no credential/)
    },
  )

  it('with what cannot be one is refused without repeating it', () => {
    const world = createWorld()
    const openWith = (login: 'bearer' | 'certificate', given: string) => () =>
      world.open(targetAt(1, httpLogin(login)), { secret: given })
    expect(openWith('bearer', 'one\r\nX-Evil: two')).toThrow(
      /^the credential of target "api-test" is more than one line$/,
    )
    expect(openWith('certificate', 'hunter2')).toThrow(
      /^the credential of target "api-test" is not PEM of a certificate and its private key$/,
    )
  })
})

describe('a credential that was exchanged while the connection lives', () => {
  const world = (good: string) => {
    const state = { good, seen: [] as string[], read: 0, now: 1e6 }
    const start = async () => {
      const port = await serve(({ headers }) => {
        const token = String(headers.authorization).slice(7)
        state.seen.push(token)
        return token === state.good ? { text: 'welcome' } : { status: 401, text: `who is ${token}?` }
      })
      const renew = () => {
        state.read++
        return Promise.resolve(new Secret(state.good))
      }
      const made = createWorld(2000, () => state.now)
      return open(targetAt(port, httpLogin('bearer')), { secret: 'first-token', renew }, made)
    }
    return { state, start }
  }

  it('is read again when the target says 401, and the request sent again', async () => {
    const { state, start } = world('second-token')
    const upstream = await start()
    const heard = await ask(upstream, { method: 'POST', content: Buffer.from('body') })
    expect([heard.head?.status, heard.text]).toEqual([200, 'welcome'])
    expect(state.seen).toEqual(['first-token', 'second-token'])
    expect((await ask(upstream)).head?.status).toBe(200)
    expect(state.read).toBe(1)
  })

  it('is the answer where it has not changed, and not read for each', async () => {
    const { state, start } = world('another')
    const upstream = await start()
    state.good = 'first-token'
    expect((await ask(upstream)).head?.status).toBe(200)
    state.good = 'nobody-knows'
    const renewed = await ask(upstream)
    expect(renewed.head?.status).toBe(200)
    expect(state.seen).toEqual(['first-token', 'first-token', 'nobody-knows'])
  })

  it('does not make a request go twice whose body has gone', async () => {
    const { state, start } = world('second-token')
    const upstream = await start()
    async function* parts() {
      yield Buffer.from('one')
    }
    const heard = await ask(upstream, { method: 'POST', content: parts() })
    expect([heard.head?.status, heard.text]).toEqual([401, `who is ${'*'.repeat(11)}?`])
    expect(state.seen).toEqual(['first-token'])
  })

  it('is not asked for more than once while it stays the same', async () => {
    let read = 0
    const port = await serve(() => ({ status: 401, text: 'no' }))
    const renew = () => {
      read++
      return Promise.resolve(new Secret('the-same-token'))
    }
    const upstream = open(targetAt(port, httpLogin('bearer')), { secret: 'the-same-token', renew })
    for (let at = 0; at < 3; at++) expect((await ask(upstream)).text).toBe('no')
    expect(read).toBe(1)
  })

  it('leaves the 401 to the client where it cannot be read', async () => {
    const port = await serve(() => ({ status: 401, text: 'no' }))
    const renew = () => Promise.reject(new Error('the vault is closed'))
    const upstream = open(targetAt(port, httpLogin('bearer')), { secret: 'some-token', renew })
    expect((await ask(upstream)).text).toBe('no')
  })
})

describe('OAuth 2 client credentials', () => {
  const clientSecret = 'client secret / with + signs'

  /** A real authorization server; counts the tokens it gives. */
  async function startIssuer(ttl = 600) {
    const server = createServer()
    const port = await listen(server)
    const issuer = `http://127.0.0.1:${port}`
    const { privateKey } = await generateKeyPair('ES256', { extractable: true })
    const provider = new Provider(issuer, {
      adapter: createMemoryAdapter(),
      jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
      clients: [
        {
          client_id: 'gateway',
          client_secret: clientSecret,
          token_endpoint_auth_method: 'client_secret_basic',
          grant_types: ['client_credentials'],
          response_types: [],
          redirect_uris: [],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      scopes: ['read', 'write'],
      features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
      ttl: { ClientCredentials: ttl },
    })
    const given = { count: 0 }
    provider.on('client_credentials.saved', () => {
      given.count++
    })
    server.on('request', provider.callback())
    cleanups.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return {
      given,
      login: (scope?: string) =>
        httpLogin('oauth2', { oauth2: { tokenUrl: `${issuer}/token`, clientId: 'gateway', scope } }),
    }
  }

  it('are exchanged for a token that all connections use until it is about to expire', async () => {
    const { given, login } = await startIssuer(600)
    const seen: string[] = []
    const port = await serve(({ headers }) => {
      seen.push(String(headers.authorization))
      return { text: String(headers.authorization) }
    })
    let now = 0
    const world = createWorld(2000, () => now)
    const [one, two] = [1, 2].map(() => open(targetAt(port, login('read')), { secret: clientSecret }, world))
    if (one === undefined || two === undefined) throw new Error('two connections')
    const heard = await Promise.all([ask(one, { fields: mine }), ask(two)])
    expect(given.count).toBe(1)
    expect(new Set(seen).size).toBe(1)
    expect(seen[0]).toMatch(/^Bearer [\w-]{20,}$/)
    expect(heard[0]?.text).toMatch(/^Bearer \*+$/)
    now = 565_000
    await ask(one)
    expect(given.count).toBe(1)
    now = 575_000
    await ask(one)
    expect(given.count).toBe(2)
    expect(new Set(seen).size).toBe(2)
  })

  it('are exchanged anew for a token that the target does not take, once', async () => {
    const { given, login } = await startIssuer()
    let takes = 0
    const seen: string[] = []
    const port = await serve(({ headers }) => {
      seen.push(String(headers.authorization))
      return seen.length <= takes ? {} : { status: 401 }
    })
    let now = 0
    const upstream = open(
      targetAt(port, login()),
      { secret: clientSecret },
      createWorld(2000, () => now),
    )
    takes = 1
    expect((await ask(upstream)).head?.status).toBe(200)
    now = 60_000
    expect((await ask(upstream)).head?.status).toBe(401)
    expect([given.count, new Set(seen).size, seen.length]).toEqual([2, 2, 3])
    // It has just been renewed: another one would not be taken either.
    expect((await ask(upstream)).head?.status).toBe(401)
    expect([given.count, seen.length]).toEqual([2, 4])
  })

  it('that the token endpoint does not take are a failure that says so and nothing more', async () => {
    const { login } = await startIssuer()
    const wrong = 'not the client secret'
    const { failure } = await ask(open(targetAt(1, login()), { secret: wrong }))
    expect(failure).toMatchObject({ code: 'target-refused', unsent: true })
    expect(failure?.message).toMatch(/^no access token for target "api-test" \(the token endpoint/)
    expect(JSON.stringify(failure)).not.toContain(wrong)
  })

  it('are not sent to a token endpoint without TLS that is not on this machine', async () => {
    const oauth2 = { tokenUrl: 'http://192.0.2.1/token', clientId: 'gateway' }
    const { failure } = await ask(open(targetAt(1, httpLogin('oauth2', { oauth2 })), { secret: clientSecret }))
    expect(failure?.code).toBe('target-refused')
  })

  it('with a token endpoint that cannot be reached are a failure, and asked for again next time', async () => {
    const closed = createServer()
    const port = await listen(closed)
    closed.close()
    const oauth2 = { tokenUrl: `http://127.0.0.1:${port}/token`, clientId: 'gateway' }
    const upstream = open(targetAt(1, httpLogin('oauth2', { oauth2 })), { secret: clientSecret })
    for (let at = 0; at < 2; at++) {
      const heard = await ask(upstream)
      expect(heard.failure?.message).toContain('ECONNREFUSED')
      expect(field(heard, 'date')).toBeUndefined()
    }
  })
})
