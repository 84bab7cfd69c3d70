/**
 * Reads the configuration: YAML with places, then the schema, then what it means. All or nothing: a file with any mistake
 * is not taken, and every mistake is named with its line and what was probably meant.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { reasonOf } from '../../base/errors.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { ProtocolName } from '../../contract/command.ts'
import { compilePolicy, type Policy } from '../policy/decide.ts'
import type { Abilities, Target } from '../protocols/protocol.ts'
import { findingsIn } from './meaning.ts'
import { configInvalid, type Finding, type Located } from './mistakes.ts'
import type { Config, TargetConfig } from './schema.ts'
import { shape } from './shape.ts'
import { readYaml } from './yaml.ts'

/** A configuration that is good, with what follows from it. Never changes: a reload makes another one. */
export interface Loaded {
  /** Paths in it are absolute: relative ones are meant from the file's own folder. */
  readonly config: Config
  readonly policy: Policy
  /** As protocols see them, certificate authorities read. */
  readonly targets: ReadonlyMap<string, Target>
  /** PEM of the gateway's own certificate and key. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly warnings: readonly Located[]
}

export type Reading = { readonly loaded: Loaded } | { readonly mistakes: readonly Located[] }

export type AbilitiesOf = Readonly<Record<ProtocolName, Abilities>>

/** Throws `config-invalid` with the first mistake; `readConfig` gives all of them. */
export async function loadConfig(file: string, abilities: AbilitiesOf): Promise<Loaded> {
  const reading = await readConfig(file, abilities)
  if ('loaded' in reading) return reading.loaded
  throw configInvalid(
    file,
    reading.mistakes.filter(({ severity }) => severity === 'mistake'),
  )
}

/** Mistakes come with the warnings among them, in the order of the file. Throws only if the file cannot be read. */
export async function readConfig(file: string, abilities: AbilitiesOf): Promise<Reading> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw hoopError('config-invalid', `cannot read ${file} (${reasonOf(error)})`, { cause: error })
  })
  const yaml = readYaml(bytes.toString('utf8'))
  const locate = ({ path, atKey, severity, message }: Finding): Located => ({
    severity,
    file,
    ...yaml.place(path, atKey),
    message,
  })
  if (yaml.flaws.length > 0)
    return { mistakes: inOrder(yaml.flaws.map((flaw) => ({ ...flaw, severity: 'mistake', file }))) }

  const shaped = shape(yaml.value)
  if ('findings' in shaped) return { mistakes: inOrder(shaped.findings.map(locate)) }

  const config = { ...absolute(shaped.config, dirname(file)), hash: createHash('sha256').update(bytes).digest('hex') }
  const files = await readFiles(config)
  const findings = [...findingsIn(config, abilities), ...files.findings]
  const located = inOrder(findings.map(locate))
  if (findings.some(({ severity }) => severity === 'mistake')) return { mistakes: located }

  const targets = new Map(config.targets.map((target) => [target.name, targetOf(target, files.texts)]))
  const { tls } = config.listen
  return {
    loaded: {
      config,
      policy: compilePolicy(config),
      targets,
      tls: tls && { cert: files.texts.get(tls.cert) ?? '', key: files.texts.get(tls.key) ?? '' },
      warnings: located,
    },
  }
}

function inOrder(located: readonly Located[]): readonly Located[] {
  return located.toSorted((a, b) => a.line - b.line || a.column - b.column)
}

/** `~` is not a home folder here: the gateway runs as a service, and the file says where things are. */
function absolute(config: Omit<Config, 'hash'>, folder: string): Omit<Config, 'hash'> {
  const { listen, store, ssh, targets } = config
  const from = (path: string) => resolve(folder, path)
  return {
    ...config,
    listen: { ...listen, ...(listen.tls && { tls: { cert: from(listen.tls.cert), key: from(listen.tls.key) } }) },
    store: { ...store, path: from(store.path) },
    ssh: ssh.hostKey === undefined ? ssh : { hostKey: from(ssh.hostKey) },
    targets: targets.map((target) =>
      target.tls.ca === undefined ? target : { ...target, tls: { ...target.tls, ca: from(target.tls.ca) } },
    ),
  }
}

/** The PEM files that the configuration names, read with it: together they are one version. */
async function readFiles({ listen, targets }: Config) {
  const wanted: { path: Finding['path']; file: string }[] = []
  if (listen.tls) {
    wanted.push({ path: ['listen', 'tls', 'cert'], file: listen.tls.cert })
    wanted.push({ path: ['listen', 'tls', 'key'], file: listen.tls.key })
  }
  for (const [at, { tls }] of targets.entries())
    if (tls.ca !== undefined) wanted.push({ path: ['targets', at, 'tls', 'ca'], file: tls.ca })

  const texts = new Map<string, string>()
  const findings: Finding[] = []
  for (const { path, file } of wanted)
    try {
      const text = await readFile(file, 'utf8')
      if (!text.includes('-----BEGIN '))
        findings.push({ path, severity: 'mistake', message: `${file} is not a PEM file` })
      texts.set(file, text)
    } catch (error) {
      findings.push({ path, severity: 'mistake', message: `cannot read ${file} (${reasonOf(error)})` })
    }
  if (listen.tls && findings.length === 0)
    findings.push(...pairFindings(texts.get(listen.tls.cert), texts.get(listen.tls.key)))
  return { texts, findings }
}

/** Found here and not by the first client; after a reload nobody could connect any more. */
function pairFindings(cert: string | undefined, key: string | undefined): readonly Finding[] {
  try {
    createSecureContext({ cert, key })
    return []
  } catch (error) {
    const message = `certificate and key cannot be used together (${reasonOf(error)})`
    return [{ path: ['listen', 'tls'], severity: 'mistake', message }]
  }
}

function targetOf(
  { name, protocol, host, port, user, databases, ssh, http, kubernetes, tls }: TargetConfig,
  texts: ReadonlyMap<string, string>,
): Target {
  const ca = tls.ca === undefined ? undefined : texts.get(tls.ca)
  return {
    name,
    protocol,
    host,
    port,
    user,
    databases,
    ...(protocol === 'ssh' && { ssh }),
    ...(protocol === 'http' && { http }),
    ...(protocol === 'kubernetes' && { kubernetes }),
    tls: {
      mode: tls.mode,
      ...(ca !== undefined && { ca }),
      ...(tls.serverName !== undefined && { serverName: tls.serverName }),
    },
  }
}
