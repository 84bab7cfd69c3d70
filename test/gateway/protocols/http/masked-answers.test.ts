/** Masks through the whole protocol, at a real server. */
import { createServer, type RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Masks } from '../../../../src/gateway/checkpoint.ts'
import { createRecordingCheckpoint } from '../../../support/conversation.ts'
import { listening, openRawClient, openTestDoor } from './door.ts'
import { both, emails, noMasks, passwords } from './masking/masks.ts'

async function startServer(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return await listening(server)
}

async function behindDoor(listener: RequestListener, masks: Masks, recordMasks = masks) {
  const checkpoint = createRecordingCheckpoint(undefined, undefined, { masks, recordMasks, sampleBytes: 1000 })
  const door = await openTestDoor(await startServer(listener), checkpoint)
  const url = `http://127.0.0.1:${door.port}/`
  return { door, checkpoint, url }
}

/** Settled in a moment: the answer may have to be decoded first. */
async function outcomeOf(checkpoint: ReturnType<typeof createRecordingCheckpoint>) {
  while (checkpoint.outcomes.length === 0) await new Promise((resume) => setTimeout(resume, 5))
  return checkpoint.outcomes[0]?.outcome
}

const secret = '{"user":"ana@acme.com","password":"hunter2"}'
const hidden = '{"user":"•••","password":"•••"}'

describe('an answer', () => {
  test('is masked, decoded, and kept as it was shown', async () => {
    const { url, checkpoint } = await behindDoor((request, response) => {
      if (request.headers['accept-encoding'] !== 'gzip, deflate, br') throw new Error('asked for something else')
      response.setHeader('Content-Type', 'application/json')
      response.setHeader('Content-Encoding', 'gzip')
      response.setHeader('ETag', '"1"')
      response.end(gzipSync(secret))
    }, both)
    const response = await fetch(url, { headers: { 'Accept-Encoding': 'gzip, deflate, br, dcz' } })
    expect(await response.text()).toBe(hidden)
    expect(response.headers.get('etag')).toBeNull()
    expect(await outcomeOf(checkpoint)).toMatchObject({
      status: 'done',
      masked: true,
      bytesOut: Buffer.byteLength(hidden),
      answer: { status: 200, body: { text: hidden, base64: false, truncated: false } },
    })
  })

  test('to whom nothing is masked is untouched, and kept masked', async () => {
    const { url, checkpoint } = await behindDoor(
      (_, response) => {
        response.setHeader('Content-Type', 'application/json')
        response.setHeader('ETag', '"1"')
        response.setHeader('Set-Cookie', 'sid=7')
        response.end(secret)
      },
      noMasks,
      both,
    )
    const response = await fetch(url)
    expect(await response.text()).toBe(secret)
    expect(response.headers.get('content-length')).toBe(String(secret.length))
    const outcome = await outcomeOf(checkpoint)
    expect(outcome?.answer?.body?.text).toBe(hidden)
    expect(outcome?.answer?.headers.map(([name]) => name.toLowerCase())).not.toContain('set-cookie')
    expect(outcome?.masked).toBeUndefined()
  })

  test('that cannot be masked is a refusal, and the connection goes on', async () => {
    let asked = 0
    const { door, checkpoint } = await behindDoor((_, response) => {
      asked += 1
      response.setHeader('Content-Type', 'application/json')
      response.end(asked === 1 ? "{'password':'hunter2'}" : '{}')
    }, passwords)
    const client = await openRawClient(door.port)
    client.say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const heard = await client.hears('}')
    expect(heard).toMatch(/^HTTP\/1\.1 403 /)
    expect(heard).toContain('the answer is withheld: it is no JSON, though it says so')
    expect(heard).not.toContain('hunter2')
    client.say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await client.hears('HTTP/1.1 200')
    expect(checkpoint.outcomes[0]?.outcome.error?.code).toBe('withheld')
  })

  test('that is found out late is cut off', async () => {
    let goOn: () => void = () => undefined
    const { door } = await behindDoor((_, response) => {
      response.setHeader('Content-Type', 'application/json')
      response.write(`["${'x'.repeat(100_000)}", `)
      goOn = () => response.end("{'password':'hunter2'}]")
    }, passwords)
    const client = await openRawClient(door.port)
    client.say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await client.hears('xxx')
    goOn()
    const heard = await client.ended
    expect(heard).toMatch(/^HTTP\/1\.1 200/)
    expect(heard).not.toMatch(/hunter2|\r\n0\r\n\r\n$/)
  })

  test('cannot be taken in parts', async () => {
    const { url } = await behindDoor((request, response) => {
      response.setHeader('Content-Type', 'application/json')
      if (request.headers.range !== undefined) response.statusCode = 206
      response.end(request.headers.range === undefined ? secret : secret.slice(25))
    }, passwords)
    const response = await fetch(url, { headers: { Range: 'bytes=25-' } })
    expect(await response.text()).toContain('"password":"•••"')
  })

  test('of events comes event by event', async () => {
    const { door } = await behindDoor((_, response) => {
      response.setHeader('Content-Type', 'text/event-stream')
      response.flushHeaders()
      response.write('data: {"password":"hunter2"}\n\n')
    }, passwords)
    const client = await openRawClient(door.port)
    client.say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const heard = Buffer.from(await client.hears('data: {"password":"'), 'latin1').toString()
    expect(heard).toMatch(/^HTTP\/1\.1 200/)
    expect(heard).not.toContain('hunter2')
  })

  test('of an error is masked too', async () => {
    const { url, checkpoint } = await behindDoor((_, response) => {
      response.statusCode = 500
      response.setHeader('Content-Type', 'text/html')
      response.end('<p>no such user: ana@acme.com</p>')
    }, emails)
    const response = await fetch(url)
    expect([response.status, await response.text()]).toEqual([500, '<p>no such user: •••</p>'])
    expect(await outcomeOf(checkpoint)).toMatchObject({ status: 'failed', masked: true })
  })

  test('says nothing before its body, or in its reason, that it would not say in it', async () => {
    const { door, checkpoint } = await behindDoor((_, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload', 'x-to': 'ana@acme.com' })
      response.writeHead(404, 'no such user ana@acme.com', { 'Content-Type': 'text/plain' })
      response.end('no\n')
    }, emails)
    const client = await openRawClient(door.port)
    client.say('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const heard = await client.hears('no\n')
    expect(heard).toMatch(/103 [\s\S]*x-to: \*\*\*[\s\S]*HTTP\/1\.1 404 Not Found\r\n/i)
    expect(heard).not.toContain('ana@')
    expect(JSON.stringify(await outcomeOf(checkpoint))).not.toContain('ana@')
  })

  test('is masked at any length in bounded memory', async () => {
    const count = 20_000
    const { url } = await behindDoor((_, response) => {
      response.setHeader('Content-Type', 'application/json')
      response.write('[')
      for (let id = 0; id < count; id++) response.write(`${id === 0 ? '' : ','}{"id":${id},"password":"p${id}"}`)
      response.end(']')
    }, passwords)
    const users = (await (await fetch(url)).json()) as { id: number; password: string }[]
    expect(users).toHaveLength(count)
    expect(new Set(users.map(({ password }) => password))).toEqual(new Set(['•••']))
  })
})
