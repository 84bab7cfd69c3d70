/** An async iterable that a test feeds by hand, as a gateway client's streams behave: it ends with its reader's signal. */
export interface Feed<Item> {
  push(...items: Item[]): void
  /** The next read rejects with this. */
  fail(error: Error): void
  read(signal: AbortSignal): AsyncIterable<Item>
}

export function createFeed<Item>(): Feed<Item> {
  const queue: Item[] = []
  let failure: Error | undefined
  let wake: () => void = () => undefined

  async function* read(signal: AbortSignal): AsyncIterable<Item> {
    signal.addEventListener('abort', () => wake())
    while (!signal.aborted) {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) yield item
      if (failure !== undefined) throw failure
      await new Promise<void>((resolve) => {
        wake = resolve
        if (queue.length > 0 || failure !== undefined || signal.aborted) resolve()
      })
    }
  }

  return {
    push(...items) {
      queue.push(...items)
      wake()
    },
    fail(error) {
      failure = error
      wake()
    },
    read,
  }
}
