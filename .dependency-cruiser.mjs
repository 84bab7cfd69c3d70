// Who may import whom. ARCHITECTURE.md says it in words; test/layering.test.ts runs it.
const src = (path) => `^src/${path}`
const protocols = 'gateway/protocols/(postgres|ssh|http|kubernetes)/'

/** Everything outside `allowed` is forbidden to `from`. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: src(from) },
  to: { path: '^src/', pathNot: allowed.map(src) },
})

/** Each third-party package has one home. */
const home = (name, homes) => ({
  name: `home of ${name}`,
  severity: 'error',
  from: { path: '^src/', pathNot: homes.map(src) },
  to: { path: `^node_modules/${name}/` },
})

export default {
  forbidden: [
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'nothing unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('base knows nothing of the product', 'base/', ['base/']),
    only('contract stands on base', 'contract/', ['contract/', 'base/']),
    only('the client side meets the gateway in contract only', 'gateway-client/', [
      'gateway-client/',
      'contract/',
      'base/',
    ]),
    only('the tunnel stands on the gateway client', 'tunnel/', ['tunnel/', 'gateway-client/', 'contract/', 'base/']),
    only('screens receive data', 'tui/', ['tui/', 'contract/', 'base/']),
    only('the gateway never imports the client side', 'gateway/', ['gateway/', 'contract/', 'base/']),
    only('policy is pure', 'gateway/policy/', [
      'gateway/policy/',
      'gateway/config/schema.ts',
      'gateway/checkpoint.ts',
      'contract/',
      'base/',
    ]),
    {
      name: 'policy does no IO',
      severity: 'error',
      from: { path: src('gateway/policy/') },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    only('a protocol knows nothing above it, nor another protocol', protocols, [
      // Kubernetes is spoken over HTTP; it stands on the one door of that folder.
      'gateway/protocols/http/index.ts',
      'gateway/protocols/$1/',
      'gateway/protocols/wire/',
      'gateway/protocols/shell/',
      'gateway/protocols/terminal/',
      'gateway/protocols/protocol.ts',
      'gateway/checkpoint.ts',
      'contract/',
      'base/',
    ]),
    {
      name: 'a command reaches the gateway through its client',
      severity: 'error',
      from: { path: src('commands/'), pathNot: [src('commands/(gateway|demo)')] },
      to: { path: src('(gateway|demo)/') },
    },
    home('better-sqlite3', ['gateway/store/']),
    home('fastify', ['gateway/server/']),
    home('jose', ['gateway/identity/', 'demo/']),
    home('oidc-provider', ['demo/']),
    home('openid-client', ['gateway-client/', 'gateway/protocols/http/']),
    home('undici', ['gateway-client/', 'gateway/protocols/http/']),
    home('ink', ['tui/']),
    home('react', ['tui/']),
    home('commander', ['program.ts', 'commands/']),
    home('libpg-query', ['gateway/protocols/postgres/']),
    home('pg-protocol', ['gateway/protocols/postgres/']),
    home('ssh2', ['gateway/protocols/ssh/', 'demo/']),
    home('sh-syntax', ['gateway/protocols/shell/']),
    home('@xterm/headless', ['gateway/protocols/terminal/']),
    home('pg', ['demo/']),
    home('yaml', [
      'gateway/config/',
      'gateway/protocols/kubernetes/',
      'demo/',
      'tunnel/kubeconfig-merge.ts',
      'tunnel/yaml-text.ts',
    ]),
    home('@marcbachmann/cel-js', ['gateway/policy/']),
    home('pino', ['gateway/log.ts']),
    home('prom-client', ['gateway/server/']),
    home('ws', ['gateway-client/', 'gateway/server/', 'gateway/protocols/kubernetes/']),
    home('uqr', ['commands/output/']),
    home('open', ['commands/output/']),
    home('string-width', ['tui/']),
    home('@napi-rs/keyring', ['gateway-client/']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
