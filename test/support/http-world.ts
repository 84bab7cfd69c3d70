/**
 * The whole road for HTTP: a client program → `hoop connect` → `hoop gateway`, both as processes of the built program → servers
 * of the tests. One server stands behind several targets that differ in what the gateway does there.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createScope } from '../../src/base/scope.ts'
import { freePort } from '../../src/demo/postgres.ts'
import { type FileServer, startFileServer } from './file-server.ts'
import { type Road, startRoad } from './road.ts'
import { startWebServer, type WebServer } from './web-server.ts'

export type HttpTarget = 'open' | 'files' | 'ruled' | 'masked' | 'secured' | 'dead'

export interface HttpWorld extends Road<HttpTarget> {
  readonly folder: string
  readonly server: WebServer
  readonly files: FileServer
  stop(): Promise<void>
}

/** What the gateway knows and the client never sees. */
export const apiKey = 'key-that-nobody-sees'

const rules = [
  {
    name: 'no-admin-paths',
    effect: 'deny',
    match: { targets: ['ruled'], objects: ['/admin/**', '/admin'] },
    message: 'ask for what you need',
  },
  {
    name: 'deleting-customers',
    effect: 'hold',
    match: { targets: ['ruled'], verbs: ['DELETE'] },
    approvers: { groups: ['dba'] },
    expires: '10m',
  },
  { name: 'the-rest', effect: 'allow' },
]

export async function startHttpWorld(): Promise<HttpWorld> {
  const scope = createScope()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-e2e-http-'))
    scope.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
    const server = await startWebServer()
    scope.defer(() => server.stop())
    const files = await startFileServer()
    scope.defer(() => files.stop())

    const keyFile = join(folder, 'api-key')
    await writeFile(keyFile, apiKey, { mode: 0o600 })
    const target = (name: HttpTarget, change: object = {}) => ({
      name,
      protocol: 'http',
      host: server.host,
      port: server.port,
      tls: { mode: 'disable' },
      access: { groups: ['engineering'] },
      ...change,
    })
    const road = await startRoad<HttpTarget>(scope, folder, {
      targets: [
        target('open'),
        target('files', { port: files.port }),
        target('ruled'),
        target('masked'),
        target('secured', { secret: `file://${keyFile}`, http: { login: 'header', name: 'X-Api-Key' } }),
        target('dead', { port: await freePort() }),
      ],
      rules,
      masks: [
        { name: 'passwords', match: { targets: ['masked'] }, fields: ['password'], style: 'redact' },
        { name: 'contact-data', match: { targets: ['masked'] }, detectors: ['email'], style: 'partial' },
      ],
    })
    return { ...road, folder, server, files, stop: () => scope.close() }
  } catch (error) {
    await scope.close()
    throw error
  }
}
