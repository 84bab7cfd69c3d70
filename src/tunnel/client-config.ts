/** What a client program needs to use a local port: a URL, environment variables and the exact command to type. */
import type { TargetInfo } from '../contract/api.ts'
import type { ProtocolName } from '../contract/command.ts'
import { asFlags, quoted, sshTargetOf } from './ssh-settings.ts'

export interface ClientConfig {
  /** `postgresql://hoop@127.0.0.1:17231/shop?sslmode=disable` */
  readonly url: string
  /** Variables under which client programs find the port without being told. */
  readonly env: Readonly<Record<string, string>>
  /** A command line, ready to paste into a shell. */
  readonly command: string
}

type Writer = (target: TargetInfo, port: number, files: ClientFiles) => ClientConfig

/** Files of ours that client programs read. */
export interface ClientFiles {
  /** The gateway's own SSH host keys. */
  readonly knownHosts: string
}

/** TLS is off on this hop only: it never leaves the machine, and the link to the gateway has its own. */
const postgres: Writer = (target, port) => {
  const user = target.defaults.user ?? 'hoop'
  const database = target.defaults.database ?? user
  const url = `postgresql://${encodeURIComponent(user)}@127.0.0.1:${port}/${encodeURIComponent(database)}?sslmode=disable`
  return {
    url,
    env: {
      PGHOST: '127.0.0.1',
      PGPORT: String(port),
      PGUSER: user,
      PGDATABASE: database,
      PGSSLMODE: 'disable',
      PGGSSENCMODE: 'disable',
      DATABASE_URL: url,
    },
    command: `psql ${shellQuote(url)}`,
  }
}

/** The key is looked up under the target's name: the port may be another one tomorrow. */
const ssh: Writer = (target, port, { knownHosts }) => {
  const user = target.defaults.user ?? 'hoop'
  const pinned = sshTargetOf(target)
  const flags = asFlags([
    ...(pinned === undefined ? [] : ([['HostKeyAlias', pinned.host]] as const)),
    ['UserKnownHostsFile', quoted(knownHosts)],
    ['StrictHostKeyChecking', 'yes'],
  ])
  return {
    url: `ssh://${encodeURIComponent(user)}@127.0.0.1:${port}`,
    env: {},
    command: ['ssh', '-p', String(port), ...flags, `${user}@127.0.0.1`].map(shellQuote).join(' '),
  }
}

/** The port is the API: whatever takes a base URL takes this one. */
const http: Writer = (_target, port) => {
  const url = `http://127.0.0.1:${port}`
  return { url, env: {}, command: `curl ${url}/` }
}

/** kubectl takes plain HTTP on this hop: it never leaves the machine. `hoop connect` adds a kubeconfig (kube-session.ts). */
const kubernetes: Writer = (_target, port) => {
  const url = `http://127.0.0.1:${port}`
  return { url, env: {}, command: `kubectl --server ${url} get pods` }
}

const writers: Readonly<Record<ProtocolName, Writer>> = { postgres, ssh, http, kubernetes }

export function clientConfig(target: TargetInfo, port: number, files: ClientFiles): ClientConfig {
  return writers[target.protocol](target, port, files)
}

/** One word for a POSIX shell. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
