/**
 * The target's end of one client connection. Requests go out through undici, built anew from what was understood, with the
 * credential put in; answers come back without what concerns one connection only, without the credential, and with the
 * target's own address turned into the client's. What stands behind it (pools.ts, tokens.ts) is shared.
 */
import type { Credential, Target } from '../protocol.ts'
import type { Upstream } from './exchange.ts'
import type { Login } from './login.ts'
import type { Pools } from './pools.ts'
import { Sending } from './sending.ts'

export interface UpstreamWish {
  readonly target: Target
  readonly bearer: Credential['bearer']
  readonly login: Login
}

export function openUpstream(pools: Pools, { target, bearer, login }: UpstreamWish): Upstream {
  const hold = pools.hold(target, login.certificate)
  const over = new AbortController()
  const running = new Set<Sending>()
  const way = { target, login, hold, signal: over.signal, ended: (sending: Sending) => running.delete(sending) }
  return {
    target,
    bearer,
    // The permit is for the compiler: without one nothing is sent.
    dispatch(outgoing, _permit, listener) {
      const sending = new Sending(way, outgoing, listener)
      running.add(sending)
      sending.start()
      return sending
    },
    close() {
      over.abort()
      for (const sending of [...running]) sending.abort()
      hold.release()
    },
  }
}
