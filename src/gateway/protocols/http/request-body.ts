/**
 * A body that comes part by part, as undici takes it: the next part is asked for when the last has gone. An exchange that
 * is over (the target has answered early, or somebody gave up) does not wait for a part that may never come.
 */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #parts: AsyncIterable<Uint8Array>
  #begun = false
  #isStopped = false
  /** Ends the wait for the part that is being waited for. */
  #letGo: (reason: Error) => void = ignore

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts
  }

  /** The first part was asked for: it cannot be sent again. */
  get begun(): boolean {
    return this.#begun
  }

  stop(): void {
    this.#isStopped = true
    this.#letGo(new Error(isOver))
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const inner = this.#parts[Symbol.asyncIterator]()
    this.#begun = true
    return {
      // Not Promise.race: what is raced against would remember every part.
      next: () =>
        new Promise((resolve, reject) => {
          if (this.#isStopped) {
            reject(new Error(isOver))
            return
          }
          this.#letGo = reject
          inner.next().then(resolve, reject)
        }),
      return: async () => {
        // Not awaited: it ends when the part comes that is being waited for.
        void Promise.resolve(inner.return?.()).catch(ignore)
        return { done: true, value: undefined }
      },
    }
  }
}

const isOver = 'the exchange is over'

function ignore(): void {}
