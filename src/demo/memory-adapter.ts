/** Where the demo's identity provider keeps its state: in memory, until the process ends. */
import type { Adapter, AdapterPayload } from 'oidc-provider'

interface Kept {
  readonly model: string
  readonly payload: AdapterPayload
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** A factory for one provider; every model of it shares one map. */
export function createMemoryAdapter(): (model: string) => Adapter {
  const kept = new Map<string, Kept>()

  const live = (entry: Kept | undefined) =>
    entry === undefined || entry.expires < Date.now() ? undefined : entry.payload

  return (model) => {
    const keyOf = (id: string) => `${model}:${id}`
    const findBy = (field: 'userCode' | 'uid', value: string) => {
      for (const entry of kept.values()) {
        if (entry.model === model && entry.payload[field] === value) return live(entry)
      }
      return undefined
    }
    return {
      upsert: async (id, payload, expiresIn) => {
        kept.set(keyOf(id), { model, payload, expires: Date.now() + (expiresIn ?? 86_400) * 1000 })
      },
      find: async (id) => live(kept.get(keyOf(id))),
      findByUserCode: async (userCode) => findBy('userCode', userCode),
      findByUid: async (uid) => findBy('uid', uid),
      consume: async (id) => {
        const entry = kept.get(keyOf(id))
        if (entry !== undefined) entry.payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => {
        kept.delete(keyOf(id))
      },
      revokeByGrantId: async (grantId) => {
        for (const [key, entry] of kept) if (entry.payload.grantId === grantId) kept.delete(key)
      },
    }
  }
}
