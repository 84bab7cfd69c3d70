/** The servers of the HTTP tests by themselves, without hoop: clients get from them what the tests claim. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { createScope } from '../../../src/base/scope.ts'
import { startFileServer } from '../../support/file-server.ts'
import { hasNginx } from '../../support/nginx.ts'
import { startWebServer } from '../../support/web-server.ts'
import { dailyWork, type Road } from './daily-work.ts'

describe.runIf(hasNginx())('straight to the servers', () => {
  const scope = createScope()
  let road: Road
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hoop-e2e-http-'))
    scope.defer(() => rm(folder, { recursive: true }))
    const server = await startWebServer()
    scope.defer(() => server.stop())
    const files = await startFileServer()
    scope.defer(() => files.stop())
    road = { url: server.url, server, filesUrl: files.url, files, folder }
  })
  afterAll(() => scope.close())
  dailyWork(() => road)
})
