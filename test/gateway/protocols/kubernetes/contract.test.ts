import { pourBytes, startHttpApi } from '../../../support/http-api.ts'
import { contract, type Stage } from '../contract.ts'
import { openRequestClient } from '../http/request-client.ts'
import { createTestKubernetes, targetAt, testToken } from './door.ts'

// One of the suite's targets never answers.
const kubernetes = createTestKubernetes({ answerTimeoutMs: 1000 })

contract('kubernetes', () => kubernetes, createStage)

/** Asks who it is, keeps one pod and its log; answers as the API server does where the contract looks. */
async function createStage(): Promise<Stage> {
  let hasDeleted = false
  const api = await startHttpApi((request, response) => {
    if (request.headers.authorization !== `Bearer ${testToken}`) {
      response.writeHead(401, { 'content-length': '0' }).end()
      return
    }
    const large = /\/log\?limitBytes=(\d+)$/.exec(request.url ?? '')?.[1]
    if (request.method === 'DELETE') hasDeleted = true
    if (large === undefined) response.setHeader('content-type', 'application/json').end('{"kind":"Pod"}')
    else pourBytes(response.writeHead(200, { 'content-length': large }), Number(large))
  })
  const target = targetAt(api.port)
  return {
    target,
    closed: targetAt(api.port, { login: 'exec-plugin' }),
    secret: testToken,
    harmless: 'GET /api/v1/namespaces/prod/pods/web?pretty=true',
    harmful: 'DELETE /api/v1/namespaces/prod/pods/web',
    remark: (text, remark) => `${text}&remark=${remark}`,
    hasHappened: async () => hasDeleted,
    hasSeen: async (text) => api.seen.includes(text),
    askLarge: (bytes) => `GET /api/v1/namespaces/prod/pods/web/log?limitBytes=${bytes}`,
    open: openRequestClient,
    close: () => api.close(),
  }
}
