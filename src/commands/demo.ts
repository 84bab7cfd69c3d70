/** `hoop demo`: hoop and everything around it in one process, to try it; `--tour` plays the story without a person. */
import { Command } from 'commander'
import { reasonOf } from '../base/errors.ts'
import { exitCodes, hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'
import { examples } from './flags.ts'
import { createOutput, type Output } from './output/output.ts'

export interface DemoOptions {
  readonly tour?: boolean
  readonly k8s?: boolean
}

export function demoCommand(runtime: Runtime, run = runDemo): Command {
  const command = new Command('demo')
    .description('try hoop here: an identity provider, a small shop to reach in every way, a gateway; gone with Ctrl-C')
    .option('--tour', 'play the story without a person: each step is checked, exit 0 only if all of it happened')
    .option('--k8s', 'with the cluster of your kubeconfig as a target, where changes wait for a human')
    .addHelpText(
      'after',
      examples([
        ['hoop demo', 'start everything and say what to type in a second terminal'],
        ['hoop demo --tour', 'watch it prove itself'],
        ['hoop demo sql URL', 'a small SQL prompt, where there is no psql'],
      ]),
    )
  command.addCommand(sqlCommand(runtime))
  return command.action(() => run(runtime, command.optsWithGlobals()))
}

function sqlCommand(runtime: Runtime): Command {
  const command = new Command('sql')
    .description('a small SQL prompt, for machines without psql')
    .argument('<url>', 'as "hoop demo" and "hoop connect" print it')
    .argument('[statement]', 'run this and leave')
  return command.action(async (url: string, statement: string | undefined) => {
    const { runSqlPrompt } = await import('../demo/sql-prompt.ts')
    const { stdin, stdout, stderr } = runtime.io
    const good = await runSqlPrompt({ url, statement, stdin, stdout, stderr })
    if (!good) runtime.exitWith(exitCodes.error)
  })
}

export async function runDemo(runtime: Runtime, { tour = false, k8s = false }: DemoOptions): Promise<void> {
  const output = createOutput(runtime, {})
  const stop = new AbortController()
  // Servers end in their own time: left to the program's usual patience, a busy machine would keep a folder and a server.
  const release = runtime.takeSignals(() => {
    if (stop.signal.aborted) output.talk('still ending what was started …')
    stop.abort(hoopError('cancelled', 'interrupted'))
  })
  try {
    await play(runtime, output, { tour, k8s, signal: stop.signal })
  } catch (error) {
    // Whatever failed because of Ctrl-C is not a failure.
    if (!stop.signal.aborted) throw error
    if (tour) throw stop.signal.reason
  } finally {
    release()
  }
}

interface Play extends Required<DemoOptions> {
  readonly signal: AbortSignal
}

async function play(runtime: Runtime, output: Output, { tour, k8s, signal }: Play) {
  const { startWorld } = await import('../demo/world.ts')
  const started = runtime.clock.elapsed()
  const say = (step: string) => output.talk(output.talkStyle('quiet', `${step} …`))
  const { ownKubeconfig } = await import('../tunnel/kube-files.ts')
  const kubeconfig = k8s ? await ownKubeconfig(runtime.env.KUBECONFIG, runtime.home) : undefined
  const world = await startWorld({ say, signal, kubeconfig })
  try {
    if (tour) {
      const { runTour } = await import('../demo/tour.ts')
      await runTour(world, runtime, signal)
      const seconds = ((runtime.clock.elapsed() - started) / 1000).toFixed(1)
      await output.write(`\n${output.style('good', 'The tour is over: every step happened.')} ${seconds} s\n`)
    } else {
      const { stayOpen } = await import('../demo/stay-open.ts')
      await stayOpen(world, runtime, output, signal)
    }
  } finally {
    await world.stop().catch((error: unknown) => {
      output.talk(output.talkStyle('bad', `not everything could be ended: ${reasonOf(error)}`))
    })
  }
}
