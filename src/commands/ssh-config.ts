/** `hoop ssh-config`: plain `ssh ssh-prod.hoop`, and all that is built on ssh, through `hoop proxy`. */
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { reasonOf } from '../base/errors.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'
import type { SshTarget } from '../tunnel/ssh-settings.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { createOutput } from './output/output.ts'

export interface SshConfigOptions extends SharedFlags {
  readonly print?: boolean
  readonly remove?: boolean
}

export function sshConfigCommand(runtime: Runtime, run = runSshConfig): Command {
  const command = gatewayCommandOf('ssh-config')
    .description('make plain ssh, scp, sftp, rsync, git and editors reach targets as NAME.hoop')
    .addOption(new Option('--print', 'only show the file'))
    .addOption(new Option('--remove', 'take it out again').conflicts('print'))
    .addHelpText(
      'after',
      `${examples([
        ['hoop ssh-config', 'writes an include file, and one Include line into ~/.ssh/config'],
        ['ssh ssh-prod.hoop', 'from then on; so do scp, sftp, rsync, git, Ansible, VS Code'],
        ['hoop ssh-config --print', 'shows what the file would be'],
        ['hoop ssh-config --remove', 'deletes the file and the line'],
      ])}

Run it again after signing in to another gateway. Nothing else in ~/.ssh/config is touched.`,
    )
  return command.action(() => run(runtime, command.optsWithGlobals()))
}

export async function runSshConfig(runtime: Runtime, options: SshConfigOptions): Promise<void> {
  const file = join(runtime.paths.config, 'ssh_config')
  const own = join(runtime.home, '.ssh', 'config')
  if (options.remove) return remove(runtime, options, file, own)
  const output = createOutput(runtime, options)
  const { client, gateway } = await runtime.door(options.gateway)
  const { sshTargetsOf, knownHostsText } = await import('../tunnel/ssh-settings.ts')
  const { includeLine, withInclude } = await import('../tunnel/ssh-include.ts')
  const { sshFolder, knownHostsPath, readText, writeWhole } = await import('../tunnel/ssh-files.ts')

  const targets = sshTargetsOf(await client.targets())
  const knownHosts = knownHostsPath(sshFolder(runtime.paths.state, gateway))
  const text = await configText(runtime, gateway, targets, knownHosts)
  const keys = knownHostsText(targets)
  const answer = { gateway, config: file, knownHosts, include: includeLine(file), sshConfig: own }
  const hosts = targets.map(({ name, host, user, hostKey }) => ({ target: name, host, user: user ?? null, hostKey }))

  // Hoop's own memory, whoever reads it: what is printed and kept elsewhere has to work.
  await writeWhole(knownHosts, keys)
  if (options.print) {
    if (output.json) return output.document({ ...answer, added: false, targets: hosts, text, keys })
    return output.write(`${text}\n${asComment(own, `${includeLine(file)}\n`)}`)
  }
  if (targets.length === 0) throw hoopError('not-found', `${gateway} has no SSH target`, { hint: 'see "hoop targets"' })
  await writeWhole(file, text)
  const added = await intoOwn(own, includeLine(file), async () =>
    writeWhole(own, withInclude((await readText(own)) ?? '', file)),
  )
  if (output.json) return output.document({ ...answer, added, targets: hosts })
  await output.write(hosts.map(({ host }) => `ssh ${host}\n`).join(''))
  output.talk(`written to ${file}; ${added ? 'added to' : 'already in'} ${own}`)
}

/** What stands in the include file. */
async function configText(
  runtime: Runtime,
  gateway: string,
  targets: readonly SshTarget[],
  knownHosts: string,
): Promise<string> {
  const { commonSettings, hostBlock, proxySettings, targetSettings } = await import('../tunnel/ssh-settings.ts')
  const blocks = targets.map((target) => hostBlock([target.host], targetSettings(target)))
  const rest = [...proxySettings({ words: runtime.program, gateway }), ...commonSettings(knownHosts)]
  return [
    `# Written by "hoop ssh-config" for ${gateway}. Running it again replaces this file.\n`,
    ...blocks,
    hostBlock(['*.hoop'], rest),
  ].join('\n')
}

function asComment(file: string, text: string): string {
  return `# ${file}:\n${text.replace(/^(?=.)/gm, '#   ')}`
}

async function remove(runtime: Runtime, options: SshConfigOptions, file: string, own: string): Promise<void> {
  const output = createOutput(runtime, options)
  const { rm } = await import('node:fs/promises')
  const { includeLine, withoutInclude } = await import('../tunnel/ssh-include.ts')
  const { readText, writeWhole } = await import('../tunnel/ssh-files.ts')
  const removed = await intoOwn(own, includeLine(file), async () => {
    const text = await readText(own)
    return text !== undefined && writeWhole(own, withoutInclude(text, file))
  })
  await rm(file, { force: true })
  if (output.json) return output.document({ config: file, sshConfig: own, removed })
  output.talk(removed ? `taken out of ${own}` : `it was not in ${own}`)
}

/** Some have that file written by another program, and then it may not be ours to write. */
async function intoOwn(own: string, line: string, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work()
  } catch (error) {
    throw hoopError('internal', `cannot change ${own} (${reasonOf(error)})`, {
      hint: `the line is: ${line}`,
      cause: error,
    })
  }
}
