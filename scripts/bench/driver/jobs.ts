/** What the bench asks of the driver's process, and what that answers. */
import type { Protocol } from '../settings.ts'
import type { ScriptName } from './scripts.ts'

/** How to get to the server. */
export type Reach = { readonly user: string; readonly database: string } & (
  | { readonly kind: 'tcp'; readonly port: number; readonly password: string | undefined }
  /** Straight over the gateway's link, as the CLI does it, without its process between. */
  | {
      readonly kind: 'link'
      readonly gateway: string
      readonly token: string
      readonly session: string
      readonly target: string
    }
)

export interface Load {
  readonly reach: Reach
  readonly script: ScriptName
  readonly protocol: Protocol
  readonly clients: number
  readonly seconds: number
}

/** Each kind of job, with what is asked and what comes back. */
export interface Jobs {
  /** As fast as it goes: each client asks again when it has its answer. */
  load: { asked: Load; answered: LoadResult }
  /** At this many transactions a second, whether earlier ones are answered or not. */
  paced: { asked: Load & { readonly rate: number }; answered: PacedResult }
  /** Connects, asks once, goes: as fast as that goes with so many clients. */
  churn: { asked: Omit<Load, 'script' | 'protocol'>; answered: LoadResult }
  /** New connections, one after the other. */
  connect: { asked: { readonly reach: Reach; readonly times: number }; answered: Connects }
  /** One statement; its answer is read and thrown away. */
  fetch: { asked: { readonly reach: Reach; readonly sql: string }; answered: BulkResult }
  /** COPY FROM STDIN of this text, again and again until that many bytes are sent. */
  copyIn: {
    asked: { readonly reach: Reach; readonly sql: string; readonly text: string; readonly bytes: number }
    answered: BulkResult
  }
  /** Opens connections that stay open and silent until the driver stops. */
  idle: { asked: { readonly reach: Reach; readonly connections: number }; answered: Span }
}
export type JobKind = keyof Jobs

/** When it was, by clock.ts, without connecting and going. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** One of each for every connection. */
export interface Connects {
  readonly readyMs: readonly number[]
  /** To the first row of its first question. */
  readonly answeredMs: readonly number[]
}

export interface LoadResult extends Span {
  readonly transactions: number
  /** The driver's own, all threads. */
  readonly cpuMicros: number
}

export interface PacedResult extends LoadResult {
  /** From when each should have started to its answer. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** How late the driver itself began, where a client was free: half of them later than this. */
  readonly lateMs: number
}

export interface BulkResult extends Span {
  readonly bytes: number
}

export type Request = { [K in JobKind]: { readonly kind: K; readonly asked: Jobs[K]['asked'] } }[JobKind]
export type Answer = { readonly answered: unknown } | { readonly error: string }
