/** `hoop ssh`: the person's own OpenSSH client, with everything set that it needs to reach a target. */
import { type Command, Option } from 'commander'
import { hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'

export interface SshOptions extends SharedFlags {
  readonly target: string
  readonly reason?: string
  readonly agent?: string
  /** What ssh is given behind the host: options of its own, and the command. */
  readonly words: readonly string[]
}

export function sshCommand(runtime: Runtime, words: readonly string[], run = runSsh): Command {
  const command = gatewayCommandOf('ssh')
    .description('ssh to a target: a shell, or one command')
    .usage('[options] <target> [ssh options] [command...]')
    .argument('<target>', 'the name of an SSH target')
    .addOption(new Option('--reason <text>', 'why you connect; recorded, and shown to reviewers (HOOP_REASON)'))
    .addOption(new Option('--agent <name>', 'the agent that acts for you; recorded beside your name (HOOP_AGENT)'))
    .addHelpText(
      'after',
      `${examples([
        ['hoop ssh ssh-prod', 'a shell, where the target has shells open'],
        ['hoop ssh ssh-prod uptime', 'one command; hoop exits with its exit code'],
        ['hoop ssh --reason "ticket 4711" ssh-prod -t top', 'what stands behind the target is ssh’s'],
        ['hoop ssh ssh-prod -N -L 8080:localhost:80', 'a forward, where a rule allows it'],
      ])}

It runs the ssh that is installed, with your own ~/.ssh/config. "hoop ssh-config" does the same for plain ssh.`,
    )
  return command.action((target: string) => run(runtime, { ...command.optsWithGlobals(), target, words }))
}

export async function runSsh(runtime: Runtime, options: SshOptions): Promise<void> {
  const { client, gateway } = await runtime.door(options.gateway)
  const { runProgram } = await import('./run-program.ts')
  const { asFlags, commonSettings, proxySettings, sshTargetOf, sshTargetsOf, targetSettings } = await import(
    '../tunnel/ssh-settings.ts'
  )
  const { knownHostsPath, sshFolder, writeKnownHosts } = await import('../tunnel/ssh-files.ts')

  const known = await client.targets()
  const name = options.target.replace(/\.hoop$/, '')
  const info = known.find((each) => each.name === name)
  if (info === undefined)
    throw hoopError('not-found', `there is no target named "${name}"`, { hint: 'see "hoop targets"' })
  if (info.whyNot !== null) throw hoopError('not-allowed', `${name}: ${info.whyNot}`)
  if (info.protocol !== 'ssh')
    throw hoopError('usage', `"${name}" speaks ${info.protocol}, not SSH`, { hint: `use "hoop connect ${name}"` })
  const target = sshTargetOf(info)
  if (target === undefined)
    throw hoopError('gateway-error', `the gateway does not say which key "${name}" has`, {
      hint: 'is it of the same version? see "hoop status"',
    })

  const knownHosts = knownHostsPath(sshFolder(runtime.paths.state, gateway))
  await writeKnownHosts(knownHosts, sshTargetsOf(known))
  // First come, first served: these stand before what the person says, and before every file.
  const flags = asFlags([
    ...targetSettings(target),
    ...proxySettings({ words: runtime.program, gateway }),
    ...commonSettings(knownHosts),
  ])
  const args = [...flags, target.host, ...options.words]
  const env = {
    ...(options.reason === undefined ? {} : { HOOP_REASON: options.reason }),
    ...(options.agent === undefined ? {} : { HOOP_AGENT: options.agent }),
  }
  runtime.exitWith(await runProgram(runtime, { program: 'ssh', args, env, hint: sshHint }))
}

const sshHint = 'install OpenSSH’s client: "apt install openssh-client", or the optional feature of Windows'
