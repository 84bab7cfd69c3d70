/**
 * The order of requests. Each goes when it is ready and all before it have gone; only what is held for people may be
 * overtaken, and not by anything that names the same place, one inside it, or one around it. Pure.
 */
import { overlap } from './paths.ts'

export interface Place {
  /** It waits for people: others may pass. */
  hold(): void
  /** It may go when its turn comes. */
  ready(go: () => void): void
  /** It will not go. */
  leave(): void
}

interface Waiting {
  readonly paths: readonly string[]
  readonly bytes: number
  isHeld: boolean
  go: (() => void) | undefined
}

export class Line {
  /** In the order of their coming. */
  readonly #waiting = new Set<Waiting>()
  #bytes = 0

  get length(): number {
    return this.#waiting.size
  }

  /** Of all that waits. */
  get bytes(): number {
    return this.#bytes
  }

  join(paths: readonly string[], bytes: number): Place {
    const own: Waiting = { paths, bytes, isHeld: false, go: undefined }
    this.#waiting.add(own)
    this.#bytes += bytes
    return {
      hold: () => {
        own.isHeld = true
        this.#advance()
      },
      ready: (go) => {
        own.go = go
        this.#advance()
      },
      leave: () => {
        this.#remove(own)
        this.#advance()
      },
    }
  }

  clear(): void {
    this.#waiting.clear()
    this.#bytes = 0
  }

  #advance(): void {
    const held: string[] = []
    for (const one of this.#waiting) {
      const isBlocked = one.paths.some((path) => held.some((other) => overlap(path, other)))
      if (one.go !== undefined && !isBlocked) {
        this.#remove(one)
        one.go()
      } else if (one.isHeld || isBlocked) held.push(...one.paths)
      else return
    }
  }

  #remove(one: Waiting): void {
    if (this.#waiting.delete(one)) this.#bytes -= one.bytes
  }
}
