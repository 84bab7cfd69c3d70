/** What the dialect does to requests and answers on their way, without a connection. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createDialect } from '../../../../src/gateway/protocols/kubernetes/dialect.ts'
import { createSecondTries } from '../../../../src/gateway/protocols/kubernetes/second-try.ts'
import { createShellReader, type ShellReader } from '../../../../src/gateway/protocols/shell/reader.ts'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import { noMasks } from '../../../support/conversation.ts'
import { credentialOf } from '../../../support/credentials.ts'
import { permitFor } from '../../../support/permits.ts'
import { targetAt } from './door.ts'
import { requestFor } from './requests.ts'

let shell: ShellReader
beforeAll(async () => {
  shell = await createShellReader({ maxBytes: 1024 * 1024 })
})

const bearer = credentialOf(undefined, { user: 'ana@acme.test', groups: ['dev', 'system:masters'] }).bearer

function world(settings: Parameters<typeof targetAt>[1] = {}) {
  const target = targetAt(1, settings)
  const time = { now: 0 }
  const parts = {
    shell,
    clock: { now: () => time.now, elapsed: () => time.now },
    secondTries: createSecondTries(),
    target,
    bearer,
    preview: () => ({ verdict: 'allow', rule: null, reason: '', config: '' }) as const,
  }
  /** Each connection has its own. */
  return { target, time, dialect: () => createDialect(parts) }
}

const secrets = 'GET /api/v1/namespaces/prod/secrets/db'
const exec = '/api/v1/namespaces/prod/pods/web/exec?command=ls'

describe('a request on its way to the cluster', () => {
  const outward = (line: string, fields: readonly (readonly [string, string])[], settings = {}) => {
    const { target, dialect } = world(settings)
    return dialect().outward(requestFor(line, undefined, { fields }).head, target, bearer, noMasks).fields
  }

  it.each([
    'Authorization',
    'authorization',
    'Impersonate-User',
    'IMPERSONATE-GROUP',
    'Impersonate-Uid',
    'Impersonate-Extra-Scopes',
    'Impersonate_User',
    'X-Remote-User',
    'X-Remote-Extra-Acme.com%2Fproject',
    'X_Remote_Group',
    'X-Forwarded-For',
    'X-Client-Cert',
    'Cookie',
  ])('does not say what the client says in %s', (name) => {
    expect(
      outward('GET /api/v1/pods', [
        [name, 'system:admin'],
        ['User-Agent', 'kubectl'],
      ]),
    ).toEqual([['User-Agent', 'kubectl']])
  })

  it('has no token among the protocols of its WebSocket', () => {
    const { target, dialect } = world()
    const { head } = requestFor(`GET ${exec}`, undefined, {
      upgrade: 'websocket',
      fields: [['Sec-WebSocket-Protocol', 'base64url.bearer.authorization.k8s.io.dDBrZW4, v5.channel.k8s.io']],
    })
    expect(dialect().outward(head, target, bearer, noMasks).fields).toEqual([
      ['Sec-WebSocket-Protocol', 'v5.channel.k8s.io'],
    ])
  })

  it('names the person and the groups, but none of the cluster’s own', () => {
    expect(outward('GET /api/v1/pods', [['Impersonate-User', 'x']], { impersonate: true })).toEqual([
      ['Impersonate-User', 'ana@acme.test'],
      ['Impersonate-Group', 'dev'],
    ])
  })

  it.each([
    ['application/vnd.kubernetes.protobuf,application/json', 'application/json'],
    [
      'application/vnd.kubernetes.protobuf;as=Table, application/json;as=Table;v=v1;g=meta.k8s.io',
      'application/json;as=Table;v=v1;g=meta.k8s.io',
    ],
    ['application/yaml', 'application/json'],
    ['application/cbor, */*', '*/*'],
    ['application/json, */*', 'application/json, */*'],
  ])('asks for a Secret in a form that can be masked: %s', (given, expected) => {
    expect(outward(secrets, [['Accept', given]])).toContainEqual(['Accept', expected])
    expect(outward('GET /api/v1/pods', [['Accept', given]])).toEqual([['Accept', given]])
  })
})

describe('an answer on its way to the client', () => {
  const results = (line: string, type: string, status = 200) => {
    const { target, dialect } = world()
    const request = requestFor(line)
    const made = dialect()
    const cleared = { request, command: made.command(request, target), permit: permitFor('cmd') }
    return made.results(cleared, { status, fields: [['Content-Type', type]] }, target)
  }

  it.each(['application/vnd.kubernetes.protobuf', 'application/cbor', 'application/yaml', 'text/plain', 'text/html'])(
    'about a Secret is withheld as %s',
    (type) => {
      expect(results(secrets, type)).toMatchObject({ kind: 'withheld', reason: expect.stringContaining(type) })
    },
  )

  it('about a Secret is looked at as JSON, and an error in any form', () => {
    expect(results(secrets, 'application/json').kind).toBe('through')
    expect(results(secrets, 'text/plain', 404).kind).toBe('through')
  })

  it.each(['GET /api/v1/pods', 'GET /openapi/v2', 'GET /apis'])('passes where nothing is to be masked: %s', (line) => {
    expect(results(line, 'application/vnd.kubernetes.protobuf').kind).toBe('untouched')
  })
})

describe('a second try over SPDY', () => {
  const refusal: Refusal = {
    code: 'denied',
    message: 'refused: no',
    next: 'ask ana',
    approval: 'apr_1',
    command: 'cmd_1',
  }
  const webSocket = requestFor(`GET ${exec}`, undefined, {
    upgrade: 'websocket',
    fields: [['Sec-WebSocket-Protocol', 'v5.channel.k8s.io']],
  })
  const spdy = (target = exec) =>
    requestFor(`POST ${target}`, undefined, {
      upgrade: 'spdy/3.1',
      fields: [['X-Stream-Protocol-Version', 'v5.channel.k8s.io']],
    })
  const told = (answer: { readonly body: Uint8Array }) => JSON.parse(Buffer.from(answer.body).toString())

  it('has the answer of the first one, on another connection, once', () => {
    const { target, dialect } = world()
    dialect().refusal(refusal, webSocket.head)
    const second = dialect()
    expect(second.unsendable(spdy(), target)).toBe('no')
    const answer = second.refusal(
      { ...refusal, message: 'refused: no', command: 'cmd_2', approval: undefined },
      spdy().head,
    )
    expect(told(answer).message).toBe('refused: no; ask ana (cmd_1)')
    expect(JSON.parse(told(answer).details.causes[0].message)).toMatchObject({ approval: 'apr_1' })
    expect(dialect().unsendable(spdy(), target)).toBeUndefined()
  })

  it('is a question of its own when it comes late, or asks for something else', () => {
    const { target, time, dialect } = world()
    dialect().refusal(refusal, webSocket.head)
    expect(dialect().unsendable(spdy(exec.replace('=ls', '=id')), target)).toBeUndefined()
    time.now += 5001
    expect(dialect().unsendable(spdy(), target)).toBeUndefined()
  })

  it('is a question of its own where the first one offered nothing that can be followed', () => {
    const { target, dialect } = world()
    const unknown = requestFor(`GET ${exec}`, undefined, {
      upgrade: 'websocket',
      fields: [['Sec-WebSocket-Protocol', 'v9.channel.k8s.io']],
    })
    expect(dialect().unsendable(unknown, target)).toContain('offers no protocol')
    dialect().refusal(refusal, unknown.head)
    expect(dialect().unsendable(spdy(), target)).toBeUndefined()
  })
})

describe('a refusal', () => {
  it.each([
    ['denied', 403, 'Forbidden'],
    ['approval-expired', 403, 'Forbidden'],
    // After a conflict clients try again, and after 404 they believe that it is gone.
    ['cancelled', 403, 'Forbidden'],
    ['not-found', 403, 'Forbidden'],
    ['killed', 503, 'ServiceUnavailable'],
    ['audit-unavailable', 503, 'ServiceUnavailable'],
    ['target-unreachable', 502, 'ServiceUnavailable'],
    ['internal', 500, 'InternalError'],
  ] as const)('%s is %i %s', (code, status, reason) => {
    const { dialect } = world()
    const answer = dialect().refusal({ code, message: 'm', next: 'n' }, requestFor('GET /api/v1/pods').head)
    expect(answer.status).toBe(status)
    expect(JSON.parse(Buffer.from(answer.body).toString())).toMatchObject({
      kind: 'Status',
      code: status,
      reason,
      message: 'm; n',
    })
  })

  it.each([
    [415, requestFor('POST /api/v1/pods', {}, { type: 'application/cbor' })],
    [406, requestFor(secrets, undefined, { fields: [['Accept', 'application/vnd.kubernetes.protobuf']] })],
    [403, requestFor('POST /api/v1/pods', {})],
  ])('says by %i what form would be understood', (status, { head }) => {
    const { dialect } = world()
    expect(dialect().refusal({ code: 'not-understood', message: 'm', next: 'n' }, head).status).toBe(status)
  })
})
