/**
 * Ways around rules about Kubernetes. In the cluster stand: in `prod` the Secret `db` that nobody may read, another one,
 * the ConfigMap and the Deployment `victim`, the pod `web`; a namespace `dev`. `verdict` is that of the careful rules,
 * `trusting` that of rules which allow everything (left out: allow).
 */

export type Verdict = 'allow' | 'deny' | 'hold'

export interface Attempt {
  /** `GET /path`. */
  readonly line: string
  readonly fields?: readonly (readonly [string, string])[]
  /** Written as JSON where it is no text. */
  readonly body?: unknown
  readonly type?: string
  readonly upgrade?: 'websocket' | 'spdy/3.1'
  readonly verdict: Verdict
  readonly trusting?: Verdict
}

const prod = '/api/v1/namespaces/prod'
const dev = '/api/v1/namespaces/dev'
const victim = `${prod}/configmaps/victim`
const deployment = '/apis/apps/v1/namespaces/dev/deployments/app'
const web = `${prod}/pods/web`

const merge = 'application/merge-patch+json'
const strategic = 'application/strategic-merge-patch+json'
const jsonPatch = 'application/json-patch+json'
const apply = 'application/apply-patch+yaml'
const changed = { data: { a: 'changed' } }
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'victim', namespace: 'prod' }, ...changed }
const pod = (spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { generateName: 'try-' },
  spec: { containers: [{ name: 'a', image: 'a' }], ...spec },
})
const websocket = { upgrade: 'websocket', fields: [['Sec-WebSocket-Protocol', 'v5.channel.k8s.io']] } as const
const spdy = { upgrade: 'spdy/3.1', fields: [['X-Stream-Protocol-Version', 'v4.channel.k8s.io']] } as const
const run = (words: string) =>
  `?stdout=true&${words
    .split(' ')
    .map((word) => `command=${encodeURIComponent(word)}`)
    .join('&')}`

/** What honest clients ask. */
export const honest: readonly Attempt[] = [
  { line: 'GET /version', verdict: 'allow' },
  { line: 'GET /api', verdict: 'allow' },
  { line: 'GET /apis/apps/v1', verdict: 'allow' },
  { line: 'GET /openapi/v3/', verdict: 'allow' },
  { line: `GET ${prod}/pods`, verdict: 'allow' },
  { line: `GET ${web}/log`, verdict: 'allow' },
  { line: `GET ${prod}/secrets/other`, verdict: 'allow' },
  { line: `PATCH ${dev}/configmaps/own`, body: changed, type: merge, verdict: 'allow' },
  {
    line: 'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
    },
    verdict: 'allow',
  },
]

/** At the Secret that may not be read. */
const reading: readonly Attempt[] = [
  { line: `GET ${prod}/secrets/db`, verdict: 'deny' },
  { line: `HEAD ${prod}/secrets/db`, verdict: 'deny' },
  { line: `GET ${prod}/secrets`, verdict: 'deny' },
  { line: 'GET /api/v1/secrets', verdict: 'deny' },
  { line: `GET ${prod}/secrets?limit=1`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?labelSelector=a%3Db`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?watch=1&timeoutSeconds=1`, verdict: 'deny' },
  { line: `GET ${prod}/secrets/db?watch=1&timeoutSeconds=1`, verdict: 'deny' },
  { line: '/api/v1/watch/secrets'.replace(/^/, 'GET '), verdict: 'deny' },
  { line: 'GET /api/v1/watch/namespaces/prod/secrets?timeoutSeconds=1', verdict: 'deny' },
  { line: 'GET /api/v1/watch/namespaces/prod/secrets/db?timeoutSeconds=1', verdict: 'deny' },
  { line: `GET ${prod}/secrets?fieldSelector=metadata.name%3Ddb`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?fieldSelector=metadata.name%3D%3Ddb`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?fieldSelector=metadata.name!%3Dother`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?fieldSelector=metadata.name%3Dother,metadata.name%3Ddb`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?fieldSelector=metadata.name%3Dother&fieldSelector=metadata.name%3Ddb`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?fieldSelector=metadata.namespace%3Dprod`, verdict: 'deny' },
  { line: `GET ${prod}/secrets?fieldSelector=metadata.name%3Dother`, verdict: 'allow' },
  { line: `GET ${prod}/%73ecrets/%64b`, verdict: 'deny' },
  { line: `GET ${prod}//secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET /${prod}/secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/secrets/db/`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}%2Fsecrets%2Fdb`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/pods%2F..%2Fsecrets%2Fdb`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/pods/../secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/pods/%2e%2e/secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/pods/%252e%252e/secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/pods/..;/secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/./secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/secrets;x/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/secrets/db%00`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/secrets/db%3Fx`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/Secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: 'GET /API/v1/namespaces/prod/secrets/db', verdict: 'deny', trusting: 'deny' },
  { line: 'GET /apis//v1/namespaces/prod/secrets/db', verdict: 'deny', trusting: 'deny' },
  { line: 'GET /api/v1/proxy/namespaces/prod/secrets/db', verdict: 'deny', trusting: 'deny' },
  { line: `GET ${web}/proxy/../../../secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${web}/proxy/%2e%2e/%2e%2e/secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${web}/proxy/..%2F..%2Fsecrets%2Fdb`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/secrets?watch=false;watch=true`, verdict: 'deny', trusting: 'deny' },
  { line: `get ${prod}/secrets/db`, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/secrets/other?access_token=x`, verdict: 'deny', trusting: 'deny' },
  // Events as frames of a WebSocket, which nobody masks.
  { line: `GET ${prod}/secrets?watch=1`, ...websocket, verdict: 'deny', trusting: 'deny' },
  {
    line: `GET ${prod}/secrets?watch=1&fieldSelector=metadata.name%3Dother`,
    ...websocket,
    verdict: 'deny',
    trusting: 'deny',
  },
  // In a form that nobody masks.
  {
    line: `GET ${prod}/secrets/other`,
    fields: [['Accept', 'application/vnd.kubernetes.protobuf']],
    verdict: 'deny',
    trusting: 'deny',
  },
  { line: `GET ${prod}/secrets/other`, fields: [['Accept', 'application/cbor']], verdict: 'deny', trusting: 'deny' },
  {
    line: `GET ${prod}/secrets/other`,
    fields: [['Accept', 'application/vnd.kubernetes.protobuf,application/json']],
    verdict: 'allow',
  },
  { line: `GET ${prod}/secrets/other`, fields: [['Accept', 'application/yaml']], verdict: 'allow' },
  { line: `GET ${prod}/secrets/other`, fields: [['Range', 'bytes=0-200']], verdict: 'allow' },
  {
    line: `GET ${prod}/secrets?fieldSelector=metadata.name%3Dother&includeObject=Object`,
    fields: [['Accept', 'application/json;as=Table;v=v1;g=meta.k8s.io']],
    verdict: 'allow',
  },
  // Its values moved to where they would be seen, guessed at, or destroyed.
  {
    line: `PATCH ${prod}/secrets/db`,
    body: [{ op: 'copy', from: '/data/password', path: '/metadata/labels/a' }],
    type: jsonPatch,
    verdict: 'deny',
    trusting: 'deny',
  },
  {
    line: `PATCH ${prod}/secrets/other`,
    body: [{ op: 'copy', from: '/data', path: '/metadata/annotations' }],
    type: jsonPatch,
    verdict: 'deny',
    trusting: 'deny',
  },
  {
    line: `PATCH ${prod}/secrets/other`,
    body: [{ op: 'move', from: '/data/password', path: '/data/a' }],
    type: jsonPatch,
    verdict: 'deny',
    trusting: 'deny',
  },
  {
    line: `PATCH ${prod}/secrets/other`,
    body: [{ op: 'test', path: '/data/password', value: 'aHVudGVyMg==' }],
    type: jsonPatch,
    verdict: 'deny',
    trusting: 'deny',
  },
  {
    line: `PATCH ${prod}/secrets/other`,
    body: { data: { password: Buffer.from('masked by hoop').toString('base64') } },
    type: merge,
    verdict: 'deny',
    trusting: 'deny',
  },
]

/** At what may not be changed. */
const writing: readonly Attempt[] = [
  { line: `PATCH ${victim}`, body: changed, type: merge, verdict: 'hold' },
  { line: `PATCH ${victim}`, body: changed, type: strategic, verdict: 'hold' },
  { line: `PATCH ${victim}`, body: [{ op: 'replace', path: '/data/a', value: 'x' }], type: jsonPatch, verdict: 'hold' },
  { line: `PATCH ${victim}?fieldManager=x&force=true`, body: configMap, type: apply, verdict: 'hold' },
  {
    line: `PATCH ${victim}?fieldManager=x&force=true`,
    body: 'apiVersion: v1\nkind: ConfigMap\ndata:\n  a: yaml\n',
    type: apply,
    verdict: 'hold',
  },
  { line: `PUT ${victim}`, body: configMap, verdict: 'hold' },
  { line: `PUT ${victim}?dryRun=`, body: configMap, verdict: 'hold' },
  { line: `DELETE ${victim}`, verdict: 'deny' },
  { line: `DELETE ${victim}`, body: { dryRun: ['All'], kind: 'DeleteOptions', apiVersion: 'v1' }, verdict: 'deny' },
  { line: `DELETE ${prod}/configmaps`, verdict: 'deny' },
  { line: `DELETE ${prod}/configmaps?fieldSelector=metadata.name%3Dother`, verdict: 'deny' },
  { line: 'DELETE /api/v1/configmaps', verdict: 'deny' },
  { line: 'DELETE /api/v1/namespaces/prod', verdict: 'deny' },
  { line: 'DELETE /api/v1/watch/namespaces/prod/configmaps/victim', verdict: 'deny', trusting: 'deny' },
  { line: `GET ${victim}`, fields: [['X-HTTP-Method-Override', 'DELETE']], verdict: 'allow' },
  { line: `GET ${victim}?_method=DELETE`, verdict: 'allow' },
  {
    line: `POST ${web}/eviction`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'web' } },
    verdict: 'hold',
  },
  { line: `POST ${dev}/configmaps`, body: configMap, verdict: 'allow' },
  {
    line: `PATCH ${dev}/configmaps/own`,
    body: '{"data":{"a":"1"},"data":{"a":"2"}}',
    type: merge,
    verdict: 'deny',
    trusting: 'deny',
  },
  { line: `PATCH ${victim}`, body: '{"data":{"a":"2"}} ', type: 'application/cbor', verdict: 'deny', trusting: 'deny' },
  {
    line: `PUT ${dev}/configmaps/own`,
    body: 'k8s\0\n\x04',
    type: 'application/vnd.kubernetes.protobuf',
    verdict: 'deny',
    trusting: 'deny',
  },
  { line: `PUT ${dev}/configmaps/own`, body: '{}', type: 'text/plain', verdict: 'deny', trusting: 'deny' },
  {
    line: `PUT ${dev}/configmaps/own`,
    body: configMap,
    fields: [['Content-Type', 'application/yaml']],
    verdict: 'deny',
    trusting: 'deny',
  },
  {
    line: `PATCH ${dev}/configmaps/own`,
    body: 'a: &a {b: c}\nd: *a\n',
    type: apply,
    verdict: 'deny',
    trusting: 'deny',
  },
  { line: `PATCH ${dev}/configmaps/own`, body: 'a: b\n---\nc: d\n', type: apply, verdict: 'deny', trusting: 'deny' },
  {
    line: `PATCH ${dev}/configmaps/own`,
    body: 'data: !!binary YQ==\n',
    type: apply,
    verdict: 'deny',
    trusting: 'deny',
  },
  {
    line: 'PUT /apis/apps/v1/namespaces/prod/deployments/victim/scale',
    body: { spec: { replicas: 0 } },
    verdict: 'hold',
  },
  {
    line: 'PATCH /apis/apps/v1/namespaces/prod/deployments/victim/status',
    body: { status: {} },
    type: merge,
    verdict: 'hold',
  },
  { line: 'OPTIONS /api/v1/namespaces/prod/configmaps', verdict: 'deny', trusting: 'deny' },
]

/** At rights that nobody was given. */
const rising: readonly Attempt[] = [
  { line: `POST ${dev}/pods`, body: pod({ hostPID: true }), verdict: 'deny' },
  { line: `POST ${dev}/pods`, body: pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }), verdict: 'deny' },
  {
    line: `POST ${dev}/pods`,
    body: pod({ containers: [{ name: 'a', image: 'a', securityContext: { privileged: true } }] }),
    verdict: 'deny',
  },
  {
    line: `PATCH ${deployment}`,
    body: [{ op: 'add', path: '/spec/template/spec/hostNetwork', value: true }],
    type: jsonPatch,
    verdict: 'deny',
  },
  {
    line: `PATCH ${deployment}`,
    body: { spec: { template: { spec: { hostIPC: true } } } },
    type: strategic,
    verdict: 'deny',
  },
  {
    line: `PATCH ${deployment}?fieldManager=x`,
    body: 'spec:\n  template:\n    spec:\n      hostNetwork: on\n',
    type: apply,
    verdict: 'deny',
  },
  {
    line: `PATCH ${dev}/pods/app/ephemeralcontainers`,
    body: { spec: { ephemeralContainers: [] } },
    type: strategic,
    verdict: 'deny',
  },
  { line: `POST ${dev}/pods/app/binding`, body: { target: { name: 'node' } }, verdict: 'deny' },
  { line: `POST ${dev}/bindings`, body: { metadata: { name: 'app' }, target: { name: 'node' } }, verdict: 'deny' },
  { line: `POST ${dev}/serviceaccounts/default/token`, body: {}, verdict: 'deny' },
  { line: `PATCH ${dev}/pods/app/unheard-of`, body: {}, type: merge, verdict: 'deny' },
  {
    line: '/apis/rbac.authorization.k8s.io/v1/namespaces/dev/rolebindings'.replace(/^/, 'POST '),
    body: { metadata: { name: 'r' }, roleRef: { kind: 'ClusterRole', name: 'admin' }, subjects: [] },
    verdict: 'deny',
  },
  { line: 'POST /apis/authentication.k8s.io/v1/tokenreviews', body: { spec: { token: 'x' } }, verdict: 'deny' },
  { line: 'PUT /debug/flags/v', body: '9', type: 'text/plain', verdict: 'deny' },
  {
    line: `GET ${prod}/pods`,
    fields: [
      ['Impersonate-User', 'system:admin'],
      ['Impersonate-Group', 'system:masters'],
    ],
    verdict: 'allow',
  },
  {
    line: `GET ${prod}/pods`,
    fields: [
      ['impersonate-uid', '1'],
      ['Impersonate-Extra-scopes', 'all'],
    ],
    verdict: 'allow',
  },
  {
    line: `GET ${prod}/pods`,
    fields: [
      ['Impersonate_User', 'mallory'],
      ['X_Remote_User', 'mallory'],
    ],
    verdict: 'allow',
  },
  { line: `GET ${prod}/pods`, fields: [['Authorization', 'Bearer token-of-mallory']], verdict: 'allow' },
  {
    line: `GET ${prod}/pods`,
    fields: [
      ['X-Remote-User', 'mallory'],
      ['X-Remote-Group', 'system:masters'],
    ],
    verdict: 'allow',
  },
]

/** At programs that may not run. */
const running: readonly Attempt[] = [
  { line: `GET ${web}/exec${run('rm victim')}`, ...websocket, verdict: 'deny' },
  { line: `POST ${web}/exec${run('rm victim')}`, ...spdy, verdict: 'deny' },
  { line: `GET ${web}/exec?stdout=true&%63ommand=rm&command=victim`, ...websocket, verdict: 'deny' },
  {
    line: `GET ${web}/exec?stdout=true&command=sh&command=-c&command=ls;rm+victim`,
    ...websocket,
    verdict: 'deny',
    trusting: 'deny',
  },
  { line: `GET ${web}/exec${run('sh -c rm$IFS\\victim')}`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/exec?stdout=true&command=sh&command=-c&command=ls%3B+rm+victim`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/exec${run('env rm victim')}`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/exec${run('busybox rm victim')}`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/exec${run('find . -name victim -delete')}`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/exec${run('/tmp/ls')}`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/exec${run('sh')}&stdin=true`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/exec?stdout=true`, ...websocket, verdict: 'deny', trusting: 'deny' },
  { line: `GET ${prod}/pods/other/exec${run('ls')}`, ...websocket, verdict: 'deny' },
  { line: `GET ${web}/attach?stdin=true`, ...websocket, verdict: 'deny' },
  {
    line: `GET ${web}/portforward`,
    upgrade: 'websocket',
    fields: [['Sec-WebSocket-Protocol', 'SPDY/3.1+portforward.k8s.io']],
    verdict: 'deny',
  },
  { line: `GET ${web}/proxy/`, verdict: 'deny' },
  { line: `DELETE ${web}/proxy/x`, verdict: 'deny' },
  {
    line: 'GET /api/v1/nodes/node/proxy/exec/prod/web/main?command=rm&command=victim',
    ...websocket,
    verdict: 'deny',
    trusting: 'deny',
  },
  { line: 'POST /api/v1/nodes/node/proxy/run/prod/web/main?cmd=rm+victim', verdict: 'deny' },
  // A token where WebSocket clients can put one; nothing is left of the offer without it.
  {
    line: `GET ${web}/exec${run('ls')}`,
    upgrade: 'websocket',
    fields: [['Sec-WebSocket-Protocol', 'base64url.bearer.authorization.k8s.io.bWFsbG9yeQ']],
    verdict: 'deny',
    trusting: 'deny',
  },
  {
    line: `GET ${web}/exec${run('ls')}`,
    upgrade: 'websocket',
    fields: [['Sec-WebSocket-Protocol', 'v9.channel.k8s.io']],
    verdict: 'deny',
    trusting: 'deny',
  },
]

export const attempts: readonly Attempt[] = [...reading, ...writing, ...rising, ...running]
