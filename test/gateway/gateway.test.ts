import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { paths } from '../../src/contract/api.ts'
import { type AuditRecord, recordSchema } from '../../src/contract/record.ts'
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts'
import { makeCertificate } from '../support/certificate.ts'
import { audience, startTestIssuer, type TestIssuer } from '../support/test-issuer.ts'

let folder: string
let issuer: TestIssuer
let gateway: Gateway | undefined

const rule = { name: 'all', effect: 'allow' }
const settings = (part: Record<string, unknown> = {}) => ({
  listen: { port: 0 },
  identity: { issuer: issuer.url, clientId: 'hoop', audience },
  roles: { admin: { groups: ['ops'] } },
  store: { path: 'hoop.sqlite' },
  targets: [
    {
      name: 'pg-prod',
      protocol: 'postgres',
      host: '127.0.0.1',
      port: 1,
      user: 'app',
      secret: 'env://PG_PASSWORD',
      access: { groups: ['ops'] },
    },
  ],
  rules: [rule],
  ...part,
})
// JSON is YAML.
const write = (part?: Record<string, unknown>) => writeFile(join(folder, 'hoop.yaml'), JSON.stringify(settings(part)))
const logText = () => readFile(join(folder, 'gateway.log'), 'utf8')

async function start(): Promise<Gateway> {
  gateway = await startGateway({
    configFile: join(folder, 'hoop.yaml'),
    env: { PG_PASSWORD: 'correct-horse' },
    version: '1.2.3',
    log: { file: join(folder, 'gateway.log') },
  })
  return gateway
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const token = await issuer.token({ sub: 'sub-ana', email: 'ana@demo', groups: ['ops'] })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return await fetch(`${gateway?.url}${path}`, { headers, ...init })
}

async function records(): Promise<AuditRecord[]> {
  const lines = (await (await ask(paths.records)).text()).split('\n').filter((line) => line !== '')
  return lines.map((line) => recordSchema.parse(JSON.parse(line)))
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-gateway-'))
  issuer = await startTestIssuer()
  await write()
})
afterEach(async () => {
  await gateway?.close()
  gateway = undefined
  await issuer.stop()
  await rm(folder, { recursive: true })
})

describe('a gateway', () => {
  it('is ready, knows who asks, and says how to sign in', async () => {
    await start()
    expect(await (await ask('/readyz')).json()).toMatchObject({ ready: true })
    expect(await (await ask(paths.me)).json()).toMatchObject({ user: 'ana@demo', roles: ['admin'], version: '1.2.3' })
    expect(await (await ask(paths.wellKnown)).json()).toMatchObject({ issuer: issuer.url, clientId: 'hoop', audience })
    expect(await (await ask(paths.targets)).json()).toMatchObject([{ name: 'pg-prod', whyNot: null }])
  })

  it('writes down when it starts and stops, with the configuration', async () => {
    await start()
    await gateway?.close()
    await start()
    expect(await records()).toMatchObject([
      {
        type: 'admin',
        action: 'gateway.start',
        detail: expect.stringMatching(/^hoop 1\.2\.3 with configuration [0-9a-f]{64}$/),
      },
      { type: 'admin', action: 'gateway.stop' },
      { type: 'admin', action: 'gateway.start' },
    ])
  })

  it('keeps a session over a restart', async () => {
    await start()
    const body = JSON.stringify({ targets: ['pg-prod'], reason: null, agent: null })
    const session = (await (await ask(paths.sessions, { method: 'POST', body })).json()) as { id: string }
    await gateway?.close()
    await start()
    expect(await (await ask(paths.session(session.id))).json()).toMatchObject({ id: session.id, ended: null })
  })

  it('takes a changed file without a restart', async () => {
    await start()
    await write({ rules: [] })
    const whyNot = async () => ((await (await ask(paths.targets)).json()) as { whyNot: string | null }[])[0]?.whyNot
    await vi.waitFor(async () => expect(await whyNot()).toMatch(/no rule/), 5000)
    expect((await records()).at(-1)).toMatchObject({ action: 'config.reload' })
  })

  it('keeps what it has when told to reload a bad file, and says why', async () => {
    await start()
    await write({ ruels: [] })
    expect(await gateway?.reload()).toMatchObject({ refused: expect.stringContaining('did you mean "rules"') })
    expect(await (await ask(paths.targets)).json()).toMatchObject([{ whyNot: null }])
    expect((await records()).at(-1)).toMatchObject({ action: 'config.refused' })
    expect(await logText()).toContain('did you mean')
  })

  it('does not start with a bad file, and names the mistake', async () => {
    await write({ targets: [{ name: 'x' }] })
    await expect(start()).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('that cannot listen closes what it had opened: the next one gets the store', async () => {
    const first = await start()
    await write({ listen: { port: first.port }, store: { path: 'other.sqlite' } })
    const options = { configFile: join(folder, 'hoop.yaml'), env: {}, log: { file: join(folder, 'other.log') } }
    await expect(startGateway(options)).rejects.toMatchObject({ code: 'port-in-use' })
    await write({ store: { path: 'other.sqlite' } })
    const second = await startGateway(options)
    await second.close()
  })

  it('does not share its store with another', async () => {
    await start()
    const options = { configFile: join(folder, 'hoop.yaml'), env: {}, log: { file: join(folder, 'other.log') } }
    await expect(startGateway(options)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('has neither its secrets nor bearer tokens in its store or log', async () => {
    await start()
    const body = JSON.stringify({ targets: ['pg-prod'], reason: null, agent: null })
    await ask(paths.sessions, { method: 'POST', body })
    const token = await issuer.token({ sub: 'sub-ana', email: 'ana@demo', groups: ['ops'] })
    await gateway?.close()
    for (const name of ['gateway.log', 'hoop.sqlite']) {
      const bytes = await readFile(join(folder, name))
      expect(bytes.length).toBeGreaterThan(0)
      expect(bytes.includes('correct-horse')).toBe(false)
      expect(bytes.includes(token.slice(0, 40))).toBe(false)
      expect(bytes.includes('Bearer ')).toBe(false)
    }
  })
})

const certificates = [makeCertificate(), makeCertificate()]
afterAll(() => {
  for (const each of certificates) each?.remove()
})

describe.skipIf(certificates.includes(undefined))("the gateway's own certificate", () => {
  const install = async (number: number) => {
    const { cert = '', key = '' } = certificates[number] ?? {}
    await copyFile(cert, join(folder, 'cert.pem'))
    await copyFile(key, join(folder, 'key.pem'))
  }
  const shown = async () => {
    const socket = connect({ port: gateway?.port ?? 0, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { raw } = socket.getPeerCertificate()
    socket.destroy()
    return raw.equals(new X509Certificate(certificates[0]?.ca ?? '').raw) ? 'first' : 'second'
  }

  it('is exchanged by a reload, and a pair that does not fit is not', async () => {
    await write({ listen: { port: 0, tls: { cert: 'cert.pem', key: 'key.pem' } } })
    await install(0)
    const { reload } = await start()
    expect(await shown()).toBe('first')
    await copyFile(certificates[1]?.key ?? '', join(folder, 'key.pem'))
    expect(await reload()).toEqual({ refused: expect.stringContaining('certificate and key cannot be used together') })
    expect(await shown()).toBe('first')
    await install(1)
    // By the watch or by this, whichever is first.
    await reload()
    expect(await shown()).toBe('second')
  })
})
