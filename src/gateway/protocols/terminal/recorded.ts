/** What a recording is kept for, and what follows where it cannot be. */
import { reasonOf } from '../../../base/errors.ts'
import type { Outcome } from '../../../contract/record.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Permit } from '../../checkpoint.ts'
import type { Recorder } from '../protocol.ts'
import { createMaskedText } from './masked-text.ts'

export async function kept(recorder: Recorder, status: number | null): Promise<Pick<Outcome, 'recording'>> {
  try {
    return { recording: await recorder.end(status) }
  } catch {
    // Whoever lost it has said so (onLost); the outcome then names no recording.
    return {}
  }
}

export function notRecorded(reason: unknown): Refusal {
  return {
    code: 'audit-unavailable',
    message: `refused: what it shows cannot be recorded, so it does not go on (${reasonOf(reason)})`,
    next: 'try again later, or tell whoever runs the gateway',
  }
}

/** A line that was typed, for the recording: whoever plays it finds it by its words. */
export function maskedLine(line: string, { recordMasks }: Permit): Buffer {
  const bytes = Buffer.from(`${line}\r`)
  if (!recordMasks.hasDetectors) return bytes
  const text = createMaskedText(recordMasks)
  return Buffer.concat([text.push(bytes), text.flush()])
}
