/**
 * What a program that moves files says on stderr: masked as the commands of its channel are. Before the first of them nobody
 * knows how, and it is not shown.
 */
import type { Checkpoint, Permit } from '../../../checkpoint.ts'
import type { Through } from './pour.ts'
import { createShown, type ShownStream } from '../../terminal/shown.ts'

export interface Watched {
  /** To be asked instead of the other. */
  readonly checkpoint: Checkpoint
  /** The latest that it gave. */
  permit(): Permit | undefined
}

export function watchPermits(checkpoint: Checkpoint, first?: Permit): Watched {
  let latest = first
  return {
    checkpoint: {
      ...checkpoint,
      async clear(batch, asking) {
        const clearance = await checkpoint.clear(batch, asking)
        if ('permits' in clearance) latest = clearance.permits.at(-1) ?? latest
        return clearance
      },
    },
    permit: () => latest,
  }
}

export interface FileErrors extends Through {
  /** What was held back goes out. */
  end(): void
}

export function createFileErrors(permit: () => Permit | undefined, show: (bytes: Uint8Array) => void): FileErrors {
  let stream: ShownStream | undefined
  return {
    change(chunk) {
      const known = permit()
      if (known !== undefined) stream ??= createShown(known, unrecorded).stream(show)
      return stream?.change(chunk) ?? nothing
    },
    room: () => undefined,
    end: () => stream?.end(),
  }
}

const nothing = Buffer.alloc(0)
/** Transfers are their own record. */
const unrecorded = { output: () => undefined, room: () => undefined }
