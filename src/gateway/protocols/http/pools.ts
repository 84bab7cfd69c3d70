/**
 * Kept connections to targets, shared by all who use the same target in the same way (for mutual TLS: with the same
 * certificate). A pool is there while somebody holds it, and a little longer; what one of its users does ends nothing of
 * the others'.
 */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { type Dispatcher, Pool } from 'undici'
import type { ClientCertificate } from './client-certificate.ts'
import { originOf, type Place } from './own-addresses.ts'

export interface Pools {
  hold(place: Place, certificate: ClientCertificate | undefined): Hold
}

export interface Hold {
  readonly requests: Dispatcher
  /** An upgrade (RFC 9110, 7.8) is a thing of HTTP/1.1 alone. */
  upgrades(): Dispatcher
  release(): void
}

/** For the head of an answer to come: reports take their time. */
const usualAnswerTimeoutMs = 300_000
/** A client that comes back soon finds its connections still open. */
const usualIdleMs = 30_000

type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized' | 'minVersion'>

interface Entry {
  readonly place: Place
  readonly certificate: ClientCertificate | undefined
  readonly requests: Pool
  upgrades: Pool | undefined
  holds: number
  idle: NodeJS.Timeout | undefined
}

export function createPools(
  connectTimeoutMs: number,
  idleMs = usualIdleMs,
  answerTimeoutMs = usualAnswerTimeoutMs,
  /** undici joins lines of one name over HTTP/2: not for targets to which several are several. */
  speaksH2 = true,
): Pools {
  const entries = new Map<string, Entry>()

  function open(place: Place, certificate: ClientCertificate | undefined, allowH2: boolean): Pool {
    return new Pool(originOf(place), {
      connect: { ...tlsOptions(place, certificate), timeout: connectTimeoutMs, keepAlive: true },
      allowH2,
      pipelining: 1,
      headersTimeout: answerTimeoutMs,
      // A stream of events may be silent for hours; whether the other side is still there is TCP's to find out.
      bodyTimeout: 0,
    })
  }

  function close(key: string, entry: Entry): void {
    entries.delete(key)
    // Nobody holds it: there is no request to wait for.
    void entry.requests.destroy()
    void entry.upgrades?.destroy()
  }

  return {
    hold(place, certificate) {
      const key = keyOf(place, certificate)
      const entry = entries.get(key) ?? {
        place,
        certificate,
        requests: open(place, certificate, speaksH2),
        upgrades: undefined,
        holds: 0,
        idle: undefined,
      }
      entries.set(key, entry)
      clearTimeout(entry.idle)
      entry.holds++
      let isHeld = true
      return {
        requests: entry.requests,
        upgrades() {
          // Over plain TCP nothing else is ever spoken.
          if (place.tls.mode === 'disable' || !speaksH2) return entry.requests
          entry.upgrades ??= open(place, certificate, false)
          return entry.upgrades
        },
        release() {
          if (!isHeld) return
          isHeld = false
          entry.holds--
          if (entry.holds === 0) entry.idle = setTimeout(close, idleMs, key, entry).unref()
        },
      }
    },
  }
}

function keyOf({ host, port, tls }: Place, certificate: ClientCertificate | undefined): string {
  const who = certificate === undefined ? null : createHash('sha256').update(JSON.stringify(certificate)).digest('hex')
  return JSON.stringify([host, port, tls.mode, tls.ca, tls.serverName, who])
}

function tlsOptions({ host, tls }: Place, certificate: ClientCertificate | undefined): TlsOptions {
  if (tls.mode === 'disable') return {}
  const name = tls.serverName ?? host
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...certificate,
    // TLS names servers by name only; an address is checked against the certificate all the same.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: tls.mode === 'verify-full',
    minVersion: 'TLSv1.2',
  }
}
