/** The two ends of a channel on which files are moved, as sftp and scp need them. */
import type { Readable } from 'node:stream'

export interface FileEnds {
  readonly client: Readable
  readonly target: Readable
  readonly toClient: Way
  readonly toTarget: Way
  /** Lines for a person, beside the protocol (stderr). */
  tell(lines: readonly string[]): void
  /** No more comes for the target. */
  endTarget(): void
}

/** Where bytes go, no faster than they are taken. */
export interface Way {
  /** False: enough for now; `onDrain` says when to go on. */
  write(bytes: Uint8Array): boolean
  onDrain(goOn: () => void): void
  /** Resolves when everything was taken, or will never be. */
  flushed(): Promise<void>
}
