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
import { confirmInBrowser } from './device-visitor.ts'
import { createMemoryAdapter } from './memory-adapter.ts'
import type { DemoPerson } from './people.ts'
import { choosePerson, escapeHtml, page } from './sign-in-pages.ts'

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
