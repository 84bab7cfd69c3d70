/**
 * The tokens of this machine's sign-ins: kept, refreshed in time and once (also when several hoop processes run: refresh
 * tokens rotate, and using one twice ends the sign-in at many providers), and forgotten.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { hoopError } from '../contract/error-codes.ts'
import { readSignIns, readTokens, type SignIn, type SignIns } from './kept.ts'
import { withLock } from './lock.ts'
import { openStore, type SecretStore, type StoreChoice, writePrivately } from './secret-store.ts'
import type { Issuer, Tokens } from './sign-in.ts'
import type { TokenSource } from './token-source.ts'

export interface TokenKeeper {
  /** The gateway of the last sign-in. */
  current(): Promise<string | undefined>
  find(gateway: string): Promise<SignIn | undefined>
  /** After a sign-in: kept in `store`, and this gateway becomes the current one. */
  keep(gateway: string, signIn: Omit<SignIn, 'kept'>, tokens: Tokens, store: SecretStore): Promise<void>
  /** Forgets the sign-in and gives back its tokens, for revoking. */
  forget(gateway: string): Promise<{ signIn: SignIn; tokens: Tokens | undefined } | undefined>
  /** When the token ends, and where it is kept. */
  describe(gateway: string): Promise<{ expires: string | null; where: string; renewable: boolean } | undefined>
  source(gateway: string): TokenSource
}

export interface TokenKeeperOptions {
  readonly stores: StoreChoice
  readonly clock: Clock
  readonly refresh: (issuer: Issuer, refreshToken: string, now: () => number) => Promise<Tokens>
}

export function createTokenKeeper({ stores, clock, refresh }: TokenKeeperOptions): TokenKeeper {
  const indexPath = join(stores.folder, 'sign-ins.json')
  const now = () => clock.now()

  async function readIndex(): Promise<SignIns> {
    const text = await readFile(indexPath, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    return readSignIns(text ?? '') ?? { v: 1, current: null, gateways: {} }
  }

  async function locked<T>(what: string, work: () => Promise<T>): Promise<T> {
    await mkdir(stores.folder, { recursive: true, mode: 0o700 })
    return withLock(join(stores.folder, `${what}.lock`), work)
  }

  async function changeIndex(change: (index: SignIns) => SignIns): Promise<void> {
    await locked('sign-ins', async () => writePrivately(indexPath, JSON.stringify(change(await readIndex()), null, 2)))
  }

  async function load(gateway: string): Promise<{ signIn: SignIn; store: SecretStore; tokens: Tokens } | undefined> {
    const signIn = (await readIndex()).gateways[gateway]
    if (signIn === undefined) return undefined
    const store = await openStore(signIn.kept, stores)
    const tokens = readTokens((await store.get(gateway)) ?? '')
    return tokens === undefined ? undefined : { signIn, store, tokens }
  }

  /** Refreshes unless somebody else has meanwhile: `unwanted` is the token that will not do. */
  async function renewed(gateway: string, unwanted: string): Promise<string | undefined> {
    return locked(`refresh-${createHash('sha256').update(gateway).digest('hex').slice(0, 16)}`, async () => {
      const kept = await load(gateway)
      if (kept === undefined) throw notSignedIn(gateway)
      const { signIn, store, tokens } = kept
      if (tokens.accessToken !== unwanted) return tokens.accessToken
      if (tokens.refreshToken === null) return undefined
      const fresh = await refresh(signIn, tokens.refreshToken, now)
      // Kept before it is used: the old refresh token is worth nothing from now on.
      await store.set(gateway, JSON.stringify(fresh))
      return fresh.accessToken
    })
  }

  function source(gateway: string): TokenSource {
    let kept: Tokens | undefined
    let renewing: Promise<string | undefined> | undefined

    function renewOnce(unwanted: string): Promise<string | undefined> {
      renewing ??= renewed(gateway, unwanted).finally(() => {
        renewing = undefined
        kept = undefined
      })
      return renewing
    }

    return {
      async token() {
        kept = kept !== undefined && isFresh(kept, now()) ? kept : (await load(gateway))?.tokens
        if (kept === undefined) throw notSignedIn(gateway)
        if (isFresh(kept, now())) return kept.accessToken
        const { accessToken, expires } = kept
        try {
          const token = await renewOnce(accessToken)
          if (token !== undefined) return token
        } catch (error) {
          // A provider that is away for a moment: what we have is good until it ends.
          if (expires === null || Date.parse(expires) > now()) return accessToken
          throw error
        }
        if (expires !== null && Date.parse(expires) > now()) return accessToken
        throw hoopError('sign-in-needed', `your sign-in to ${gateway} has expired`, { hint: loginHint(gateway) })
      },
      renew: (rejected) => renewOnce(rejected),
    }
  }

  return {
    current: async () => (await readIndex()).current ?? undefined,
    find: async (gateway) => (await readIndex()).gateways[gateway],
    async keep(gateway, signIn, tokens, store) {
      await store.set(gateway, JSON.stringify(tokens))
      await changeIndex((index) => ({
        v: 1,
        current: gateway,
        gateways: { ...index.gateways, [gateway]: { ...signIn, kept: store.kind } },
      }))
    },
    async forget(gateway) {
      const signIn = (await readIndex()).gateways[gateway]
      if (signIn === undefined) return undefined
      const kept = await load(gateway)
      await kept?.store.delete(gateway)
      await changeIndex((index) => {
        const { [gateway]: _gone, ...gateways } = index.gateways
        return { v: 1, current: index.current === gateway ? null : index.current, gateways }
      })
      return { signIn, tokens: kept?.tokens }
    },
    async describe(gateway) {
      const kept = await load(gateway)
      if (kept === undefined) return undefined
      const { store, tokens } = kept
      return { expires: tokens.expires, where: store.where, renewable: tokens.refreshToken !== null }
    },
    source,
  }
}

/** In time: a minute before the end, or the last fifth of a short life. Without an end the gateway has to say. */
function isFresh({ expires, received }: Tokens, now: number): boolean {
  if (expires === null) return true
  const end = Date.parse(expires)
  const life = end - Date.parse(received)
  return now < end - Math.min(60_000, life / 5)
}

function notSignedIn(gateway: string): Error {
  return hoopError('sign-in-needed', `not signed in to ${gateway}`, { hint: loginHint(gateway) })
}

function loginHint(gateway: string): string {
  return `run "hoop login --gateway ${gateway}", or set HOOP_TOKEN`
}
