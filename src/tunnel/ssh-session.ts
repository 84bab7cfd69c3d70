/**
 * The SSH targets of one `hoop connect … -- program` as OpenSSH, git and rsync find them: a config file for as long as the
 * program runs, whose hosts are the local ports. That is quicker than a `hoop proxy` for each connection.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { knownHostsPath, writeWhole } from './ssh-files.ts'
import { commonSettings, hostBlock, portSettings, quoted, sshTargetOf, targetSettings } from './ssh-settings.ts'
import type { Tunnel } from './tunnel.ts'

export interface SessionConfig {
  readonly env: Readonly<Record<string, string>>
  remove(): Promise<void>
}

export async function writeSessionConfig(
  folder: string,
  tunnel: Pick<Tunnel, 'targets' | 'session'>,
  home: string,
): Promise<SessionConfig> {
  const text = sessionConfigText(tunnel.targets, knownHostsPath(folder), home)
  if (text === undefined) return { env: {}, remove: () => Promise.resolve() }
  const file = join(folder, `${tunnel.session.id}.config`)
  await writeWhole(file, text)
  const ssh = `ssh -F ${quoted(file)}`
  return {
    env: { HOOP_SSH_CONFIG: file, GIT_SSH_COMMAND: ssh, RSYNC_RSH: ssh },
    remove: () => rm(file, { force: true }),
  }
}

/** undefined: there is no SSH target. */
function sessionConfigText(targets: Tunnel['targets'], knownHosts: string, home: string): string | undefined {
  const blocks = targets.flatMap(({ target, port }) => {
    const ssh = sshTargetOf(target)
    if (ssh === undefined) return []
    return hostBlock(
      [ssh.host, ssh.name],
      [...portSettings(port), ...targetSettings(ssh), ...commonSettings(knownHosts)],
    )
  })
  if (blocks.length === 0) return undefined
  // With -F ssh reads no other file by itself; the person's own still says the rest.
  return [...blocks, `Host *\n  Include ${quoted(join(home, '.ssh', 'config'))}\n`].join('\n')
}
