/**
 * What `hoop proxy` does. It runs before every `ssh`, so it loads as little as it can: no tree of commands, no schemas, no
 * client of the API; a session of its own begins and ends with the one stream it opens.
 */
import type { Duplex } from 'node:stream'
import { reasonOf } from '../base/errors.ts'
import { hoopError, isHoopError } from '../contract/error-codes.ts'
import { createLink, type Link } from '../gateway-client/link.ts'
import type { Runtime } from '../runtime.ts'
import { joinStdio } from '../tunnel/stdio.ts'

export interface ProxyOptions {
  /** As ssh knows it (`%h`): `ssh-prod.hoop`, or just the target's name. */
  readonly host: string
  readonly gateway?: string
  readonly reason?: string
  readonly agent?: string
}

/** How long ssh may take to close its end after it told us to go. */
const graceMs = 2000

export async function runProxy(runtime: Runtime, options: ProxyOptions): Promise<void> {
  const { stdin, stdout } = runtime.io
  const target = targetIn(options.host)
  const { gateway, tokens, proxy } = await runtime.access(options.gateway)
  const isAlone = stdin.isTTY !== true
  const stop = new AbortController()
  const leave = () => stop.abort(runtime.signal.reason ?? hoopError('cancelled', 'told to stop'))
  runtime.signal.addEventListener('abort', leave, { once: true })
  const release = runtime.takeSignals((signal) => {
    // Ctrl-C goes to all programs of a terminal. What becomes of the connection is ssh's to say: a master that others use
    // goes on.
    if (signal === 'SIGINT' && isAlone) return
    // ssh says so when it is done. Its last words may still be in the pipe: the pipe's end is the end.
    if (signal === 'SIGHUP' && isAlone) setTimeout(leave, graceMs).unref()
    else leave()
  })
  let token = await tokens.token()
  const link = createLink({ gateway, token: () => Promise.resolve(token), proxy })
  try {
    const stream = await open(runtime, options, link, target).catch(async (error: unknown) => {
      if (!isHoopError(error) || error.code !== 'sign-in-needed') throw error
      const other = await tokens.renew(token)
      if (other === undefined || other === token) throw error
      token = other
      return open(runtime, options, link, target)
    })
    await joinStdio({ stdin, stdout }, stream, stop.signal)
  } catch (error) {
    if (isHoopError(error)) throw error
    throw hoopError('gateway-unreachable', `the connection to ${target} broke (${reasonOf(error)})`, { cause: error })
  } finally {
    link.close()
    release()
    runtime.signal.removeEventListener('abort', leave)
  }
}

export function targetIn(host: string): string {
  return host.toLowerCase().replace(/\.hoop$/, '')
}

async function open(runtime: Runtime, options: ProxyOptions, link: Link, target: string): Promise<Duplex> {
  const { settings, signal } = runtime
  if (settings.session !== undefined) {
    const { session } = settings
    try {
      return await link.open(target, session, { signal })
    } catch (error) {
      if (!(await isOver(runtime, options, session, error))) throw error
    }
  }
  const reason = options.reason ?? settings.reason ?? null
  const agent = options.agent ?? settings.agent ?? null
  return link.open(target, { reason, agent }, { signal })
}

/** Has the session of HOOP_SESSION ended or been forgotten? One that was killed must not be got around. */
async function isOver(runtime: Runtime, options: ProxyOptions, session: string, refusal: unknown): Promise<boolean> {
  if (!isHoopError(refusal)) return false
  if (refusal.code !== 'conflict') return refusal.code === 'not-found'
  const { client } = await runtime.door(options.gateway)
  return (await client.session(session)).ended !== null
}
