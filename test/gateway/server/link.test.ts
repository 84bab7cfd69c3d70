/** What a link has to bring before it opens, asked with bare frames and bare WebSockets. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createScope, type Scope } from '../../../src/base/scope.ts'
import { apiErrorSchema, paths } from '../../../src/contract/api.ts'
import { headers as names } from '../../../src/contract/link.ts'
import { type Door, echo, startDoor } from '../../support/door.ts'
import { type LinkPeer, linkTo } from '../../support/link-peer.ts'

let scope: Scope
let door: Door
let session: string
let ran: string[]

beforeEach(async () => {
  scope = createScope()
  ran = []
  door = await startDoor({
    run: (stream, target) => {
      ran.push(target)
      return echo(stream)
    },
  })
  scope.defer(() => door.close())
  const caller = { user: 'ana@acme', subject: 'sub-ana', groups: [], roles: [], expires: 0 }
  session = (await door.sessions.start(caller, { targets: ['pg-prod'], reason: null, agent: null })).id
})
afterEach(() => scope.close())

interface Answer {
  readonly status: number
  readonly body: string
}

/** The path's target and what the headers say, as an upgraded link says it. */
async function overUpgrade(path: string, headers: Record<string, string>): Promise<Answer> {
  const { authorization, origin, [names.session]: session } = headers
  const peer = await linkTo(door.port, origin === undefined ? {} : { origin })
  if (!('say' in peer)) return { status: peer.statusCode ?? 0, body: Buffer.concat(await peer.toArray()).toString() }
  scope.defer(() => void peer.socket.destroy())
  const target = decodeURIComponent(path.slice(paths.link('').length))
  peer.say('open', 1, JSON.stringify({ target, session, token: authorization?.replace(/^Bearer /, '') }))
  const answer = await peer.hear()
  if (answer?.type === 'accept') return { status: 200, body: '' }
  expect(answer?.type).toBe('refuse')
  return { status: answer?.payload.readUInt16BE() ?? 0, body: answer?.payload.toString('utf8', 2) ?? '' }
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
  ['an upgraded socket', overUpgrade, 'a session'],
  ['a WebSocket', overWebSocket, 'the header hoop-session'],
] as const)('over %s a link', (_, ask, needed) => {
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
    ['a session', { [names.session]: undefined }, 400, `a link needs ${needed}`],
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

  it('is counted with its answer', async () => {
    await ask(paths.link('pg-prod'), await good())
    await ask(paths.link('pg-prod'), {})
    const text = await (await fetch(`${door.url}/metrics`)).text()
    expect(text).toMatch(/hoop_links_total\{over="(upgrade|websocket)",answer="open"\} 1/)
    expect(text).toMatch(/hoop_links_total\{over="(upgrade|websocket)",answer="sign-in-needed"\} 1/)
  })
})

describe('an upgraded socket', () => {
  async function linked(): Promise<LinkPeer> {
    const peer = await linkTo(door.port)
    if (!('say' in peer)) throw new Error(`the gateway answered ${peer.statusCode}`)
    scope.defer(() => void peer.socket.destroy())
    return peer
  }
  const wish = async (changes: object = {}) =>
    JSON.stringify({ target: 'pg-prod', session, token: await door.token(), ...changes })

  it.each<[string, string, Record<string, string>, number, string]>([
    ['to something else', paths.links, { upgrade: 'websocket' }, 426, 'a link needs an upgrade to hoop-link/1'],
    ['elsewhere', paths.me, {}, 404, 'nothing is upgraded at /v1/me'],
    ['under another name', paths.links, { host: 'evil.example' }, 403, 'this gateway is not called evil.example'],
  ])('is not had %s', async (_, path, headers, status, message) => {
    const answer = await linkTo(door.port, headers, path)
    if ('say' in answer) throw new Error('it was upgraded')
    expect(answer.statusCode).toBe(status)
    const body = Buffer.concat(await answer.toArray()).toString()
    expect(apiErrorSchema.parse(JSON.parse(body)).error.message).toBe(message)
  })

  it.each(['no JSON', '[]', '{"session":"ses_x"}'])('refuses a stream for %s', async (words) => {
    const peer = await linked()
    peer.say('open', 1, words)
    const { payload } = await peer.hearUntil('refuse')
    expect(payload.readUInt16BE()).toBe(400)
    expect(payload.toString()).toContain('what the link is for cannot be read')
  })

  it('looks at the token of each stream', async () => {
    const peer = await linked()
    peer.say('open', 1, await wish())
    expect((await peer.hear())?.type).toBe('accept')
    peer.say('open', 2, await wish({ token: 'stale' }))
    expect((await peer.hear())?.type).toBe('refuse')
    peer.say('open', 3, await wish())
    expect((await peer.hear())?.type).toBe('accept')
    peer.say('data', 1, 'still there?')
    expect((await peer.hearUntil('data')).stream).toBe(1)
  })

  it('hands nothing on that came before it was accepted: it is cut, and one line says so', async () => {
    const peer = await linked()
    peer.say('open', 1, await wish())
    peer.say('data', 1, 'SELECT 1')
    await once(peer.socket, 'close')
    await vi.waitFor(() => expect(door.log.filter((line) => line.includes('a link was cut'))).toHaveLength(1))
    expect(door.log.join()).toContain('for stream 1, which is not open')
    expect(ran).toEqual([])
  })

  it('has at most 10,000 streams', async () => {
    const peer = await linked()
    const words = await wish()
    for (let id = 1; id <= 10_000; id++) peer.say('open', id, words)
    for (let n = 0; n < 10_000; n++) expect((await peer.hear())?.type).toBe('accept')
    peer.say('open', 10_001, words)
    const { payload } = await peer.hearUntil('refuse')
    expect(payload.readUInt16BE()).toBe(409)
    peer.say('reset', 77)
    peer.say('open', 10_002, words)
    expect((await peer.hear())?.type).toBe('accept')
  }, 30_000)

  it('hears that the gateway stops, and open streams may finish', async () => {
    const peer = await linked()
    peer.say('open', 1, await wish())
    await peer.hearUntil('accept')
    const closed = door.server.close()
    expect((await peer.hearUntil('goAway')).payload.toString()).toBe('the gateway is going away')
    peer.say('open', 2, await wish())
    expect((await peer.hear())?.type).toBe('reset')
    peer.say('data', 1, 'last words')
    peer.say('end', 1)
    expect((await peer.hearUntil('data')).payload.toString()).toBe('last words')
    await peer.hearUntil('end')
    expect(await peer.hear()).toBeUndefined()
    await closed
  })
})

it('a WebSocket elsewhere is refused', async () => {
  expect(await overWebSocket('/v1/records', await good())).toMatchObject({ status: 404 })
})

it('a WebSocket needs a target whose name is well encoded', async () => {
  expect(await overWebSocket('/v1/link/%zz', await good())).toMatchObject({ status: 400 })
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
  await overUpgrade(paths.link('pg-prod'), headers)
  await overWebSocket(paths.link('pg-prod'), headers)
  await fetch(`${door.url}${paths.approvals}`, { headers: { authorization: headers.authorization ?? '' } })
  expect(door.log.length).toBeGreaterThan(0)
  expect(door.log.join('\n')).not.toContain(headers.authorization?.slice(7, 60))
})
