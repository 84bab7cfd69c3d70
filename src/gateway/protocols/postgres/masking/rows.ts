/**
 * DataRow frames under a plan: masked fields are replaced, everything else is copied in stretches; a run of rows in which
 * nothing changes is handed back as it came. What cannot be understood comes out with every value NULL.
 */
import type { Masks } from '../../../checkpoint.ts'
import { frame, int16 } from '../wire.ts'
import type { Codec } from './codec.ts'
import { Rewrite } from './rewrite.ts'
import { detect, mayBeSecretNumber, type Treatment, treatmentOf, type ValuePlan, veil } from './values.ts'

export interface RowMasking {
  readonly columns: readonly ValuePlan[]
  readonly masks: Masks
  readonly codec: Codec
}

/** Whole DataRow frames in, as many out; the very same buffer where nothing in them changes. */
export type RowMasker = (run: Buffer) => Buffer

const header = 7

export function createRowMasker({ columns, masks, codec }: RowMasking): RowMasker {
  const count = columns.length
  const closed = columns.flatMap((plan, index) => {
    const treatment = treatmentOf(plan, masks, codec)
    return treatment.kind === 'open' ? [] : [{ index, plan, treatment }]
  })
  const withheld = withheldRow(count)
  // Made once: rows come by the million.
  const fields = new Int32Array(count * 2)

  function maskRow(run: Buffer, start: number, end: number, rewrite: Rewrite): void {
    if (!readFields(run, start, end, count, fields)) {
      rewrite.cut(start, end)
      rewrite.put(withheld)
      return
    }
    for (const { index, plan, treatment } of closed) {
      const from = fields[index * 2] as number
      const length = fields[index * 2 + 1] as number
      if (length >= 0) maskField(run, start, from, length, plan, treatment, rewrite)
    }
    rewrite.closeFrame(end)
  }

  function maskField(
    run: Buffer,
    row: number,
    from: number,
    length: number,
    plan: ValuePlan,
    treatment: Exclude<Treatment, { kind: 'open' }>,
    rewrite: Rewrite,
  ): void {
    const end = from + length
    switch (treatment.kind) {
      case 'constant':
        replaceField(rewrite, row, from, end, treatment.shown)
        return
      case 'hint': {
        const hint = masks.hint(run, from, end)
        if (hint === undefined) {
          replaceField(rewrite, row, from, end, veil(plan, treatment.style, run.subarray(from, end), masks, codec))
          return
        }
        const { dots } = treatment
        rewrite.cutInFrame(row, from - 4, end)
        rewrite.putInt32(hint.head + dots.length + hint.tail)
        rewrite.putOwn(from, from + hint.head)
        rewrite.put(dots)
        rewrite.putOwn(end - hint.tail, end)
        return
      }
      case 'veil':
        replaceField(rewrite, row, from, end, veil(plan, treatment.style, run.subarray(from, end), masks, codec))
        return
      case 'text':
        if (!masks.suspects(run, from, end)) return
        break
      case 'number':
        if (!mayBeSecretNumber(plan, run, from, length)) return
        break
      case 'bytes':
        break
      default:
        treatment satisfies never
    }
    const shown = detect(plan, run.subarray(from, end), masks, codec)
    if (shown !== undefined) replaceField(rewrite, row, from, end, shown)
  }

  return (run) => {
    const rewrite = new Rewrite(run)
    for (let start = 0; start < run.length; ) {
      const end = frameEnd(run, start)
      maskRow(run, start, end, rewrite)
      start = end
    }
    return rewrite.finish()
  }
}

function replaceField(rewrite: Rewrite, row: number, from: number, end: number, shown: Buffer | null): void {
  rewrite.cutInFrame(row, from - 4, end)
  rewrite.putInt32(shown?.length ?? -1)
  if (shown !== null) rewrite.put(shown)
}

/** Where the frame that begins here ends. The cutter has seen to it that it is whole. */
export function frameEnd(run: Buffer, start: number): number {
  return start + 1 + run.readInt32BE(start + 1)
}

/** Start and length (-1: NULL) of each value of a frame, in pairs; false: it does not have the form it should have. */
export function readFields(bytes: Buffer, start: number, end: number, count: number, fields: Int32Array): boolean {
  let at = start + header
  if (at > end || bytes.readUInt16BE(start + 5) !== count) return false
  for (let index = 0; index < count; index++) {
    if (at + 4 > end) return false
    const length = bytes.readInt32BE(at)
    at += 4
    fields[index * 2] = at
    fields[index * 2 + 1] = length
    if (length < -1 || at + length > end) return false
    if (length > 0) at += length
  }
  return at === end
}

/** Every value NULL. */
export function withheldRow(count: number): Buffer {
  return frame('D', int16(count), Buffer.alloc(count * 4, 0xff))
}
