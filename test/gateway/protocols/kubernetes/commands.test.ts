import { beforeAll, describe, expect, it } from 'vitest'
import type { Command } from '../../../../src/contract/command.ts'
import { commandOf } from '../../../../src/gateway/protocols/kubernetes/commands.ts'
import { createShellReader, type ShellReader } from '../../../../src/gateway/protocols/shell/reader.ts'
import { requestFor, type Wanted } from './requests.ts'

let shell: ShellReader
beforeAll(async () => {
  shell = await createShellReader({ maxBytes: 1024 * 1024 })
})

function asked(line: string, body?: unknown, wanted?: Wanted): Command {
  return commandOf(requestFor(line, body, wanted), shell)
}

/** What a reviewer is told beside the request itself. */
function summary(line: string, body?: unknown, wanted?: Wanted): readonly string[] {
  return [...asked(line, body, wanted).text.matchAll(/^Hoop-Summary: (.*)$/gm)].map(([, text]) => text ?? '')
}

const pods = '/api/v1/namespaces/prod/pods'
const deployments = '/apis/apps/v1/namespaces/prod/deployments'
const container = (more: object = {}) => ({ name: 'app', image: 'nginx:1.27', ...more })
const deployment = (spec: object, name = 'api') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'prod' },
  spec: { replicas: 3, template: { spec } },
})

describe('an API call as a command', () => {
  it.each([
    [`GET ${pods}`, 'list pods', 'read', ['prod/*']],
    ['GET /api/v1/pods', 'list pods', 'read', ['*/*']],
    ['GET /api/v1/nodes', 'list nodes', 'read', ['*']],
    ['GET /apis/example.com/v1/widgets', 'list widgets.example.com', 'read', ['*/*']],
    [`GET ${pods}/web`, 'get pods', 'read', ['prod/web']],
    [`GET ${pods}?watch=1&fieldSelector=metadata.name%3Dweb`, 'watch pods', 'read', ['prod/web']],
    [`GET ${pods}/web/log?follow=true`, 'get pods/log', 'read', ['prod/web']],
    ['GET /api/v1/namespaces/prod/secrets/db', 'get secrets', 'read', ['prod/db']],
    ['GET /api/v1/namespaces/prod', 'get namespaces', 'read', ['prod']],
    [`DELETE ${deployments}/api`, 'delete deployments', 'write', ['prod/api']],
    [`POST ${pods}/web/eviction`, 'create pods/eviction', 'write', ['prod/web']],
    [`PUT ${deployments}/api/scale`, 'update deployments/scale', 'write', ['prod/api']],
    [`POST ${pods}/web/binding`, 'create pods/binding', 'admin', ['prod/web']],
    [`PATCH ${pods}/web/ephemeralcontainers`, 'patch pods/ephemeralcontainers', 'admin', ['prod/web']],
    [`GET ${pods}/web/proxy/admin`, 'get pods/proxy', 'admin', ['prod/web']],
    [`POST ${pods}/web/portforward`, 'create pods/portforward', 'admin', ['prod/web']],
    ['POST /api/v1/namespaces/prod/serviceaccounts/ci/token', 'create serviceaccounts/token', 'admin', ['prod/ci']],
    ['PUT /apis/rbac.authorization.k8s.io/v1/clusterroles/admin', 'update clusterroles', 'admin', ['admin']],
    ['POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'create selfsubjectaccessreviews', 'read', ['*']],
    ['GET /version', 'get', 'read', ['/version']],
    ['PUT /debug/flags/v', 'put', 'admin', ['/debug/flags/v']],
    [
      'GET /apis/serving.knative.dev/v1/namespaces/prod/services/web',
      'get services.serving.knative.dev',
      'read',
      ['prod/web'],
    ],
  ])('%s is %s, %s', (line, verb, kind, objects) => {
    const command = asked(line)
    expect(command).toMatchObject({ protocol: 'kubernetes', verb, objects, facts: { kind, parsed: true } })
    expect(command.actions[0]).toMatchObject({ verb, kind, objects })
  })

  it.each([
    [`DELETE ${pods}`, true],
    [`DELETE ${pods}?labelSelector=app%3Dweb`, true],
    ['DELETE /api/v1/namespaces/prod', true],
    ['DELETE /apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com', true],
    [`DELETE ${pods}/web`, false],
    [`GET ${pods}`, false],
  ])('%s: unbounded is %s', (line, unbounded) => {
    expect(asked(line).facts.unbounded).toBe(unbounded)
    expect(asked(line).actions[0]?.unbounded).toBe(unbounded)
  })

  it('names what is created by the name that the object has', () => {
    expect(asked(`POST ${deployments}`, deployment({ containers: [] })).objects).toEqual(['prod/api'])
    expect(asked(`POST ${pods}`, { metadata: { generateName: 'job-' } }).objects).toEqual(['prod/job-*'])
    expect(asked(`POST ${pods}`, {}).objects).toEqual(['prod/*'])
  })

  it('takes no name from a body where the path has one', () => {
    expect(asked(`PUT ${deployments}/api`, deployment({}, 'other')).objects).toEqual(['prod/api'])
  })

  it('is written as the request that it was, and nothing of who asked', () => {
    const body = { spec: { replicas: 2 } }
    const { text } = asked(`PATCH ${deployments}/api?fieldManager=x`, body, {
      type: 'application/merge-patch+json',
      fields: [
        ['Authorization', 'Bearer t0ken'],
        ['Cookie', 'a=b'],
        ['Kubectl-Command', 'kubectl patch'],
      ],
    })
    expect(text).toBe(
      [
        `PATCH ${deployments}/api?fieldManager=x`,
        'Hoop-Summary: replicas 2',
        'Content-Type: application/merge-patch+json',
        'Kubectl-Command: kubectl patch',
        '',
        JSON.stringify(body),
      ].join('\n'),
    )
  })

  it('lets no field of the client speak as the summary', () => {
    const { text } = asked(`GET ${pods}`, undefined, { fields: [['Hoop-Summary', 'harmless']] })
    expect(text).toBe(`GET ${pods}`)
  })

  it('gives rules the parts of the call, its query and its body', () => {
    const { fields } = asked(`POST ${deployments}?dryRun=All`, deployment({ containers: [container()] }))
    const values = new Map(fields?.map(({ at, value }) => [at, value]))
    expect(values.get('group')).toBe('apps')
    expect(values.get('resource')).toBe('deployments')
    expect(values.get('namespace')).toBe('prod')
    expect(values.get('query:dryRun')).toBe('All')
    expect(values.get('body:/spec/template/spec/containers/0/image')).toBe('nginx:1.27')
  })

  it.each([
    ['is not JSON', '{"spec":'],
    ['says something twice', '{"spec":{"replicas":1,"replicas":9}}'],
    ['is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('is not understood where its body %s', (_, body) => {
    expect(asked(`POST ${deployments}`, Buffer.from(body)).facts.parsed).toBe(false)
  })

  it.each(['application/cbor', 'application/apply-patch+cbor', 'application/vnd.kubernetes.protobuf', 'text/plain'])(
    'is not understood where its body is %s and cannot be read',
    (type) => {
      expect(asked(`POST ${deployments}`, Buffer.from('k8s\0nonsense'), { type }).facts.parsed).toBe(false)
    },
  )

  it('is not understood where its body is said to be two things', () => {
    const command = asked(`POST ${deployments}`, {}, { fields: [['content-type', 'application/yaml']] })
    expect(command.facts.parsed).toBe(false)
  })

  it('is not understood where its path is in doubt, and is the worst then', () => {
    expect(asked('GET /api/v1//secrets').facts).toMatchObject({ parsed: false, kind: 'admin', unbounded: true })
  })
})

describe('a program in a pod', () => {
  const exec = `${pods}/web/exec?container=app&command=sh&command=-c&command=ls+%2F%3B+rm+-rf+%2Fdata&stdout=true`

  it.each(['GET', 'POST'])('is the same command by %s', (method) => {
    const command = asked(`${method} ${exec}`)
    expect(command.verb).toBe('create pods/exec')
    expect(command.actions.map(({ verb, kind, objects }) => [verb, kind, objects])).toEqual([
      ['create pods/exec', 'admin', ['prod/web']],
      ['exec sh', 'read', []],
      ['exec ls', 'read', ['/']],
      ['exec rm', 'write', ['/data']],
    ])
    expect(command.actions[0]?.arguments).toEqual(['sh', '-c', 'ls /; rm -rf /data'])
    expect(command.facts).toMatchObject({ kind: 'admin', unbounded: true, functions: ['sh', 'ls', 'rm'], parsed: true })
    expect(command.facts.reaches).toEqual(expect.arrayContaining(['program', 'file']))
  })

  it('is told to people as they would type it', () => {
    expect(summary(`POST ${exec}&tty=true&stdin=true`)).toEqual([
      "runs sh -c 'ls /; rm -rf /data' (in container app, on a terminal, with input)",
    ])
  })

  it('is not understood where none is named', () => {
    expect(asked(`POST ${pods}/web/exec`).facts.parsed).toBe(false)
  })

  it('may be anything where its script is not one of the shell’s grammar', () => {
    const { facts } = asked(`POST ${pods}/web/exec?command=sh&command=-c&command=if+%28`)
    expect(facts).toMatchObject({ kind: 'admin', dynamic: true })
  })

  it('is what a kubelet is asked for behind a proxy', () => {
    const command = asked('POST /api/v1/nodes/n1/proxy/run/prod/web/app?cmd=rm+-rf+/data')
    expect(command.actions.map(({ verb }) => verb)).toEqual(['create nodes/proxy', 'create pods/exec', 'exec rm'])
    expect(command.objects).toEqual(['n1', 'prod/web', '/data'])
  })

  it('is dynamic where one goes on with what runs', () => {
    expect(asked(`POST ${pods}/web/attach?stdin=true`).facts).toMatchObject({ kind: 'admin', dynamic: true })
  })
})

describe('what reaches out of a pod', () => {
  it.each([
    ['runs privileged', { containers: [container({ securityContext: { privileged: true } })] }],
    ['runs privileged', { initContainers: [container({ securityContext: { privileged: 'yes' } })] }],
    ['mounts / of the node', { volumes: [{ name: 'a', hostPath: { path: '/' } }], containers: [] }],
    ['sees the processes of the node', { hostPID: true, containers: [] }],
    ['uses the network of the node', { hostNetwork: true, containers: [] }],
    [
      'has the capability SYS_ADMIN',
      { containers: [container({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } })] },
    ],
    ['takes port 80 of the node', { containers: [container({ ports: [{ containerPort: 80, hostPort: 80 }] })] }],
  ])('%s', (line, spec) => {
    const body = deployment(spec)
    const command = asked(`POST ${deployments}`, body)
    expect(command.facts).toMatchObject({ kind: 'admin', reaches: ['server'] })
    expect(summary(`POST ${deployments}`, body)).toContain(line)
  })

  it.each([
    ['merge', 'application/merge-patch+json', { spec: { template: { spec: { hostPID: true } } } }],
    ['strategic', 'application/strategic-merge-patch+json', { spec: { template: { spec: { hostPID: true } } } }],
    ['JSON', 'application/json-patch+json', [{ op: 'add', path: '/spec/template/spec/hostPID', value: true }]],
    ['JSON', 'application/json-patch+json', [{ op: 'replace', path: '/spec/template/spec', value: { hostPID: true } }]],
    [
      'server-side apply',
      'application/apply-patch+yaml',
      Buffer.from('spec:\n  template:\n    spec:\n      hostPID: yes\n'),
    ],
  ])('is found in a %s patch', (_, type, body) => {
    expect(asked(`PATCH ${deployments}/api`, body, { type }).facts).toMatchObject({ kind: 'admin', parsed: true })
  })

  it.each([
    { containers: [container({ securityContext: { privileged: false, allowPrivilegeEscalation: false } })] },
    { hostNetwork: false, containers: [container({ ports: [{ hostPort: 0 }] })] },
  ])('is not what is plainly off', (spec) => {
    expect(asked(`POST ${deployments}`, deployment(spec)).facts.kind).toBe('write')
  })

  it('is not what a label or a ConfigMap says', () => {
    const body = { metadata: { name: 'a', labels: { privileged: 'yes' } }, data: { hostPID: 'true' } }
    expect(asked('POST /api/v1/namespaces/prod/configmaps', body).facts.kind).toBe('write')
  })
})

describe('the summary of a change', () => {
  it('says what runs, how often, and as whom', () => {
    const spec = { serviceAccountName: 'ci', containers: [container({ command: ['sh', '-c'], args: ['echo hi'] })] }
    expect(summary(`POST ${deployments}`, deployment(spec))).toEqual([
      'replicas 3',
      'serviceAccountName ci',
      'image nginx:1.27',
      "runs sh -c 'echo hi'",
    ])
  })

  it('says whose rights change', () => {
    const body = {
      metadata: { name: 'r' },
      roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [
        { kind: 'ServiceAccount', namespace: 'prod', name: 'ci' },
        { kind: 'User', name: 'mallory' },
      ],
    }
    expect(summary('POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings', body)).toEqual([
      'grants ClusterRole cluster-admin',
      'to ServiceAccount prod/ci',
      'to User mallory',
    ])
    const role = { rules: [{ verbs: ['*'], apiGroups: [''], resources: ['secrets'] }] }
    expect(summary('POST /apis/rbac.authorization.k8s.io/v1/clusterroles', role)).toEqual(['lets them * secrets'])
  })

  it('says each operation of a JSON patch', () => {
    const body = [
      { op: 'replace', path: '/spec/replicas', value: 5 },
      { op: 'remove', path: '/spec/paused' },
    ]
    expect(summary(`PATCH ${deployments}/api`, body, { type: 'application/json-patch+json' })).toEqual([
      'replace /spec/replicas 5',
      'remove /spec/paused',
    ])
  })

  it('says that something is applied, and what it takes over', () => {
    const yaml = Buffer.from('apiVersion: apps/v1\nkind: Deployment\nspec:\n  replicas: 4\n')
    const type = 'application/apply-patch+yaml'
    expect(summary(`PATCH ${deployments}/api?fieldManager=k`, yaml, { type })).toEqual(['applied', 'replicas 4'])
    expect(summary(`PATCH ${deployments}/api?fieldManager=k&force=true`, yaml, { type })).toEqual([
      'applied, taking over what others manage',
      'replicas 4',
    ])
  })

  it('says how something is deleted', () => {
    expect(summary(`DELETE ${pods}/web`, { propagationPolicy: 'Foreground', gracePeriodSeconds: 0 })).toEqual([
      'what depends on it goes first',
      'at once, without its grace period',
    ])
    expect(summary(`DELETE ${pods}?labelSelector=app%3Dweb`)).toEqual(['those with app=web'])
    expect(summary(`DELETE ${pods}`)).toEqual(['all of them'])
  })

  it.each([
    [`DELETE ${pods}/web?dryRun=All`, undefined],
    [`DELETE ${pods}/web`, { dryRun: ['All'] }],
    [`POST ${pods}?dryRun=All`, { metadata: { name: 'a' } }],
  ])('says that nothing is kept: %s', (line, body) => {
    expect(summary(line, body)).toContain('a dry run: nothing of it is kept')
  })

  it('cannot be broken into other lines by what the client says', () => {
    const spec = { containers: [container({ image: 'a\nAuthorization: x\r\n\r\nb' })] }
    const { text } = asked(`POST ${deployments}`, deployment(spec))
    expect(text.split('\n\n')[0]).toContain('Hoop-Summary: image a Authorization: x b')
  })
})

describe('Secrets in requests', () => {
  const secrets = '/api/v1/namespaces/prod/secrets'
  const value = Buffer.from('hunter2').toString('base64')
  const lastApplied = JSON.stringify({ kind: 'Secret', metadata: { name: 'db' }, data: { password: value } })
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'db', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied } },
    data: { password: value },
    stringData: { plain: 'hunter2' },
  }

  it.each([
    ['created', `POST ${secrets}`, secret, 'application/json'],
    ['replaced', `PUT ${secrets}/db`, secret, 'application/json'],
    ['patched', `PATCH ${secrets}/db`, { data: { password: value } }, 'application/merge-patch+json'],
    ['patched', `PATCH ${secrets}/db`, { stringData: { plain: 'hunter2' } }, 'application/strategic-merge-patch+json'],
    ['patched', `PATCH ${secrets}/db`, [{ op: 'add', path: '/data/password', value }], 'application/json-patch+json'],
    ['patched', `PATCH ${secrets}/db`, [{ op: 'add', path: '', value: secret }], 'application/json-patch+json'],
    ['applied', `PATCH ${secrets}/db`, Buffer.from('stringData:\n  plain: hunter2\n'), 'application/apply-patch+yaml'],
    ['not read', `POST ${secrets}`, Buffer.from(`{"data":{"password":"${value}"}`), 'application/json'],
    ['not read', `POST ${secrets}`, Buffer.from('k8s\0hunter2'), 'application/vnd.kubernetes.protobuf'],
  ])('stand nowhere when they are %s', (_, line, body, type) => {
    const said = JSON.stringify(asked(line, body, { type }))
    expect(said).not.toContain('hunter2')
    expect(said).not.toContain(value)
    expect(said).not.toContain(value.replace(/=+$/, ''))
  })

  it('are told by their names', () => {
    expect(summary(`POST ${secrets}`, secret)).toEqual(['values of password, plain'])
  })

  it('leave no token of a review behind', () => {
    const body = { spec: { token: 'eyJhbGciOi' } }
    expect(JSON.stringify(asked('POST /apis/authentication.k8s.io/v1/tokenreviews', body))).not.toContain('eyJhbGciOi')
  })
})
