import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { curlLine } from '../../../src/commands/replay/curl.ts'
import { type ReplayOptions, runReplay } from '../../../src/commands/replay.ts'
import type { Outcome, RecordDraft } from '../../../src/contract/record.ts'
import { readRequestText } from '../../../src/contract/request-text.ts'
import { paperSession, startTestGateway, type TestGateway } from '../../support/gateway.ts'
import { harSchema } from '../../support/har-schema.ts'
import { permitFor } from '../../support/permits.ts'
import { command, outcome, sessionEnd, sessionStart } from '../../support/store-folder.ts'
import { createTerminal, emptyHome } from '../../support/terminal.ts'

const run = promisify(execFile)

type Change = Parameters<typeof command>[1]

function request(id: string, text: string, change: Change = {}): RecordDraft {
  const draft = command(id, { target: 'billing-api', text, ...change })
  if (draft.type !== 'command') throw new Error('it is a command')
  return { ...draft, asked: { ...draft.asked, protocol: 'http', verb: text.split(' ', 1)[0] ?? '' } }
}

const answered = (id: string, what: Outcome): RecordDraft => ({ ...outcome(id), outcome: what })

const created: Outcome = {
  status: 'done',
  summary: '201 Created',
  bytesIn: 14,
  bytesOut: 2048,
  durationMs: 12.5,
  masked: true,
  answer: {
    status: 201,
    headers: [
      ['Content-Type', 'application/json'],
      ['Location', '/v1/customers/8'],
    ],
    body: { text: '{"id":8,\n"password":"•••"}', base64: false, truncated: true },
    firstByteMs: 10,
  },
}

/** A read, a write that was held, a refusal, a picture. */
async function asked(): Promise<TestGateway> {
  const gateway = await startTestGateway()
  gateway.sessions.push(paperSession({ id: 'ses_1' }))
  const held = { verdict: 'hold', approval: 'apr_1' } as const
  await gateway.audit.append([
    sessionStart(),
    request('cmd_1', 'GET /v1/customers?limit=2&q=a%20b\nAccept: */*'),
    answered('cmd_1', { status: 'done', summary: '200 OK', bytesIn: 0, bytesOut: 0, durationMs: 3 }),
    request('cmd_2', 'POST /v1/customers\nContent-Type: application/json\n\n{"name":"ana"}', held),
    { ...sessionStart(), type: 'approval.end', approval: 'apr_1', end: 'approved', why: 'by ana' },
    answered('cmd_2', created),
    request('cmd_3', 'DELETE /v1/customers/7', { verdict: 'deny' }),
    answered('cmd_3', { status: 'refused' }),
    request('cmd_4', 'PUT /logo\nContent-Type: image/png\n\n(3 bytes of image/png)'),
    answered('cmd_4', {
      status: 'failed',
      summary: '404 Not Found',
      error: { code: '404', message: 'Not Found' },
      durationMs: 1,
      answer: { status: 404, headers: [], body: { text: '/wD+', base64: true, truncated: false }, firstByteMs: 1 },
    }),
  ])
  return gateway
}

async function addShell(gateway: TestGateway): Promise<void> {
  const { start } = gateway.recordings.of({ session: 'ses_1' })
  await gateway.audit.append([command('cmd_9', { text: 'uptime' })])
  const shell = await start(permitFor('cmd_9'), { width: 80, height: 24, title: 'uptime' }, () => undefined)
  shell.output(Buffer.from('up 400 days\n'))
  gateway.audit.note(answered('cmd_9', { status: 'done', recording: await shell.end(0) }))
  await gateway.audit.append([sessionEnd()])
}

async function replayed(gateway: TestGateway, options: Partial<ReplayOptions> = {}) {
  const terminal = createTerminal({ env: { HOOP_GATEWAY: gateway.url, HOOP_TOKEN: 'auditor-token', NO_COLOR: '1' } })
  await runReplay(terminal.runtime, { session: 'ses_1', ...options })
  return { out: terminal.stdout(), talk: terminal.stderr() }
}

test('a session of requests is a list', async () => {
  const { out, talk } = await replayed(await asked())
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' | ').replace(/\+[^|]*/, '+T '))
  expect(lines).toEqual([
    '# | after | target | method | path | status | sent | shown | took',
    '1 | +T | billing-api | GET | /v1/customers?limit=2&q=a%20b | 200 | 0 bytes | 0 bytes | 3 ms',
    expect.stringMatching(
      /^2 \| \+T \| billing-api \| POST \| \/v1\/customers \| 201 \| 14 bytes \| 2 KiB \| 13 ms \| held [\d.]+ ms by test, masked$/,
    ),
    '3 | +T | billing-api | DELETE | /v1/customers/7 | refused | refused by test',
    '4 | +T | billing-api | PUT | /logo | 404 | 1 ms',
  ])
  expect(talk).toContain('--curl N')
})

test('beside a recording it is asked for', async () => {
  const gateway = await asked()
  await addShell(gateway)
  expect((await replayed(gateway)).out).toMatch(/POST \/v1\/customers[\s\S]*up 400 days/)
  const { out } = await replayed(gateway, { requests: true })
  expect(out).toMatch(/^#/)
  expect(out).not.toContain('uptime')
})

test('as JSON each request is an object', async () => {
  const { out } = await replayed(await asked(), { requests: true, json: true })
  const items = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(items).toHaveLength(4)
  expect(items[1]).toMatchObject({
    number: 2,
    command: 'cmd_2',
    method: 'POST',
    path: '/v1/customers',
    body: '{"name":"ana"}',
    decision: { verdict: 'hold' },
    outcome: { answer: { status: 201 } },
  })
})

test.each(['2', 'cmd_2'])('one of them (%s) is shown with what is kept of its answer', async (wanted) => {
  const { out } = await replayed(await asked(), { command: wanted })
  expect(out).toContain('billing-api> POST /v1/customers\n')
  expect(out).toMatch(/201 Created, 2 KiB, masked[\s\S]*\{"id":8,\n +"password":"•••"\}\n +… there was more/)
  expect(out).not.toContain('DELETE')
})

test('a number that no request has is named', async () => {
  await expect(replayed(await asked(), { command: '5' })).rejects.toThrow('there is no request 5 in ses_1')
  await expect(replayed(await asked(), { curl: 5 })).rejects.toThrow('there is no request 5 in ses_1: it has 4')
})

test('is exported as HAR 1.2', async () => {
  const file = join(emptyHome(), 'session.har')
  const gateway = await asked()
  expect((await replayed(gateway, { export: file })).talk).toContain(`4 requests in ${file}`)
  const { log } = harSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  const [list, post, refused, logo] = log.entries
  expect(list?.request).toMatchObject({
    method: 'GET',
    url: 'http://billing-api/v1/customers?limit=2&q=a%20b',
    queryString: [
      { name: 'limit', value: '2' },
      { name: 'q', value: 'a b' },
    ],
  })
  expect(post).toMatchObject({
    request: { postData: { mimeType: 'application/json', text: '{"name":"ana"}' }, bodySize: 14 },
    response: {
      status: 201,
      statusText: 'Created',
      redirectURL: '/v1/customers/8',
      content: { size: 2048, mimeType: 'application/json', comment: 'only the beginning was kept' },
    },
    timings: { wait: 10, receive: 2.5 },
    comment: expect.stringMatching(/^hold by test.*; apr_1; masked$/),
  })
  expect(refused).toMatchObject({ response: { status: 0 }, comment: expect.stringContaining('refused') })
  expect(logo?.response.content).toMatchObject({ size: 3, text: '/wD+', encoding: 'base64' })
  await expect(replayed(gateway, { export: file })).rejects.toThrow('cannot make')
})

test('each kind of file is for what it can hold', async () => {
  const file = join(emptyHome(), 'session')
  const gateway = await asked()
  await expect(replayed(gateway, { export: `${file}.cast` })).rejects.toThrow('no recording to export')
  await addShell(gateway)
  expect((await replayed(gateway, { export: `${file}.har` })).talk).toContain('its recordings are not in it')
  await replayed(gateway, { export: `${file}.cast` })
  expect(readFileSync(`${file}.cast`, 'utf8')).toContain('up 400 days')
  const shells = await startTestGateway()
  shells.sessions.push(paperSession({ id: 'ses_1' }))
  await shells.audit.append([sessionStart()])
  await addShell(shells)
  await expect(replayed(shells, { export: `${file}2.har` })).rejects.toThrow('no request over HTTP to export')
  expect(existsSync(`${file}2.har`)).toBe(false)
})

test('one of them is printed as a curl command, against the port that its target has', async () => {
  const { out, talk } = await replayed(await asked(), { curl: 2 })
  expect(out).toMatch(
    /^curl --globoff --path-as-is --header 'Content-Type: application\/json' --data-raw '\{"name":"ana"\}' http:\/\/127\.0\.0\.1:\d{5}\/v1\/customers\n$/,
  )
  expect(talk).toContain('hoop connect billing-api')
  expect((await replayed(await asked(), { curl: 4 })).talk).toContain('its body was not written down: (3 bytes')
})

interface Heard {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly body: string
  readonly type: string | undefined
  readonly tenant: string | undefined
}

/** A server that remembers what it was asked last. */
async function startEars(): Promise<{ readonly port: number; heard(): Heard | undefined }> {
  let heard: Heard | undefined
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method, url, headers } = request
      const tenant = headers['x-tenant']
      heard = {
        method,
        url,
        body: Buffer.concat(parts).toString(),
        type: headers['content-type'],
        tenant: typeof tenant === 'string' ? tenant : undefined,
      }
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, heard: () => heard }
}

test.each([
  ['a list', 'GET /a/../b/./{x}[1-3]?q=%27&r=$HOME`id`;&*'],
  ['a head', 'HEAD /a'],
  ['a method of its own', "DELETE /it's"],
  ['a file that it must not read', 'POST /\n\n@/etc/passwd'],
  ['a body that no shell may see', `POST /\nContent-Type: text/x\n\n'; touch /tmp/owned; echo $(id) "\\n" !! \\`],
  ['lines and escapes', 'PUT /\nContent-Type: text/x\n\na\nb\tc\u001b[31m\u0000\u202e é 漢'.replace('\u0000', '')],
  ['an empty field', 'GET /\nX-Tenant:'],
  ['a field that looks like a file', "GET /\nX-Tenant: @/etc/passwd'"],
  ['an empty body', 'POST /\nContent-Type: text/x\n\n'],
])('curl asks again exactly what was asked: %s', async (_, text) => {
  const ears = await startEars()
  const asked = readRequestText(text)
  await run('bash', ['-c', `${curlLine(asked, ears.port).line} --silent --show-error`])
  const field = (wanted: string) => asked.fields.find(([name]) => name.toLowerCase() === wanted)?.[1]
  expect(ears.heard()).toEqual({
    method: asked.method,
    url: asked.target,
    body: asked.body ?? '',
    type: field('content-type'),
    tenant: field('x-tenant'),
  })
})
