/**
 * The gateway, put together: this is its map. Config says what, the audit comes first because nothing happens without it,
 * then people (identity, approvals), then sessions over the protocols, and the port last, when everything behind it works.
 */
import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { createScope } from '../base/scope.ts'
import { ownVersion } from '../base/version.ts'
import type { WellKnown } from '../contract/api.ts'
import { createApprovals } from './approvals/create-approvals.ts'
import { openAudit } from './audit/open.ts'
import { createRecordings } from './audit/recordings.ts'
import { adminRecord, createLiveConfig, type Reload } from './config/live.ts'
import { type Loaded, loadConfig } from './config/load.ts'
import { sentenceOf } from './config/mistakes.ts'
import { openGatewayKey } from './credentials/gateway-key.ts'
import { createOpenCredential } from './credentials/open-credential.ts'
import { createTargetKeys } from './credentials/target-keys.ts'
import { createIdentity } from './identity/identity.ts'
import { createLog, type LogTarget } from './log.ts'
import { abilities, createProtocols } from './protocols/registry.ts'
import { createMetrics } from './server/metrics.ts'
import { type RunningServer, startServer } from './server/server.ts'
import { createSessions } from './sessions/create-sessions.ts'

export interface GatewayOptions {
  readonly configFile: string
  /** What env:// secrets are read from, and what exec:// programs are given. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log?: Log | LogTarget
  readonly clock?: Clock
  /** This program's own, unless said otherwise. */
  readonly version?: string
}

export interface Gateway {
  /** As a client on this machine writes it. */
  readonly url: string
  readonly port: number
  readonly log: Log
  /** Takes the file as it is now; a bad one changes nothing. */
  reload(): Promise<Reload>
  /** Ends connections with a word, leaves no approval pending, writes down what there is, then closes. */
  close(): Promise<void>
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { configFile: file, env, clock = systemClock, version = ownVersion() } = options
  const log = logOf(options.log)
  const scope = createScope()
  try {
    const first = await loadConfig(file, abilities)
    for (const warning of first.warnings) log.warn({ at: sentenceOf(warning) }, 'the configuration has a weakness')
    const { listen, store, audit: auditing, limits } = first.config
    const metrics = createMetrics()

    const audit = await openAudit({ path: store.path, flush: auditing.flush, clock, log, metrics })
    scope.defer(() => audit.close())
    await audit.append([adminRecord('gateway.start', `hoop ${version} with configuration ${first.config.hash}`)])
    scope.defer(() => audit.note(adminRecord('gateway.stop', `hoop ${version}`)))

    let port: Pick<RunningServer, 'exchangeCertificate'> | undefined
    const onTaken = ({ tls }: Loaded) => {
      if (tls !== undefined) port?.exchangeCertificate(tls)
    }
    const config = createLiveConfig({ file, first, abilities, audit, log, onTaken })
    scope.defer(() => config.close())
    const current = () => config.current()

    const identity = createIdentity(() => current().config, { clock })
    const approvals = createApprovals({ audit, clock, metrics })
    const protocols = createProtocols({
      clock,
      maxStatementBytes: limits.statement,
      connectTimeoutMs: limits.connect,
      hostKey: await openGatewayKey(store.path, first.config.ssh.hostKey),
      targetKeys: createTargetKeys(store.path, audit, adminRecord),
    })
    const recordings = createRecordings({
      store: store.path,
      flush: auditing.flush,
      limit: () => current().config.audit.recording,
      clock,
    })
    scope.defer(() => recordings.close())
    const sessions = await createSessions({
      current,
      protocols,
      audit,
      approvals,
      recordingsOf: recordings.of,
      openCredential: createOpenCredential(env),
      metrics,
      clock,
      log,
      hashKey: randomBytes(32),
    })
    // Once more below: here for a port that cannot be had.
    scope.defer(() => sessions.close())
    const server = await startServer({
      listen,
      identity,
      sessions,
      approvals,
      audit,
      recordings,
      wellKnown: () => wellKnown(current().config.identity, version),
      version,
      log,
      metrics,
    })
    port = server
    // In this order when it closes: no new work, nobody waits for a reviewer, connections end with a word, then the port.
    scope.defer(() => server.close())
    scope.defer(() => sessions.close())
    scope.defer(() => approvals.close())
    log.info({ url: server.url, config: first.config.hash, version }, 'the gateway is ready')
    return { url: server.url, port: server.port, log, reload: () => config.reload(), close: () => scope.close() }
  } catch (error) {
    await scope.close().catch((closing: unknown) => log.error({ err: closing }, 'what was started did not close well'))
    throw error
  }
}

function wellKnown(
  { issuer, clientId, audience, scopes }: { issuer: string; clientId: string; audience: string; scopes: string[] },
  version: string,
): WellKnown {
  return { issuer, clientId, audience, scopes, version, api: 'v1' }
}

function logOf(given: GatewayOptions['log']): Log {
  return given !== undefined && 'info' in given ? given : createLog(given ?? {})
}
