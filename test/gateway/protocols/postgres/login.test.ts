import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { connect as connectTcp } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/base/secret.ts'
import { startPostgres } from '../../../../src/demo/postgres.ts'
import { login } from '../../../../src/gateway/protocols/postgres/login.ts'
import { createScram } from '../../../../src/gateway/protocols/postgres/scram.ts'
import { createSide, sideOptions } from '../../../../src/gateway/protocols/postgres/side.ts'
import type { Target, TlsSettings } from '../../../../src/gateway/protocols/protocol.ts'
import { credentialOf } from '../../../support/credentials.ts'

function targetAt(place: { host: string; port: number; user: string }, tls: TlsSettings = { mode: 'disable' }): Target {
  return { name: 'pg-login', protocol: 'postgres', ...place, tls, databases: [] }
}

async function logIn(target: Target, password: string | undefined) {
  const loggedIn = await login({
    target,
    credential: credentialOf(password === undefined ? undefined : new Secret(password)),
    database: Buffer.from('postgres'),
    options: [],
    signal: AbortSignal.timeout(10_000),
  })
  loggedIn.outlet.destroy()
  return loggedIn.pid
}

describe.each(['scram-sha-256', 'md5', 'password', 'trust'] as const)('a target that wants %s', (auth) => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  beforeAll(async () => {
    server = await startPostgres({ auth, settings: { fsync: 'off' } })
  }, 60_000)
  afterAll(() => server.stop())

  it('lets the gateway in', async () => {
    expect(await logIn(targetAt(server), auth === 'trust' ? undefined : server.password)).toBeGreaterThan(0)
  })

  // A server that trusts everybody has nothing to refuse.
  const itChecks = auth === 'trust' ? undefined : it
  itChecks?.('refuses a wrong password, and the error does not repeat it', async () => {
    const error = await logIn(targetAt(server), 'not-the-password').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'target-refused' })
    expect(String(error)).not.toContain('not-the-password')
  })

  itChecks?.('says that a secret is missing', async () => {
    await expect(logIn(targetAt(server), undefined)).rejects.toMatchObject({ code: 'target-refused' })
  })

  it('answers questions on the side, read-only and one after the other', async () => {
    const side = createSide((signal) =>
      login({
        target: targetAt(server),
        credential: credentialOf(new Secret(server.password)),
        database: Buffer.from('postgres'),
        options: sideOptions,
        signal,
      }),
    )
    const connection = await side.open()
    const answers = await Promise.all([connection.query('SELECT $1::text, NULL', ['é']), connection.query('SELECT 2')])
    expect(answers).toEqual([[['é', null]], [['2']]])
    await expect(connection.query('CREATE TABLE side (n int)')).rejects.toMatchObject({ code: 'target-refused' })
    expect(await connection.query('SHOW statement_timeout')).toEqual([['5s']])
    side.close()
  })
})

const hasOpenssl = spawnSync('openssl', ['version']).error === undefined
if (!hasOpenssl) console.warn('skipped: TLS to a target needs openssl to make a certificate')

describe.skipIf(!hasOpenssl && process.env.CI === undefined)('TLS', () => {
  let folder: string
  let port: number
  let server: ReturnType<typeof createServer>
  let postgres: Awaited<ReturnType<typeof startPostgres>>

  /** A real TLS end in front of a real server: the embedded one needs files that its account may read. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hoop-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '1'],
        ...['-subj', '/CN=db.test', '-addext', 'subjectAltName=DNS:db.test'],
      ],
      { stdio: 'ignore' },
    )
    const [keyPem, certPem] = [await readFile(key), await readFile(cert)]
    await writeFile(join(folder, 'ca.pem'), certPem)
    postgres = await startPostgres({ settings: { fsync: 'off' } })
    server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.pause()
        socket.write('S')
        const tls = new TLSSocket(socket, { isServer: true, key: keyPem, cert: certPem, ALPNProtocols: ['postgresql'] })
        const behind = connectTcp(postgres.port, postgres.host)
        for (const end of [tls, behind]) end.on('error', () => undefined)
        tls.pipe(behind).pipe(tls)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    port = address !== null && typeof address === 'object' ? address.port : 0
  }, 60_000)
  afterAll(async () => {
    server.close()
    await postgres.stop()
    await rm(folder, { recursive: true })
  })

  const at = (tls: TlsSettings) => targetAt({ host: '127.0.0.1', port, user: 'postgres' }, tls)

  it('verify-full takes a certificate of the right authority and name', async () => {
    const ca = await readFile(join(folder, 'ca.pem'), 'utf8')
    const target = at({ mode: 'verify-full', ca, serverName: 'db.test' })
    expect(await logIn(target, postgres.password)).toBeGreaterThan(0)
  })

  it('verify-full refuses another name, and an authority that nobody trusts', async () => {
    const ca = await readFile(join(folder, 'ca.pem'), 'utf8')
    await expect(logIn(at({ mode: 'verify-full', ca }), postgres.password)).rejects.toMatchObject({
      code: 'target-unreachable',
    })
    await expect(logIn(at({ mode: 'verify-full', serverName: 'db.test' }), postgres.password)).rejects.toMatchObject({
      code: 'target-unreachable',
    })
  })

  it('require encrypts without checking', async () => {
    expect(await logIn(at({ mode: 'require' }), postgres.password)).toBeGreaterThan(0)
  })

  it('a target without TLS is refused when its settings demand it', async () => {
    await expect(logIn(targetAt(postgres, { mode: 'require' }), postgres.password)).rejects.toMatchObject({
      code: 'target-refused',
      message: expect.stringContaining('does not offer TLS'),
    })
  })
})

describe('SCRAM', () => {
  // RFC 7677, section 3 (its user name is not sent by PostgreSQL clients, which changes the proof but not the rules).
  const start = { mechanisms: ['SCRAM-SHA-256'], nonce: 'rOprNGfwEbeRWgbNEkqO', certificate: undefined }
  const serverFirst = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'

  it('refuses a server that cannot prove itself', async () => {
    const scram = createScram(start)
    await scram.answer(serverFirst, 'pencil')
    expect(() => scram.check('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toThrow(/impostor/)
  })

  it.each([
    ['a nonce that is not ours', 'r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['a nonce that is only ours', 'r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['a billion iterations', serverFirst.replace('4096', '1000000000')],
  ])('refuses %s', async (_, first) => {
    await expect(createScram(start).answer(first, 'pencil')).rejects.toMatchObject({ code: 'target-refused' })
  })
})
