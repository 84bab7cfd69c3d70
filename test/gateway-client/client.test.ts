import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ApprovalEvent } from '../../src/contract/api.ts'
import { createGatewayClient, type GatewayClient } from '../../src/gateway-client/client.ts'
import type { Connection } from '../../src/gateway-client/steady.ts'
import { givenToken } from '../../src/gateway-client/token-source.ts'
import { paperSession, question, startTestGateway } from '../support/gateway.ts'
import { command, sessionStart } from '../support/store-folder.ts'

function clientOf(url: string, token = 'auditor-token'): GatewayClient {
  const client = createGatewayClient({ url, token: givenToken(token) })
  onTestFinished(() => client.close())
  return client
}

/** Takes items one by one, as they come. */
function taking<T>(items: AsyncIterable<T>): { next(): Promise<T>; collected: T[] } {
  const iterator = items[Symbol.asyncIterator]()
  const collected: T[] = []
  return {
    collected,
    async next() {
      const { value, done } = await iterator.next()
      if (done) throw new Error('the stream has ended')
      collected.push(value)
      return value
    },
  }
}

test('reads every route of the API', async () => {
  const gateway = await startTestGateway()
  const client = clientOf(gateway.url, 'dba-token')
  expect((await client.wellKnown()).version).toBe('9.9.9')
  expect((await client.me()).user).toBe('dba@demo')
  expect((await client.targets())[0]?.name).toBe('pg-prod')
  const session = await client.startSession({ targets: ['pg-prod'], reason: 'test', agent: 'devin' })
  expect(await client.session(session.id)).toEqual(session)
  expect(await client.sessions({ live: true, limit: 10 })).toEqual([session])
  await client.endSession(session.id)
  await client.killSession(session.id, 'enough')
  expect(gateway.killed).toEqual([{ id: session.id, reason: 'enough', by: 'dba@demo' }])
  expect(await client.approvals('pending')).toEqual([])
})

test('hands on the code, the sentence and the hint of a refusal', async () => {
  const gateway = await startTestGateway()
  await expect(clientOf(gateway.url).session('ses_none')).rejects.toMatchObject({
    code: 'not-found',
    message: 'no session ses_none',
    hint: 'see "hoop sessions"',
  })
  await expect(clientOf(gateway.url, 'nonsense').me()).rejects.toMatchObject({ code: 'sign-in-needed' })
})

test('says who does not answer', async () => {
  await expect(clientOf('http://127.0.0.1:1').me()).rejects.toMatchObject({
    code: 'gateway-unreachable',
    message: 'cannot reach 127.0.0.1:1 (connection refused)',
  })
})

test('refuses to send a token unencrypted to another machine', () => {
  expect(() => clientOf('http://gateway.example.com')).toThrow(/unencrypted/)
})

test('refuses an answer that is not what was agreed on', async () => {
  const server = createServer((_request, response) => response.end('{"user": 7}')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await expect(clientOf(`http://127.0.0.1:${port}`).me()).rejects.toMatchObject({ code: 'gateway-error' })
})

test('asks once with a new token when the gateway turns one away', async () => {
  const gateway = await startTestGateway()
  const renewed: string[] = []
  const client = createGatewayClient({
    url: gateway.url,
    token: {
      token: async () => 'stale-token',
      async renew(rejected) {
        renewed.push(rejected)
        return 'dev-token'
      },
    },
  })
  onTestFinished(() => client.close())
  expect((await client.me()).user).toBe('dev@demo')
  expect(renewed).toEqual(['stale-token'])
})

test('reads records as they were sealed', async () => {
  const gateway = await startTestGateway()
  await gateway.audit.append([sessionStart(), command('cmd_1', { text: 'SELECT \u2028 1' })])
  const items = []
  for await (const item of clientOf(gateway.url).records({})) items.push(item)
  expect(items.map(({ record }) => record.seq)).toEqual([1, 2])
  expect(items[1]?.line).toMatch(/,"hash":"[0-9a-f]{64}"\}$/)
})

test('follows across a lost gateway without a gap or a repeat, and says so', async () => {
  const gateway = await startTestGateway()
  for (let n = 1; n <= 5; n++) await gateway.audit.append([command(`cmd_${n}`)])
  const stop = new AbortController()
  const heard: Connection['state'][] = []
  const lost = Promise.withResolvers<void>()
  const stream = taking(
    clientOf(gateway.url).followRecords(
      { tail: 2 },
      {
        signal: stop.signal,
        firstWaitMs: 20,
        onConnection({ state }) {
          heard.push(state)
          if (state === 'lost') lost.resolve()
        },
      },
    ),
  )
  await stream.next()
  await stream.next()
  await gateway.audit.append([command('cmd_6')])
  await stream.next()

  const next = stream.next()
  await gateway.stop()
  await lost.promise
  for (let n = 7; n <= 9; n++) await gateway.audit.append([command(`cmd_${n}`)])
  await gateway.start()
  await next
  await stream.next()
  await stream.next()
  expect(stream.collected.map(({ record }) => record.seq)).toEqual([4, 5, 6, 7, 8, 9])
  expect(heard).toContain('lost')
  expect(heard.at(-1)).toBe('connected')
  stop.abort()
})

test('does not wait for a gateway that was never there', async () => {
  const stream = clientOf('http://127.0.0.1:1').followRecords({}, { signal: new AbortController().signal })
  await expect(stream.next()).rejects.toMatchObject({ code: 'gateway-unreachable' })
})

test('ends a stream quietly when it is told to stop', async () => {
  const gateway = await startTestGateway()
  const stop = new AbortController()
  const stream = clientOf(gateway.url).followRecords({}, { signal: stop.signal })
  const next = stream.next()
  stop.abort()
  expect((await next).done).toBe(true)
})

test('watches approvals: a snapshot, each change, and a snapshot again after a loss', async () => {
  const gateway = await startTestGateway()
  const stop = new AbortController()
  const asked = question()
  const events = taking<ApprovalEvent>(
    clientOf(gateway.url, 'dba-token').watchApprovals({ signal: stop.signal, firstWaitMs: 20 }),
  )
  expect(await events.next()).toEqual({ event: 'snapshot', approvals: [] })
  const answer = gateway.approvals.ask(asked, stop.signal, undefined)
  expect(await events.next()).toMatchObject({ event: 'changed', approval: { id: asked.id, state: 'pending' } })

  const next = events.next()
  await gateway.stop()
  await gateway.start()
  expect(await next).toMatchObject({ event: 'snapshot', approvals: [{ id: asked.id }] })
  stop.abort()
  await answer
})

test('decides on what was seen', async () => {
  const gateway = await startTestGateway()
  const asked = question()
  const answer = gateway.approvals.ask(asked, new AbortController().signal, undefined)
  const client = clientOf(gateway.url, 'dba-token')
  await expect.poll(() => client.approvals('pending').then(({ length }) => length)).toBe(1)
  await expect(
    client.decide(asked.id, { decision: 'approve', reason: null, digest: 'e'.repeat(64) }),
  ).rejects.toMatchObject({ code: 'conflict' })
  const decided = await client.decide(asked.id, { decision: 'approve', reason: 'fine', digest: asked.digest })
  expect(decided.state).toBe('approved')
  expect((await answer).end).toBe('approved')
})

test('lists sessions that it is given', async () => {
  const gateway = await startTestGateway()
  gateway.sessions.push(paperSession({ id: 'ses_a', ended: new Date().toISOString() }), paperSession({ id: 'ses_b' }))
  const live = await clientOf(gateway.url).sessions({ live: true, limit: 5 })
  expect(live.map(({ id }) => id)).toEqual(['ses_b'])
})
