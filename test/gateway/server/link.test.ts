/** What a link has to bring before it opens, asked with bare HTTP/2 and bare WebSockets. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createScope, type Scope } from '../../../src/base/scope.ts'
import { apiErrorSchema, headers as names, paths } from '../../../src/contract/api.ts'
import { type Door, startDoor } from '../../support/door.ts'

let scope: Scope
let door: Door
let session: string

beforeEach(async () => {
  scope = createScope()
  door = await startDoor()
  scope.defer(() => door.close())
  const caller = { user: 'ana@acme', subject: 'sub-ana', groups: [], roles: [], expires: 0 }
  session = (await door.sessions.start(caller, { targets: ['pg-prod'], reason: null, agent: null })).id
})
afterEach(() => scope.close())

interface Answer {
  readonly status: number
  readonly body: string
}

async function overHttp2(path: string, headers: Record<string, string>, method = 'POST'): Promise<Answer> {
  const client = connectHttp2(door.url)
  scope.defer(() => client.destroy())
  const stream = client.request({ ':method': method, ':path': path, ...headers }, { endStream: false })
  stream.on('error', () => {})
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
  if (answer[':status'] === 200) return { status: 200, body: '' }
  return { status: answer[':status'], body: Buffer.concat(await stream.toArray()).toString() }
}

async function overWebSocket(path: string, headers: Record<string, string>): Promise<Answer> {
  const socket = new WebSocket(door.url + path, { headers })
  scope.defer(() => socket.terminate())
  socket.on('error', () => {})
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ status: 200, body: '' }))
    socket.once('unexpected-response', (_request, answer: IncomingMessage) => {
      answer.toArray().then((chunks) => {
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
      }, reject)
    })
  })
}

const good = async (): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await door.token()}`,
  [names.session]: session,
})

describe.each([
  ['HTTP/2', overHttp2],
  ['a WebSocket', overWebSocket],
] as const)('over %s a link', (_, ask) => {
  it('opens with a good token and an own session', async () => {
    expect(await ask(paths.link('pg-prod'), await good())).toMatchObject({ status: 200 })
  })

  it.each<[string, Record<string, string | undefined>, number, string]>([
    ['a token', { authorization: undefined }, 401, 'no sign-in was sent'],
    [
      'a token of the right kind',
      { authorization: 'Basic eA==' },
      401,
      'the authorization header is not "Bearer TOKEN"',
    ],
    ['a session', { [names.session]: undefined }, 400, 'a link needs the header hoop-session'],
    [
      'a page of its own, if it is a page at all',
      { origin: 'https://evil.example' },
      403,
      'https://evil.example may not use this gateway',
    ],
  ])('needs %s', async (_what, changes, status, message) => {
    const all = Object.entries({ ...(await good()), ...changes })
    const headers = Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined))
    const answer = await ask(paths.link('pg-prod'), headers)
    expect(answer.status).toBe(status)
    expect(apiErrorSchema.parse(JSON.parse(answer.body)).error.message).toBe(message)
  })

  it('needs a target whose name is well encoded', async () => {
    expect(await ask('/v1/link/%zz', await good())).toMatchObject({ status: 400 })
  })

  it('is counted with its answer', async () => {
    await ask(paths.link('pg-prod'), await good())
    await ask(paths.link('pg-prod'), {})
    const text = await (await fetch(`${door.url}/metrics`)).text()
    expect(text).toMatch(/hoop_links_total\{over="(http2|websocket)",answer="open"\} 1/)
    expect(text).toMatch(/hoop_links_total\{over="(http2|websocket)",answer="sign-in-needed"\} 1/)
  })
})

it('a WebSocket elsewhere is refused', async () => {
  expect(await overWebSocket('/v1/records', await good())).toMatchObject({ status: 404 })
})

it('a link over HTTP/2 is a POST', async () => {
  expect(await overHttp2(paths.link('pg-prod'), await good(), 'PUT')).toMatchObject({ status: 400 })
})

it('a message that does not belong on a link ends it, and only it', async () => {
  const socket = new WebSocket(door.url + paths.link('pg-prod'), { headers: await good() })
  await once(socket, 'open')
  socket.send('not an end')
  await once(socket, 'close')
  expect(await overWebSocket(paths.link('pg-prod'), await good())).toMatchObject({ status: 200 })
})

it('a message longer than agreed ends it', async () => {
  const socket = new WebSocket(door.url + paths.link('pg-prod'), { headers: await good() })
  socket.on('error', () => {})
  await once(socket, 'open')
  socket.send(Buffer.alloc(256 * 1024 + 1))
  await once(socket, 'close')
})

it('no token is in the log, whatever happened', async () => {
  const headers = await good()
  door.issuer.fail(500)
  await overHttp2(paths.link('pg-prod'), headers)
  await overWebSocket(paths.link('pg-prod'), headers)
  await fetch(`${door.url}${paths.approvals}`, { headers: { authorization: headers.authorization ?? '' } })
  expect(door.log.length).toBeGreaterThan(0)
  expect(door.log.join('\n')).not.toContain(headers.authorization?.slice(7, 60))
})
