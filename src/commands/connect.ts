/** `hoop connect`: local ports through which client programs reach targets; or one program, run with them. */
import { type Command, Option } from 'commander'
import { visibleLine } from '../base/visible.ts'
import { createScope } from '../base/scope.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'
import type { KubeSession } from '../tunnel/kube-session.ts'
import type { OpenTarget, Tunnel } from '../tunnel/tunnel.ts'
import { mergedText, openEvent, openText, report } from './connect-output.ts'
import { examples, gatewayCommandOf, type SharedFlags, wholeNumber } from './flags.ts'
import { createOutput, type Output } from './output/output.ts'

export interface ConnectOptions extends SharedFlags {
  readonly targets: readonly string[]
  readonly port?: number
  readonly reason?: string
  readonly agent?: string
  /** Also into the person's own kubeconfig. */
  readonly merge?: boolean
  /** A program and its arguments, from behind `--`. */
  readonly program: readonly string[]
}

export function connectCommand(runtime: Runtime, program: readonly string[], run = runConnect): Command {
  const command = gatewayCommandOf('connect')
    .description('open a local port to each target; or run a program with them')
    .usage('[options] <target...> [-- program args...]')
    .argument('<target...>', 'names of targets; together they are one session')
    .addOption(
      new Option('--port <n>', 'the local port (with one target; default: the same as last time)').argParser(
        wholeNumber(1, 65_535),
      ),
    )
    .addOption(new Option('--reason <text>', 'why you connect; recorded, and shown to reviewers (HOOP_REASON)'))
    .addOption(new Option('--agent <name>', 'the agent that acts for you; recorded beside your name (HOOP_AGENT)'))
    .addOption(
      new Option('--merge', 'put the contexts of Kubernetes targets into your own kubeconfig, too, until it ends'),
    )
    .addHelpText(
      'after',
      `${examples([
        ['hoop connect pg-prod', 'prints a URL and the exact client command; Ctrl-C ends it'],
        ['hoop connect pg-prod --reason "ticket 4711" -- psql', 'psql, through hoop'],
        ['hoop connect pg-prod --agent devin -- npm run migrate', 'an agent at work, under your name'],
        ['hoop connect pg-prod pg-billing', 'two targets in one session'],
        ['hoop connect k8s-prod -- kubectl get pods', 'kubectl, k9s, helm: KUBECONFIG is set'],
        ['hoop connect billing-api -- node report.js', 'the base URL is in HOOP_URL_BILLING_API'],
        [
          'hoop connect ssh-prod -- git clone ssh://ssh-prod.hoop/srv/app',
          'git and rsync find an SSH target by its name',
        ],
      ])}

The program finds the first target through PGHOST, PGPORT, PGUSER, PGDATABASE and DATABASE_URL, and every target
through HOOP_URL_<NAME> (HOOP_URL_PG_PROD). For SSH targets git and rsync find them as NAME.hoop, and ssh with
-F "$HOOP_SSH_CONFIG". Kubernetes targets are contexts hoop-NAME of one file, which KUBECONFIG names; the first is the
current one. hoop exits with the program's exit code.`,
    )
  return command.action((targets: string[]) => run(runtime, { ...command.optsWithGlobals(), targets, program }))
}

export async function runConnect(runtime: Runtime, options: ConnectOptions): Promise<void> {
  const targets = [...new Set(options.targets)]
  if (options.port !== undefined && targets.length > 1)
    throw hoopError('usage', '--port fits one target only', {
      hint: 'leave it out: each target gets the port it had last time',
    })
  const output = createOutput(runtime, options)
  const { openTunnel } = await import('../tunnel/agent.ts')
  const { createLink } = await import('../gateway-client/link.ts')
  const { createPorts } = await import('../tunnel/ports.ts')
  const { knownHostsPath, sshFolder } = await import('../tunnel/ssh-files.ts')
  const { ownKubeconfig } = await import('../tunnel/kube-files.ts')
  const { openKubeSession } = await import('../tunnel/kube-session.ts')

  const { client, gateway, tokens, proxy } = await runtime.door(options.gateway)
  const hasProgram = options.program.length > 0
  const folder = sshFolder(runtime.paths.state, gateway)
  const scope = createScope()
  try {
    const link = createLink({ gateway, token: () => tokens.token(), proxy })
    scope.defer(() => link.close())
    const tunnel = await openTunnel({
      client,
      link,
      targets,
      port: options.port,
      reason: options.reason ?? runtime.settings.reason ?? null,
      agent: options.agent ?? runtime.settings.agent ?? null,
      ports: createPorts({ folder: runtime.paths.state, gateway }),
      knownHosts: knownHostsPath(folder),
      // With a program Ctrl-C is the program's: the tunnel ends when it does.
      signal: hasProgram ? new AbortController().signal : runtime.signal,
      notify: (event) => report(event, output, hasProgram),
    })
    scope.defer(() => tunnel.close())
    const own = options.merge ? await ownKubeconfig(runtime.env.KUBECONFIG, runtime.home) : undefined
    const kube = await openKubeSession({ state: runtime.paths.state, gateway, own }, tunnel.targets)
    scope.defer(() => kube.remove())
    if (hasProgram) await runThrough(runtime, output, tunnel, kube, options.program, folder)
    else await stayOpen(output, tunnel, kube)
  } finally {
    await scope.close()
  }
}

async function stayOpen(output: Output, tunnel: Tunnel, kube: KubeSession): Promise<void> {
  if (output.json) await output.item(openEvent(tunnel, kube))
  else await output.write(openText(tunnel, kube, output))
  if (kube.merged !== undefined) output.talk(mergedText(kube.merged))
  output.talk(output.talkStyle('quiet', 'Ctrl-C ends it'))
  await tunnel.done
}

async function runThrough(
  runtime: Runtime,
  output: Output,
  tunnel: Tunnel,
  kube: KubeSession,
  [program = '', ...args]: readonly string[],
  folder: string,
): Promise<void> {
  const { runProgram } = await import('./run-program.ts')
  const { writeSessionConfig } = await import('../tunnel/ssh-session.ts')
  tunnel.done.catch((error: unknown) => {
    // The program notices by itself that its connection is gone; this says why.
    output.talk(output.talkStyle('bad', visibleLine(error instanceof Error ? error.message : String(error))))
  })
  const ssh = await writeSessionConfig(folder, tunnel, runtime.home)
  try {
    runtime.exitWith(
      await runProgram(runtime, {
        program,
        args,
        env: { ...ssh.env, ...environmentOf({ session: tunnel.session, targets: kube.targets }) },
      }),
    )
  } finally {
    await ssh.remove()
  }
}

/** The first target of a protocol has its usual variables; every target has one of its own. */
export function environmentOf(tunnel: Pick<Tunnel, 'targets' | 'session'>): Record<string, string> {
  const env: Record<string, string> = { HOOP_SESSION: tunnel.session.id }
  for (const open of [...tunnel.targets].reverse()) {
    Object.assign(env, open.env)
    env[variableOf(open)] = open.url
  }
  return env
}

function variableOf({ target }: OpenTarget): string {
  return `HOOP_URL_${target.name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`
}
