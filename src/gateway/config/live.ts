/**
 * The configuration in force, and how another one takes its place: on SIGHUP, and when the file changes. All or nothing. A
 * file with a mistake, or one that changes what only a start can change, leaves everything as it is and says why. Each
 * change, made or refused, is in the audit; one that cannot be written down is not made.
 */
import { type FSWatcher, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import { reasonOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { RecordDraft } from '../../contract/record.ts'
import type { Audit } from '../audit/audit.ts'
import { type AbilitiesOf, type Loaded, readConfig } from './load.ts'
import { sentenceOf } from './mistakes.ts'
import type { Config } from './schema.ts'

export type Reload = 'reloaded' | 'unchanged' | { readonly refused: string }

export interface LiveConfig {
  current(): Loaded
  /** Never rejects. */
  reload(): Promise<Reload>
  close(): void
}

export interface LiveConfigOptions {
  readonly file: string
  readonly first: Loaded
  readonly abilities: AbilitiesOf
  readonly audit: Pick<Audit, 'append'>
  readonly log: Log
  /** Told of each configuration that was taken. */
  readonly onTaken?: (loaded: Loaded) => void
}

/** Editors write a file in several steps; this is longer than these take. */
const settleMs = 150
/** As many mistakes as a record or a log line is good for; `hoop gateway check` shows all. */
const mostTold = 5

export function createLiveConfig({ file, first, abilities, audit, log, onTaken }: LiveConfigOptions): LiveConfig {
  let loaded = first
  /** What was refused last: seen once more, it is not told again. */
  let refusedLast: string | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const { tls } = first.config.listen
  const watched = [file, ...(tls === undefined ? [] : [tls.cert, tls.key])]
  const watchers = [...new Set(watched.map((path) => dirname(path)))].map(watchFolder)

  async function reload(): Promise<Reload> {
    const next = await readNext()
    if (next === 'unchanged') return next
    if ('refused' in next) return await refuse(next.refused)
    const { hash } = next.config
    try {
      await audit.append([adminRecord('config.reload', `${file}: ${loaded.config.hash} replaced by ${hash}`)])
    } catch (error) {
      return await refuse(`it cannot be written down (${reasonOf(error)})`)
    }
    loaded = next
    refusedLast = undefined
    onTaken?.(loaded)
    log.info({ file, config: hash, warnings: next.warnings.map(sentenceOf) }, 'the configuration was reloaded')
    return 'reloaded'
  }

  async function readNext(): Promise<Loaded | 'unchanged' | { readonly refused: string }> {
    try {
      const reading = await readConfig(file, abilities)
      if ('mistakes' in reading) {
        const told = reading.mistakes.filter(({ severity }) => severity === 'mistake').map(sentenceOf)
        const more = told.length > mostTold ? ` … and ${told.length - mostTold} more` : ''
        return { refused: `${told.slice(0, mostTold).join('; ')}${more}` }
      }
      const { config } = reading.loaded
      if (config.hash === loaded.config.hash && sameFiles(loaded, reading.loaded)) {
        refusedLast = undefined
        return 'unchanged'
      }
      const fixed = onlyByStart(loaded.config, config)
      return fixed.length > 0 ? { refused: `${fixed.join(', ')} can only change with a restart` } : reading.loaded
    } catch (error) {
      return { refused: reasonOf(error) }
    }
  }

  async function refuse(refused: string): Promise<Reload> {
    if (refused !== refusedLast) {
      refusedLast = refused
      log.error({ file, reason: refused }, 'the configuration was not reloaded; the one before stays in force')
      await audit.append([adminRecord('config.refused', refused)]).catch((error: unknown) => {
        log.error({ file, err: error }, 'that the configuration was refused could not be written down')
      })
    }
    return { refused }
  }

  function inTurn(): Promise<Reload> {
    const mine = turn.then(reload)
    turn = mine
    return mine
  }

  /** The folder, because editors and deployments replace a file, and a watch of the file would follow the old one. */
  function watchFolder(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        // Kubernetes swaps a link named ..data that the file leads through.
        if (name !== null && !watched.includes(join(folder, name)) && !name.startsWith('..')) return
        clearTimeout(timer)
        timer = setTimeout(() => void inTurn(), settleMs).unref()
      })
      watcher.on('error', (error) => log.warn({ file, err: error }, 'the file is not watched any more: send SIGHUP'))
      return watcher
    } catch (error) {
      log.warn({ file, err: error }, 'the file cannot be watched: send SIGHUP after a change')
      return undefined
    }
  }

  return {
    current: () => loaded,
    reload: inTurn,
    close() {
      clearTimeout(timer)
      for (const watcher of watchers) watcher?.close()
    },
  }
}

/** A record about the gateway itself. */
export function adminRecord(action: string, detail: string): RecordDraft {
  return {
    type: 'admin',
    action,
    detail,
    session: null,
    user: 'gateway',
    subject: 'gateway',
    groups: [],
    agent: null,
    target: null,
    connection: null,
  }
}

/** Certificates may be exchanged while the configuration that names them stays the same. */
function sameFiles(before: Loaded, after: Loaded): boolean {
  if (before.tls?.cert !== after.tls?.cert || before.tls?.key !== after.tls?.key) return false
  return JSON.stringify([...before.targets]) === JSON.stringify([...after.targets])
}

/** What was made once from the configuration and cannot be exchanged under running connections. */
function onlyByStart(before: Config, after: Config): readonly string[] {
  const fixed = (config: Config): Readonly<Record<string, unknown>> => ({
    listen: config.listen,
    store: config.store,
    'ssh.hostKey': config.ssh.hostKey,
    'audit.flush': config.audit.flush,
    'limits.statement': config.limits.statement,
    'limits.connect': config.limits.connect,
  })
  const then = fixed(before)
  return Object.entries(fixed(after)).flatMap(([key, value]) =>
    JSON.stringify(value) === JSON.stringify(then[key]) ? [] : [`"${key}"`],
  )
}
