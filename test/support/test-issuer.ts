/** A small identity provider on loopback: a discovery document, keys that can be rotated, and tokens signed with them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export interface TestIssuer {
  readonly url: string
  /** How often keys were asked for. */
  readonly keyRequests: () => number
  /** A token as the gateway wants it, but for what is changed here; a claim that is undefined is left out. */
  token(claims?: JWTPayload, header?: { alg?: string; kid?: string }): Promise<string>
  /** The public key as published, for attempts to misuse it. */
  publicJwk(): JWK
  /** New keys; the old ones are withdrawn. */
  rotate(): Promise<void>
  /** Answers everything with this status; undefined: works again. */
  fail(status: number | undefined): void
  stop(): Promise<void>
}

export const audience = 'urn:hoop:gateway'

export async function startTestIssuer(): Promise<TestIssuer> {
  let keys: { privateKey: CryptoKey; jwk: JWK; kid: string }
  let serial = 0
  let asked = 0
  let failing: number | undefined

  async function rotate() {
    serial += 1
    const kid = `key-${serial}`
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    keys = { privateKey, kid, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } }
  }
  await rotate()

  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (failing !== undefined) {
      response.statusCode = failing
      response.end('{}')
    } else if (request.url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/jwks` }))
    } else if (request.url === '/jwks') {
      asked += 1
      response.end(JSON.stringify({ keys: [keys.jwk] }))
    } else {
      response.statusCode = 404
      response.end('{}')
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `http://127.0.0.1:${address.port}`

  return {
    url,
    keyRequests: () => asked,
    publicJwk: () => keys.jwk,
    rotate,
    async token(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const all = {
        iss: url,
        aud: audience,
        sub: 'sub-ana',
        email: 'ana@acme',
        groups: ['engineering'],
        iat: now,
        exp: now + 600,
        ...claims,
      }
      return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: keys.kid, ...header }).sign(keys.privateKey)
    },
    fail(status) {
      failing = status
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
