/** The most recently used answers, bounded by their number and by the bytes of their keys. */

interface Recent<T> {
  get(key: string): T | undefined
  set(key: string, value: T, bytes: number): void
}

export function createRecent<T>(mostEntries: number, mostBytes: number): Recent<T> {
  // A Map iterates in the order of insertion: the first is the one that was not used for longest.
  const entries = new Map<string, { readonly value: T; readonly bytes: number }>()
  let total = 0

  function remove(key: string): void {
    total -= entries.get(key)?.bytes ?? 0
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
    set(key, value, bytes) {
      // One that would push out everything else is not worth keeping.
      if (bytes > mostBytes / 16) return
      remove(key)
      entries.set(key, { value, bytes })
      total += bytes
      for (const oldest of entries.keys()) {
        if (entries.size <= mostEntries && total <= mostBytes) break
        remove(oldest)
      }
    },
  }
}
