/** What of a program's output the client sees, and what is recorded of it: each masked as its own rules say. */
import type { Masks, Permit } from '../../checkpoint.ts'
import type { Recorder } from '../protocol.ts'
import { createMaskedText, type MaskedText } from './masked-text.ts'

export interface ShownStream {
  /** May keep back or change what goes on. */
  change(chunk: Buffer): Uint8Array
  /** What else has to catch up before more may come, if anything. */
  room(): Promise<void> | undefined
  /** Goes out at once, with what was held back: a key's echo, for which nobody wants to wait. */
  now(chunk: Buffer): Uint8Array
  /** Something is held back. */
  readonly isWaiting: boolean
  /** What was held back goes out. */
  readonly end: () => void
}

export interface Shown {
  /** One for output, one for stderr: they are masked apart, because their pieces come in any order. */
  stream(show: (bytes: Uint8Array) => void): ShownStream
  readonly masked: boolean
}

/** What may be the beginning of something hidden waits this long for the rest; a prompt waits for nothing else. */
const heldBackMs = 50
const nothing = Buffer.alloc(0)

export function createShown({ masks, recordMasks }: Permit, recorder: Pick<Recorder, 'output' | 'room'>): Shown {
  const texts: MaskedText[] = []

  function maskedBy(masks: Masks): MaskedText | undefined {
    if (masks.empty || !masks.hasDetectors) return undefined
    const text = createMaskedText(masks)
    texts.push(text)
    return text
  }

  return {
    stream(show) {
      const seen = maskedBy(masks)
      // The audit's own masks hold whoever asks; where they are the same, so is what is recorded.
      const recorded = recordMasks.key === masks.key ? undefined : maskedBy(recordMasks)
      const recordsWhatIsSeen = recordMasks.key === masks.key
      let timer: NodeJS.Timeout | undefined
      const onward = (bytes: Uint8Array) => {
        if (recordsWhatIsSeen && bytes.length > 0) recorder.output(bytes)
        return bytes
      }
      const flush = () => {
        timer = undefined
        if (seen?.waiting === true) show(onward(seen.flush()))
      }
      function change(chunk: Buffer): Uint8Array {
        if (!recordsWhatIsSeen) recorder.output(recorded === undefined ? chunk : recorded.push(chunk))
        if (seen === undefined) return onward(chunk)
        const bytes = onward(seen.push(chunk))
        // Nothing waits longer for having more come behind it: a program that prints a dot every now and then is seen to.
        const isTheSame = seen.waiting && bytes.length === 0 && timer !== undefined
        if (isTheSame) return bytes
        clearTimeout(timer)
        timer = seen.waiting ? setTimeout(flush, heldBackMs) : undefined
        return bytes
      }
      return {
        change,
        now(chunk) {
          const bytes = change(chunk)
          if (seen?.waiting !== true) return bytes
          clearTimeout(timer)
          timer = undefined
          return Buffer.concat([bytes, onward(seen.flush())])
        },
        get isWaiting() {
          return seen?.waiting === true
        },
        room: () => recorder.room(),
        end() {
          clearTimeout(timer)
          flush()
          const rest = recorded?.flush() ?? nothing
          if (rest.length > 0) recorder.output(rest)
        },
      }
    },
    get masked() {
      return texts.some(({ masked }) => masked)
    },
  }
}
