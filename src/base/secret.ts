/** A string that must not be seen: it prints, logs and serialises as dots, and is read in one place on purpose. */
import { inspect } from 'node:util'

const dots = '•••'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Every call is a place to review. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return dots
  }

  toJSON(): string {
    return dots
  }

  [inspect.custom](): string {
    return dots
  }
}
