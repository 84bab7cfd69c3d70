import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createRecordingCheckpoint } from '../../../support/conversation.ts'
import { listening, openRawClient, openTestDoor } from './door.ts'

/** A real server that answers with what it was asked. */
async function startEcho(): Promise<number> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      response.setHeader('content-type', 'text/plain')
      response.end(`${request.method} ${request.url} ${body}`)
    })
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return await listening(server)
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`

describe('a conversation', () => {
  it('goes from request to request on one connection', async () => {
    const door = await openTestDoor(await startEcho())
    const client = await openRawClient(door.port)
    client.say(get('/one?a=b'))
    expect(await client.hears('GET /one?a=b ')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    client.say('POST /two HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello')
    await client.hears('POST /two hello')
    client.say(
      'POST /three HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
    )
    await client.hears('POST /three hello')
    expect(door.checkpoint.log.map((line) => line.replace(/\n[\s\S]*/, ''))).toEqual([
      'clear GET /one?a=b',
      'settle done GET /one?a=b',
      'clear POST /two',
      'settle done POST /two',
      'clear POST /three',
      'settle done POST /three',
    ])
  })

  it('answers pipelined requests in their order', async () => {
    const door = await openTestDoor(await startEcho())
    const client = await openRawClient(door.port)
    client.say([1, 2, 3, 4, 5].map((n) => get(`/${n}`)).join(''))
    const heard = await client.hears('GET /5 ')
    expect(heard.match(/GET \/\d/g)).toEqual(['GET /1', 'GET /2', 'GET /3', 'GET /4', 'GET /5'])
  })

  it('tells why a request was not understood', async () => {
    const checkpoint = createRecordingCheckpoint(([command]) =>
      command?.facts.parsed === false
        ? { code: 'not-understood', message: 'refused: it is not understood', next: 'write it clearly' }
        : undefined,
    )
    const door = await openTestDoor(await startEcho(), checkpoint)
    const client = await openRawClient(door.port)
    const body = '{"role":"user","role":"admin"}'
    const head = `Host: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`
    client.say(`POST /things HTTP/1.1\r\n${head}\r\n\r\n${body}`)
    const problem: unknown = JSON.parse((await client.hears('}')).split('\r\n\r\n')[1] ?? '')
    expect(problem).toMatchObject({
      detail: expect.stringMatching(/^refused: it is not understood: its body is no clear JSON: a name is given twice/),
    })
  })

  it('tells a refusal as a problem, and goes on', async () => {
    const checkpoint = createRecordingCheckpoint(([command]) =>
      command?.verb === 'DELETE'
        ? { code: 'denied', message: 'refused: no deleting', next: 'ask ana', rule: 'no-delete', session: 'ses_1' }
        : undefined,
    )
    const door = await openTestDoor(await startEcho(), checkpoint)
    const client = await openRawClient(door.port)
    client.say('DELETE /things/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc')
    const heard = await client.hears('}')
    expect(heard).toMatch(/^HTTP\/1\.1 403 Forbidden\r\nContent-Type: application\/problem\+json\r\n/)
    expect(JSON.parse(heard.split('\r\n\r\n')[1] ?? '')).toEqual({
      type: 'urn:hoop:refusal:denied',
      title: 'a rule forbids the command, or none allows it',
      status: 403,
      detail: 'refused: no deleting',
      v: 1,
      verdict: 'denied',
      rule: 'no-delete',
      session: 'ses_1',
      command: null,
      approval: null,
      next: 'ask ana',
    })
    client.say(get('/after'))
    await client.hears('GET /after ')
  })
})
