/** Where and with what it was measured. */
import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ownVersion } from '../../src/base/version.ts'
import type { Results } from './figures.ts'
import type { HttpWorld } from './http/world.ts'
import type { World } from './world.ts'

export function machine(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()}`,
  }
}

export function versions({
  server,
  pgbench,
  pgbouncer,
}: Pick<World, 'server' | 'pgbench' | 'pgbouncer'>): Record<string, string> {
  return {
    hoop: ownVersion(),
    node: process.versions.node,
    PostgreSQL: server.version,
    pgbench: pgbench?.version ?? 'not installed',
    pgbouncer: pgbouncer?.version ?? 'not installed',
  }
}

export function commit(): string | null {
  const git = (...args: string[]) => {
    const { status, stdout } = spawnSync('git', args, {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      encoding: 'utf8',
    })
    return status === 0 ? stdout.trim() : undefined
  }
  const head = git('rev-parse', '--short=10', 'HEAD')
  if (head === undefined) return null
  // Results of earlier runs are no change to what is measured.
  const changed = git('status', '--porcelain', '--', ':/', ':!/bench/results', ':!/docs')
  return changed === '' ? head : `${head}+`
}

export function httpVersions({ nginx, wrk }: Pick<HttpWorld, 'nginx' | 'wrk'>): Record<string, string> {
  return {
    hoop: ownVersion(),
    node: process.versions.node,
    nginx: nginx.version,
    wrk: wrk?.version ?? 'not installed',
  }
}

export function sshVersions(openSsh: string): Record<string, string> {
  return { hoop: ownVersion(), node: process.versions.node, OpenSSH: openSsh }
}
