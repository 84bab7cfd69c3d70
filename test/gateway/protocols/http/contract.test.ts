import { pourBytes, startHttpApi } from '../../../support/http-api.ts'
import { contract, type Stage } from '../contract.ts'
import { createTestHttp, targetAt } from './door.ts'
import { openRequestClient } from './request-client.ts'

// One of the suite's targets never answers.
const http = createTestHttp({ answerTimeoutMs: 1000 })

contract('http', () => http, createStage)

async function createStage(): Promise<Stage> {
  const login = { user: 'gateway', password: 'open-sesame-7' }
  let hasDeleted = false
  const api = await startHttpApi((request, response) => {
    const large = /^\/large\/(\d+)$/.exec(request.url ?? '')?.[1]
    if (request.method === 'DELETE') hasDeleted = true
    if (large === undefined) response.end('done')
    else pourBytes(response.writeHead(200, { 'content-length': large }), Number(large))
  }, login)
  return {
    target: targetAt(api.port, { login: 'basic' }, { user: login.user }),
    secret: login.password,
    harmless: 'GET /harmless;p=1/%C3%A9?q=a%2Fb&q=+',
    harmful: 'DELETE /things/1',
    remark: (text, remark) => `${text}&remark=${remark}`,
    hasHappened: async () => hasDeleted,
    hasSeen: async (text) => api.seen.includes(text),
    askLarge: (bytes) => `GET /large/${bytes}`,
    open: openRequestClient,
    close: () => api.close(),
  }
}
