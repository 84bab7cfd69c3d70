/**
 * The demo's OpenID provider: `oidc-provider`, a certified implementation, with a few people and no passwords. Only for
 * the demo and the tests: whoever reaches its page can sign in as anyone. It keeps everything in memory.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { Provider } from 'oidc-provider'
import { hoopError } from '../contract/error-codes.ts'
import { createMemoryAdapter } from './memory-adapter.ts'

export interface DemoPerson {
  readonly user: string
  readonly groups: readonly string[]
}

export interface IdentityProviderOptions {
  readonly people: readonly DemoPerson[]
  /** Seconds that an access token lives. */
  readonly accessTokenTtl?: number
  /** Seconds that a device code can be used. */
  readonly deviceCodeTtl?: number
  readonly port?: number
}

export interface IdentityProvider {
  readonly issuer: string
  readonly clientId: string
  readonly audience: string
  /** Does what a person does with the printed link: opens it, confirms the code, says who they are. */
  confirmDevice(verificationUriComplete: string, user: string): Promise<void>
  /** Signs this person in by device flow, without a terminal. */
  tokensFor(user: string): Promise<{ accessToken: string; refreshToken: string; expiresIn: number }>
  stop(): Promise<void>
}

const clientId = 'hoop-cli'
const audience = 'urn:hoop:gateway'
const scopes = 'openid email profile offline_access'

export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const server = createServer()
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw hoopError('internal', 'the identity provider has no port')
  const issuer = `http://127.0.0.1:${address.port}`

  const provider = await createProvider(issuer, options)
  const answer = provider.callback()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const handled = request.url?.startsWith('/interaction/')
      ? choosePerson(provider, options.people, request, response)
      : answer(request, response)
    Promise.resolve(handled).catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })

  const confirmDevice = (link: string, user: string) => confirmInBrowser(issuer, link, user)
  return {
    issuer,
    clientId,
    audience,
    confirmDevice,
    tokensFor: (user) => signIn(issuer, (link) => confirmDevice(link, user)),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function createProvider(issuer: string, options: IdentityProviderOptions): Promise<Provider> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const key = { ...(await exportJWK(privateKey)), kid: randomBytes(6).toString('hex'), alg: 'ES256', use: 'sig' }
  const groupsOf = (user: string) => [...(options.people.find((person) => person.user === user)?.groups ?? [])]
  const claimsOf = (user: string) => ({
    email: user,
    email_verified: true,
    name: user.split('@')[0],
    groups: groupsOf(user),
  })
  const scope = scopes

  return new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        redirect_uris: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    adapter: createMemoryAdapter(),
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(24).toString('hex')] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    scopes: scopes.split(' '),
    findAccount: (_context, user) => ({ accountId: user, claims: () => ({ sub: user, ...claimsOf(user) }) }),
    // Access tokens are JWTs that carry what the gateway reads: who, and in which groups.
    extraTokenClaims: (_context, token) => ('accountId' in token && token.accountId ? claimsOf(token.accountId) : {}),
    issueRefreshToken: () => Promise.resolve(true),
    rotateRefreshToken: true,
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    // Whoever says who they are has agreed: the demo has no second question.
    loadExistingGrant: async (context) => {
      const { client, session, params } = context.oidc
      if (client === undefined || session?.accountId === undefined) return undefined
      const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope(typeof params?.scope === 'string' ? params.scope : scopes)
      grant.addResourceScope(audience, scopes)
      await grant.save()
      return grant
    },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: async (context, form) => {
          context.body = page('Sign in to hoop', `${form}<button form="op.deviceInputForm">Continue</button>`)
        },
        userCodeConfirmSource: async (context, form, _client, _device, code) => {
          const question = `<p>Is this the code in your terminal?</p><p class="code">${escapeHtml(code)}</p>`
          context.body = page(
            'Sign in to hoop',
            `${question}${form}<button form="op.deviceConfirmForm">Yes, go on</button>`,
          )
        },
        successSource: async (context) => {
          context.body = page('Signed in', '<p>You can close this page and go back to your terminal.</p>')
        },
      },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => Promise.resolve(audience),
        useGrantedResource: () => Promise.resolve(true),
        getResourceServerInfo: () =>
          Promise.resolve({
            scope,
            audience,
            accessTokenFormat: 'jwt' as const,
            jwt: { sign: { alg: 'ES256' as const } },
          }),
      },
    },
    ttl: {
      AccessToken: options.accessTokenTtl ?? 3600,
      DeviceCode: options.deviceCodeTtl ?? 600,
      RefreshToken: 86_400,
      Session: 86_400,
      Grant: 86_400,
      Interaction: 600,
      IdToken: 3600,
    },
  })
}

/** The page on which a visitor says who they are. */
async function choosePerson(
  provider: Provider,
  people: readonly DemoPerson[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'POST') {
    const user = new URLSearchParams(await bodyOf(request)).get('user')
    if (people.some((person) => person.user === user)) {
      await provider.interactionFinished(request, response, { login: { accountId: user ?? '' }, consent: {} })
      return
    }
  }
  await provider.interactionDetails(request, response)
  const buttons = people
    .map(
      ({ user, groups }) =>
        `<button name="user" value="${escapeHtml(user)}">${escapeHtml(user)} <small>${escapeHtml(groups.join(', '))}</small></button>`,
    )
    .join('')
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end(page('Who are you?', `<form method="post">${buttons}</form>`))
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) {
    body += chunk
    if (body.length > 10_000) throw hoopError('usage', 'the form is too large')
  }
  return body
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function page(title: string, content: string): string {
  return `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:18px/1.5 system-ui;max-width:26rem;margin:15vh auto;padding:0 1rem}button{display:block;width:100%;font:inherit;padding:.6rem;margin:.5rem 0}
.code{font:bold 1.6rem ui-monospace,monospace;letter-spacing:.1em}small{opacity:.6}</style><h1>${title}</h1>${content}`
}

/** Walks the provider's pages as a browser would, with its own cookies. */
async function confirmInBrowser(issuer: string, link: string, user: string): Promise<void> {
  const cookies = new Map<string, string>()
  const visit = async (url: string, form?: Record<string, string>): Promise<{ url: string; text: string }> => {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = cookie.match(/^([^=]+)=([^;]*)/) ?? []
      cookies.set(name, value)
    }
    const next = response.headers.get('location')
    if (next !== null) return visit(new URL(next, url).href)
    return { url, text: await response.text() }
  }
  const fieldsOf = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    )

  const opened = await visit(link)
  const question = await visit(`${issuer}/device`, fieldsOf(opened.text))
  const who = await visit(`${issuer}/device`, fieldsOf(question.text))
  const end = await visit(who.url, { user })
  if (!end.text.includes('Signed in'))
    throw hoopError('sign-in-failed', `the demo's identity provider did not sign ${user} in`)
}

async function signIn(
  issuer: string,
  confirm: (link: string) => Promise<void>,
): Promise<Awaited<ReturnType<IdentityProvider['tokensFor']>>> {
  const post = async (path: string, form: Record<string, string>): Promise<Record<string, unknown>> => {
    const response = await fetch(`${issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: clientId, ...form }),
    })
    const answer = (await response.json()) as Record<string, unknown>
    if (!response.ok) throw hoopError('sign-in-failed', `the demo's identity provider said ${JSON.stringify(answer)}`)
    return answer
  }
  const device = await post('/device/auth', { scope: scopes, resource: audience })
  await confirm(String(device.verification_uri_complete))
  const tokens = await post('/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: String(device.device_code),
  })
  return {
    accessToken: String(tokens.access_token),
    refreshToken: String(tokens.refresh_token),
    expiresIn: Number(tokens.expires_in),
  }
}
