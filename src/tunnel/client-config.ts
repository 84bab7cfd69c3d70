/** What a client program needs to use a local port: a URL, environment variables and the exact command to type. */
import type { TargetInfo } from '../contract/api.ts'
import type { ProtocolName } from '../contract/command.ts'

export interface ClientConfig {
  /** `postgresql://hoop@127.0.0.1:17231/shop?sslmode=disable` */
  readonly url: string
  /** Variables under which client programs find the port without being told. */
  readonly env: Readonly<Record<string, string>>
  /** A command line, ready to paste into a shell. */
  readonly command: string
}

type Writer = (target: TargetInfo, port: number) => ClientConfig

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

const writers: Readonly<Record<ProtocolName, Writer>> = { postgres }

export function clientConfig(target: TargetInfo, port: number): ClientConfig {
  return writers[target.protocol](target, port)
}

/** One word for a POSIX shell. */
function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
