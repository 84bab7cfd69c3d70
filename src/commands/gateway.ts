/** `hoop gateway`: runs the gateway in the foreground. `hoop gateway check`: says what a configuration means, or what is wrong. */
import { Command, Option } from 'commander'
import { resolve } from 'node:path'
import { exitCodes, hoopError } from '../contract/error-codes.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Runtime } from '../runtime.ts'
import { examples, jsonOption } from './flags.ts'
import { createOutput } from './output/output.ts'

export interface GatewayOptions {
  readonly config: string
  readonly logFile?: string
  readonly json?: boolean
}
export type CheckOptions = Pick<GatewayOptions, 'config' | 'json'>

export function gatewayCommand(runtime: Runtime, run = runGateway, check = runCheck): Command {
  const config = () =>
    new Option('--config <file>', 'the configuration, see docs/config.md (HOOP_CONFIG)').default(
      runtime.env.HOOP_CONFIG,
      'HOOP_CONFIG',
    )
  const command = new Command('gateway')
    .description('run the gateway: where commands are judged, written down and forwarded')
    .addOption(config())
    .addOption(new Option('--log-file <file>', 'append its own log to a file instead of stderr'))
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples([
        ['hoop gateway --config hoop.yaml', 'SIGHUP, or a change of the file, reloads it'],
        ['hoop gateway check --config hoop.yaml', 'what it means; exit code 1 if it has mistakes'],
      ]),
    )
    .action(() => run(runtime, { ...command.optsWithGlobals(), config: given(command) }))
  const checking = new Command('check')
    .description('say what a configuration means, or what is wrong with it')
    .addOption(config())
    .addOption(jsonOption())
    .action(() => check(runtime, { ...checking.optsWithGlobals(), config: given(checking) }))
  return command.addCommand(checking)
}

/** Both commands have the option; it counts wherever it stands on the line. */
function given(command: Command): string {
  const { config } = command.optsWithGlobals<Partial<GatewayOptions>>()
  const own = command.getOptionValueSource('config') === 'cli' ? command.opts<Partial<GatewayOptions>>().config : config
  if (own === undefined)
    throw hoopError('usage', 'which configuration?', { hint: 'name it with --config FILE, or with HOOP_CONFIG' })
  return resolve(own)
}

export async function runGateway(runtime: Runtime, { config, logFile, json }: GatewayOptions): Promise<void> {
  // The gateway is most of the program: only whoever runs one loads it.
  const { startGateway } = await import('../gateway/gateway.ts')
  const output = createOutput(runtime, { json })
  let gateway: Gateway | undefined
  // From the beginning: a signal that comes while it starts must neither kill it nor be lost.
  const told = waitToBeStopped(runtime, () => void gateway?.reload())
  try {
    gateway = await startGateway({
      configFile: config,
      env: runtime.env,
      version: runtime.version,
      log: logFile === undefined ? {} : { file: logFile },
    })
    if (output.json) await output.item({ url: gateway.url, port: gateway.port })
    else await output.write(`hoop gateway is ready: ${gateway.url}\n`)
    await told.stopped
    output.talk('stopping: connections end, pending approvals are cancelled')
  } finally {
    await Promise.race([gateway?.close(), told.impatient])
    told.release()
  }
}

/** Once: end well. Twice: end now. */
function waitToBeStopped(runtime: Runtime, onHangup: () => void) {
  const stopped = Promise.withResolvers<void>()
  const impatient = Promise.withResolvers<never>()
  // Nobody waits for it until the gateway closes.
  impatient.promise.catch(() => undefined)
  let times = 0
  const releaseSignals = runtime.takeSignals(() => {
    times += 1
    stopped.resolve()
    if (times > 1)
      impatient.reject(hoopError('cancelled', 'told twice to stop: what was open is settled at the next start'))
  })
  runtime.signal.addEventListener('abort', () => stopped.resolve())
  process.on('SIGHUP', onHangup)
  return {
    stopped: stopped.promise,
    impatient: impatient.promise,
    release() {
      releaseSignals()
      process.off('SIGHUP', onHangup)
    },
  }
}

export async function runCheck(runtime: Runtime, { config: file, json }: CheckOptions): Promise<void> {
  const { readConfig } = await import('../gateway/config/load.ts')
  const { sentenceOf } = await import('../gateway/config/mistakes.ts')
  const { explainConfig, explanationLines } = await import('../gateway/config/explain.ts')
  const { abilities } = await import('../gateway/protocols/registry.ts')
  const output = createOutput(runtime, { json })

  const reading = await readConfig(file, abilities)
  const found = 'mistakes' in reading ? reading.mistakes : reading.loaded.warnings
  const explained = 'loaded' in reading ? explainConfig(reading.loaded) : []
  const good = 'loaded' in reading
  if (output.json) {
    await output.document({
      ok: good,
      hash: good ? reading.loaded.config.hash : null,
      findings: found,
      targets: explained,
    })
  } else {
    for (const one of found) await output.write(`${sentenceOf(one)}\n`)
    if (good) {
      const { targets, rules, masks, hash } = reading.loaded.config
      if (found.length > 0) await output.write('\n')
      for (const line of explanationLines(explained)) await output.write(`${line}\n`)
      await output.write(
        `${file} is good: ${[count(targets, 'target'), count(rules, 'rule'), count(masks, 'mask')].join(', ')}; its hash is ${hash}\n`,
      )
    } else {
      const mistakes = found.filter(({ severity }) => severity === 'mistake').length
      output.talk(`${file} has ${mistakes === 1 ? 'a mistake' : `${mistakes} mistakes`}`)
    }
  }
  if (!good) runtime.exitWith(exitCodes.error)
}

function count(things: readonly unknown[], name: string): string {
  return `${things.length} ${name}${things.length === 1 ? '' : 's'}`
}
