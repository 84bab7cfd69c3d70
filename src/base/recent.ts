/** The most recently used answers, bounded by their number and by their size, as whoever sets them counts it. */

interface Recent<T> {
  get(key: string): T | undefined
  set(key: string, value: T, size: number): void
}

/** `mostOfOne`: what is larger than this is not kept, as it would push out too much else. */
export function createRecent<T>(mostEntries: number, mostSize: number, mostOfOne = mostSize): Recent<T> {
  // A Map iterates in the order of insertion: the first is the one that was not used for longest.
  const entries = new Map<string, { readonly value: T; readonly size: number }>()
  let total = 0

  function remove(key: string): void {
    total -= entries.get(key)?.size ?? 0
    entries.delete(key)
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, size) {
      if (size > mostOfOne) return
      remove(key)
      entries.set(key, { value, size })
      total += size
      for (const oldest of entries.keys()) {
        if (entries.size <= mostEntries && total <= mostSize) break
        remove(oldest)
      }
    },
  }
}
