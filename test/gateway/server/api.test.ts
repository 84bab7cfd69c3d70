/** The API as clients meet it: who may ask, how errors look, what streams do. */
import { once } from 'node:events'
import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createScope, type Scope } from '../../../src/base/scope.ts'
import { apiErrorSchema, type ApprovalEvent, paths } from '../../../src/contract/api.ts'
import { openAudit } from '../../../src/gateway/audit/open.ts'
import { type Door, type DoorOptions, startDoor } from '../../support/door.ts'
import { command, sessionStart, storePath } from '../../support/store-folder.ts'

let scope: Scope
beforeEach(() => {
  scope = createScope()
})
afterEach(() => scope.close())

async function open(options?: DoorOptions): Promise<Door> {
  const door = await startDoor(options)
  scope.defer(() => door.close())
  return door
}

async function ask(door: Door, path: string, init: RequestInit & { token?: string | null } = {}) {
  const { token = await door.token(), headers, ...rest } = init
  return fetch(door.url + path, {
    ...rest,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
  })
}

async function errorOf(answer: Response) {
  return { status: answer.status, ...apiErrorSchema.parse(await answer.json()).error }
}

const json = { 'content-type': 'application/json' }
const audience = { clientId: 'hoop-cli', audience: 'urn:hoop:gateway' }

describe('who may ask', () => {
  const all: [string, string][] = [
    ['GET', paths.me],
    ['GET', paths.targets],
    ['GET', paths.sessions],
    ['POST', paths.sessions],
    ['GET', paths.session('x')],
    ['POST', paths.endSession('x')],
    ['POST', paths.killSession('x')],
    ['GET', paths.approvals],
    ['GET', paths.approvalEvents],
    ['GET', paths.approval('x')],
    ['POST', paths.decide('x')],
    ['GET', paths.records],
    ['GET', paths.followRecords],
  ]
  it.each(all)('%s %s needs a token', async (method, path) => {
    const answer = await ask(await open(), path, { method, token: null })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(await errorOf(answer)).toMatchObject({
      status: 401,
      code: 'sign-in-needed',
      hint: 'sign in with "hoop login"',
    })
  })

  it.each([paths.wellKnown, '/healthz', '/readyz', '/metrics', '/openapi.json'])('%s needs none', async (path) => {
    expect((await ask(await open(), path, { token: null })).status).toBe(200)
  })

  it('is told who they are', async () => {
    const door = await open()
    const token = await door.issuer.token({ groups: ['sre', 'engineering'] })
    expect(await (await ask(door, paths.me, { token })).json()).toMatchObject({
      user: 'ana@acme',
      subject: 'sub-ana',
      groups: ['sre', 'engineering'],
      roles: ['admin'],
      version: '1.2.3',
      expires: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  it('finds out where to sign in', async () => {
    const door = await open()
    expect(await (await ask(door, paths.wellKnown)).json()).toMatchObject({ issuer: door.issuer.url, ...audience })
  })

  it('is no web page: a foreign Origin, and a Host that is not this machine, are refused', async () => {
    const door = await open()
    const status = (headers: Record<string, string>) =>
      new Promise((resolve, reject) => {
        request(`${door.url}/healthz`, { headers }, (answer) => resolve(answer.resume().statusCode))
          .on('error', reject)
          .end()
      })
    expect(await status({ host: 'evil.example' })).toBe(403)
    expect(await status({ host: `evil.example:${door.port}` })).toBe(403)
    expect(await status({ host: '127.0.0.1.evil.example' })).toBe(403)
    expect(await status({ origin: 'https://evil.example' })).toBe(403)
    expect(await status({ origin: 'null' })).toBe(403)
    expect(await status({ origin: `http://127.0.0.1:${door.port + 1}` })).toBe(403)
    expect(await status({ origin: door.url })).toBe(200)
    expect(await status({ host: `localhost:${door.port}` })).toBe(200)
  })

  it('may use a further name that the configuration allows', async () => {
    const door = await open({ names: ['gateway.acme.dev'] })
    const answer = await new Promise<number | undefined>((resolve) => {
      request(`${door.url}/healthz`, { headers: { host: 'gateway.acme.dev' } }, (one) =>
        resolve(one.resume().statusCode),
      ).end()
    })
    expect(answer).toBe(200)
  })
})

describe('what goes wrong is said in a sentence', () => {
  it.each<[string, string, RequestInit, number, string]>([
    ['an unknown route', '/v1/nope', {}, 404, 'there is no GET /v1/nope'],
    [
      'bad JSON',
      paths.sessions,
      { method: 'POST', headers: json, body: '{"targets":' },
      400,
      "Body is not valid JSON but content-type is set to 'application/json'",
    ],
    [
      'a body of another kind',
      paths.sessions,
      { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'a,b' },
      415,
      'the body has to be JSON',
    ],
    [
      'an oversized body',
      paths.sessions,
      { method: 'POST', headers: json, body: JSON.stringify({ reason: 'x'.repeat(300_000) }) },
      413,
      'the request is too large',
    ],
    [
      'a wrong field',
      paths.sessions,
      { method: 'POST', headers: json, body: '{"targets":[],"reason":null,"agent":7}' },
      400,
      'the request is not understood: targets: Too small: expected array to have >=1 items; agent: Invalid input: expected string, received number',
    ],
    [
      'a wrong query',
      `${paths.records}?tail=-1`,
      {},
      400,
      'the request is not understood: tail: Too small: expected number to be >0',
    ],
    ['a session that does not exist', paths.session('ses_x'), {}, 404, 'there is no session ses_x'],
    ['a badly encoded path', '/v1/sessions/%zz', {}, 400, "'/v1/sessions/%zz' is not a valid url component"],
    [
      'a link without an upgrade',
      paths.links,
      { method: 'GET' },
      426,
      'a link needs an upgrade to hoop-link/1 or a WebSocket',
    ],
    [
      'a link as older clients open it',
      paths.link('pg-prod'),
      { method: 'POST' },
      426,
      'a link needs an upgrade to hoop-link/1 or a WebSocket',
    ],
  ])('%s', async (_, path, init, status, message) => {
    expect(await errorOf(await ask(await open(), path, init))).toMatchObject({ status, message })
  })

  it('a defect of ours is logged and not shown', async () => {
    const door = await open({
      approvals: {
        list: () => {
          throw new TypeError('x of undefined at secret.ts')
        },
      },
    })
    expect(await errorOf(await ask(door, paths.approvals))).toMatchObject({
      status: 500,
      code: 'internal',
      message: 'the gateway failed; its log says why',
    })
    expect(door.log.join()).toContain('a request failed for a reason that is ours')
  })

  it('an answer that is not as agreed is not sent', async () => {
    const door = await open({ approvals: { list: () => [{ id: 'half' }] as never } })
    expect(await errorOf(await ask(door, paths.approvals))).toMatchObject({ status: 500, code: 'internal' })
  })
})

describe('sessions', () => {
  it('are started, looked at, ended and killed', async () => {
    const door = await open()
    const post = (path: string, body: unknown) =>
      ask(door, path, { method: 'POST', headers: json, body: JSON.stringify(body) })
    const started = await (await post(paths.sessions, { targets: ['pg-prod'], reason: 'r', agent: null })).json()
    const { id } = started as { id: string }
    expect(await (await ask(door, paths.session(id))).json()).toEqual(started)
    expect(await (await ask(door, `${paths.sessions}?live=true&limit=5`)).json()).toEqual([started])
    expect((await post(paths.endSession(id), {})).status).toBe(204)
    expect((await post(paths.killSession(id), { reason: 'enough' })).status).toBe(204)
    expect(door.sessions.ended).toEqual([id])
    expect([...door.sessions.killed]).toEqual([id])
  })

  it('can be ended without a body', async () => {
    const door = await open()
    const started = await ask(door, paths.sessions, {
      method: 'POST',
      headers: json,
      body: '{"targets":["pg-prod"],"reason":null,"agent":null}',
    })
    const { id } = (await started.json()) as { id: string }
    expect((await ask(door, paths.endSession(id), { method: 'POST' })).status).toBe(204)
  })
})

describe('records', () => {
  async function withRecords(): Promise<Door> {
    const audit = await openAudit({
      path: storePath(),
      flush: false,
      clock: systemClock,
      log: { info() {}, warn() {}, error() {} },
    })
    const door = await open({ audit })
    scope.defer(() => audit.close())
    await audit.append([
      sessionStart('ses_1'),
      { ...sessionStart('ses_2', 'other@demo'), subject: 'sub-other' },
      command('cmd_1', { session: 'ses_1' }),
      { ...command('cmd_2', { session: 'ses_2', user: 'other@demo' }), subject: 'sub-other' },
      {
        type: 'approval.decision',
        session: 'ses_1',
        user: 'dba@demo',
        subject: 'sub-dba',
        groups: ['dba'],
        agent: null,
        target: 'pg-prod',
        connection: null,
        approval: 'apr_1',
        decision: 'approve',
        reason: null,
        digest: 'd',
      },
      {
        type: 'admin',
        session: null,
        user: 'dev@demo',
        subject: 'sub-dev',
        groups: [],
        agent: null,
        target: null,
        connection: null,
        action: 'config.reload',
        detail: '',
      },
    ])
    return door
  }
  const devToken = (door: Door) => door.issuer.token({ sub: 'sub-dev', email: 'dev@demo' })
  const seqs = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { seq: number }).seq)

  it.each(['sre', 'audit'])('are all shown to group %s', async (group) => {
    const door = await withRecords()
    const token = await door.issuer.token({ groups: [group] })
    expect(seqs(await (await ask(door, paths.records, { token })).text())).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('of their own sessions are shown to others, with the decisions on them, and nothing else', async () => {
    const door = await withRecords()
    const token = await devToken(door)
    expect(seqs(await (await ask(door, paths.records, { token })).text())).toEqual([1, 3, 5])
    expect(seqs(await (await ask(door, `${paths.records}?tail=2`, { token })).text())).toEqual([3, 5])
    expect(seqs(await (await ask(door, `${paths.records}?user=other@demo`, { token })).text())).toEqual([])
    expect(await errorOf(await ask(door, `${paths.records}?session=ses_2`, { token }))).toMatchObject({ status: 404 })
  })

  it('go out as the very lines that were sealed', async () => {
    const door = await withRecords()
    const token = await door.issuer.token({ groups: ['audit'] })
    const answer = await ask(door, paths.records, { token })
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    for (const line of (await answer.text()).split('\n').filter(Boolean))
      expect(line).toMatch(/^\{"v":1,.*"hash":"[0-9a-f]{64}"\}$/)
  })

  it('that come are followed, with empty lines while none come', async () => {
    const audit = await openAudit({
      path: storePath(),
      flush: false,
      clock: systemClock,
      log: { info() {}, warn() {}, error() {} },
    })
    const door = await open({ audit, beatMs: 20 })
    scope.defer(() => audit.close())
    await audit.append([sessionStart('ses_1')])
    const answer = await ask(door, paths.followRecords, { token: await door.issuer.token({ groups: ['audit'] }) })
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (done: () => boolean) => {
      while (!done()) text += (await reader?.read())?.value ?? ''
    }
    await until(() => text.includes('\n\n'))
    await audit.append([command('cmd_1')])
    await until(() => text.includes('cmd_1'))
    expect(seqs(text)).toEqual([1, 2])
    await reader?.cancel()
  })

  it('cannot be followed from a tail', async () => {
    expect(await errorOf(await ask(await withRecords(), `${paths.followRecords}?tail=3`))).toMatchObject({
      status: 400,
      code: 'usage',
    })
  })
})

describe('a stream', () => {
  /** Yields lines for ever, as fast as they are taken, until told to stop. */
  function endless() {
    const state = { produced: 0, stopped: Promise.withResolvers<void>() }
    async function* lines(_filter: unknown, signal: AbortSignal): AsyncGenerator<string> {
      signal.addEventListener('abort', () => state.stopped.resolve(), { once: true })
      while (!signal.aborted) {
        state.produced += 1
        yield 'x'.repeat(10_000)
        if (state.produced % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    return { state, lines }
  }
  const auditor = async (door: Door) => ({ token: await door.issuer.token({ groups: ['audit'] }) })

  it('stops its source when the reader leaves', async () => {
    const { state, lines } = endless()
    const door = await open({ audit: { follow: lines } })
    const answer = await ask(door, paths.followRecords, await auditor(door))
    const reader = answer.body?.getReader()
    await reader?.read()
    await reader?.cancel()
    await state.stopped.promise
  })

  it('asks no more of its source than a slow reader takes', async () => {
    const { state, lines } = endless()
    const door = await open({ audit: { follow: lines } })
    const token = await door.issuer.token({ groups: ['audit'] })
    const socket = connect(door.port, '127.0.0.1')
    scope.defer(() => void socket.destroy())
    socket.write(`GET ${paths.followRecords} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n\r\n`)
    await once(socket, 'readable')
    socket.pause()
    let before = -1
    while (before !== state.produced) {
      before = state.produced
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(state.produced * 10_000).toBeLessThan(32 * 1024 * 1024)
  })

  it('begins at once, also when there is nothing to say yet', async () => {
    const quiet = async function* (_filter: unknown, signal: AbortSignal): AsyncGenerator<string> {
      await once(signal, 'abort')
      yield 'too late'
    }
    const door = await open({ audit: { follow: quiet }, beatMs: 60_000 })
    const signal = AbortSignal.timeout(5000)
    const answer = await fetch(`${door.url}${paths.followRecords}`, {
      headers: { authorization: `Bearer ${await door.issuer.token({ groups: ['audit'] })}` },
      signal,
    })
    expect(answer.status).toBe(200)
    await answer.body?.cancel()
  })

  it('ends when its token does, so that nobody reads on with rights they had', async () => {
    const { state, lines } = endless()
    const quiet = async function* (filter: unknown, signal: AbortSignal) {
      yield* lines(filter, signal)
    }
    const door = await open({ audit: { follow: quiet } })
    // The tolerance for clocks that differ is 30 s: such a token is taken, and its stream over at once.
    const token = await door.issuer.token({ groups: ['audit'], exp: Math.floor(Date.now() / 1000) - 1 })
    await (await ask(door, paths.followRecords, { token })).text()
    await state.stopped.promise
  })

  it('ends when the server closes', async () => {
    const { lines } = endless()
    const door = await startDoor({ audit: { follow: lines } })
    const answer = await ask(door, paths.followRecords, await auditor(door))
    const reader = answer.body?.getReader()
    await reader?.read()
    const closed = door.close()
    for (;;) if ((await reader?.read())?.done !== false) break
    await closed
  })

  it('of approvals has the snapshot first, and beats of its own', async () => {
    async function* watch(_caller: unknown, signal: AbortSignal): AsyncGenerator<ApprovalEvent> {
      yield { event: 'snapshot', approvals: [] }
      await once(signal, 'abort').catch(() => {})
    }
    const door = await open({ approvals: { watch }, beatMs: 10 })
    const answer = await ask(door, paths.approvalEvents)
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('snapshot') || !text.endsWith('\n')) text += (await reader?.read())?.value ?? ''
    expect(text.split('\n').filter((line) => line !== '{"event":"beat"}')).toEqual([
      '{"event":"snapshot","approvals":[]}',
      '',
    ])
    await reader?.cancel()
  })
})

describe('for operators', () => {
  it('/readyz is 503 with the reason while the audit cannot write', async () => {
    const door = await open({ audit: { health: () => ({ ok: false, reason: 'the disk is full' }) } })
    const answer = await ask(door, '/readyz', { token: null })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toEqual({ ready: false, checks: { audit: 'the disk is full', identity: 'ok' } })
  })

  it('/readyz is 503 while tokens cannot be verified', async () => {
    const door = await open()
    door.issuer.fail(500)
    const answer = await ask(door, '/readyz', { token: null })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ checks: { identity: expect.stringContaining(door.issuer.url) } })
  })

  it('/metrics counts answers, links and bytes', async () => {
    const door = await open()
    await ask(door, paths.me)
    await ask(door, paths.me, { token: null })
    const text = await (await ask(door, '/metrics', { token: null })).text()
    expect(text).toContain('hoop_http_answers_total{status="200"} 1')
    expect(text).toContain('hoop_http_answers_total{status="401"} 1')
    expect(text).toMatch(/hoop_open_sockets \d/)
    expect(text).toContain('# TYPE hoop_commands_total counter')
    expect(text).toContain('# TYPE hoop_audit_flush_seconds histogram')
  })

  it('/openapi.json names every route with its schemas', async () => {
    const document = (await (await ask(await open(), '/openapi.json', { token: null })).json()) as {
      paths: Record<string, Record<string, { requestBody?: unknown; responses?: Record<string, unknown> }>>
    }
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        '/.well-known/hoop',
        '/healthz',
        '/metrics',
        '/readyz',
        '/v1/approvals',
        '/v1/approvals/events',
        '/v1/approvals/{id}',
        '/v1/approvals/{id}/decision',
        '/v1/me',
        '/v1/records',
        '/v1/records/follow',
        '/v1/sessions',
        '/v1/sessions/{id}',
        '/v1/sessions/{id}/end',
        '/v1/sessions/{id}/kill',
        '/v1/sessions/{id}/recordings',
        '/v1/sessions/{id}/recordings/{command}',
        '/v1/targets',
      ].sort(),
    )
    expect(JSON.stringify(document.paths['/v1/sessions']?.post?.requestBody)).toContain('"targets"')
    expect(JSON.stringify(document.paths['/v1/me']?.get?.responses)).toContain('"subject"')
  })
})

describe('one port', () => {
  it('answers the API over HTTP/2 too, errors included', async () => {
    const door = await open()
    const session = connectHttp2(door.url)
    scope.defer(() => session.close())
    const get = async (path: string, headers: Record<string, string> = {}) => {
      const stream = session.request({ ':path': path, ...headers })
      const [answer] = (await once(stream, 'response')) as [{ ':status': number }]
      return { status: answer[':status'], body: JSON.parse(Buffer.concat(await stream.toArray()).toString()) }
    }
    expect(await get(paths.me, { authorization: `Bearer ${await door.token()}` })).toMatchObject({
      status: 200,
      body: { user: 'ana@acme' },
    })
    expect(await get(paths.me)).toMatchObject({ status: 401, body: { error: { code: 'sign-in-needed' } } })
    expect(await get('/nope')).toMatchObject({ status: 404 })
    expect(await get(paths.wellKnown, { origin: 'https://evil.example' })).toMatchObject({ status: 403 })
  })

  it('understands a request that arrives one byte at a time', async () => {
    const door = await open()
    const socket = connect({ host: '127.0.0.1', port: door.port, noDelay: true })
    scope.defer(() => void socket.destroy())
    for (const byte of 'PUT /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n') {
      socket.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(Buffer.concat(await socket.toArray()).toString()).toContain('there is no PUT /healthz')
  })

  it.each(['', 'PRI * HT', 'GET / HT'])('lets go of a client that leaves after %j', async (said) => {
    const door = await open()
    const socket = connect(door.port, '127.0.0.1')
    socket.end(said)
    socket.resume()
    await once(socket, 'close')
  })
})
