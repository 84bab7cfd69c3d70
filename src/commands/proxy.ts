/** `hoop proxy`: one connection to a target over stdin and stdout, for ssh's ProxyCommand. */
import { Command, Option } from 'commander'
import type { Runtime } from '../runtime.ts'
import { examples } from './flags.ts'
import type { ProxyOptions } from './run-proxy.ts'

export function proxyCommand(runtime: Runtime, run = lazily): Command {
  const command = new Command('proxy')
    .description('one connection over stdin and stdout, for ssh’s ProxyCommand')
    .argument('<target>', 'a target, also as ssh writes it: ssh-prod.hoop')
    .addOption(new Option('--gateway <url>', 'the gateway to use (HOOP_GATEWAY; default: the last sign-in)'))
    .addOption(new Option('--reason <text>', 'why you connect; recorded, and shown to reviewers (HOOP_REASON)'))
    .addOption(new Option('--agent <name>', 'the agent that acts for you; recorded beside your name (HOOP_AGENT)'))
    .addHelpText(
      'after',
      `${examples([
        ['ssh -o ProxyCommand="hoop proxy %h" ssh-prod.hoop', 'by hand; "hoop ssh-config" writes it for you'],
      ])}

The connection has a session of its own, or joins the one that HOOP_SESSION names while that lives.`,
    )
  return command.action((host: string) => run(runtime, { ...command.optsWithGlobals(), host }))
}

async function lazily(runtime: Runtime, options: ProxyOptions): Promise<void> {
  const { runProxy } = await import('./run-proxy.ts')
  return runProxy(runtime, options)
}
