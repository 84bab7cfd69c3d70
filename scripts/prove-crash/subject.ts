/** What is made to die, seen from outside: it starts on a store, its clients write, and some of that really happens. */

export interface Subject {
  readonly name: string
  /** Starts it on this store, under `wrap` (a program and its arguments), with clients that write as fast as they can. */
  start(store: string, options: StartOptions): Promise<Life>
  close(): Promise<void>
}

export interface StartOptions {
  readonly wrap: readonly string[]
  readonly flush: boolean
}

export interface Life {
  /** How many operations really happened so far, as far as is known. */
  count(): number
  /** What clients were told instead, newest last. */
  refusals(): readonly string[]
  /** The names of all operations that really happened so far, seen from outside. */
  happened(): ReadonlySet<string>
  /** SIGKILL. Gives back the names of all operations that really happened in this life. */
  kill(): Promise<ReadonlySet<string>>
}

/** Operations are named in the text of what is asked. */
export function operationIn(text: string): string | undefined {
  return text.match(/op-[0-9a-z]+-\d+-\d+/)?.[0]
}
