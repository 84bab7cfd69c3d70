/**
 * Owns what was started and closes it in reverse order, also when the start fails half-way. Closing is done once; every
 * closer runs even if an earlier one threw, and the first error is what close() rejects with.
 */
export interface Scope {
  /** Registers how to close something that has just been started. */
  defer(close: () => void | Promise<void>): void
  close(): Promise<void>
}

export function createScope(): Scope {
  const closers: (() => void | Promise<void>)[] = []
  let closing: Promise<void> | undefined

  async function closeAll(): Promise<void> {
    const failures: unknown[] = []
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  return {
    defer(close) {
      if (closing !== undefined) throw new Error('scope is closed: nothing can be started in it any more')
      closers.push(close)
    },
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}
