/**
 * COPY TO STDOUT under a plan. The server puts each row into a CopyData of its own; what is not one whole row there is
 * withheld: the line that comes instead has every value NULL.
 */
import type { Masks } from '../../../checkpoint.ts'
import type { CopyFilter } from '../parts.ts'
import { frame } from '../wire.ts'
import type { Codec } from './codec.ts'
import { headerLength, readBinaryRow, trailer, writeBinaryRow } from './copy-binary.ts'
import { createCsvRows } from './copy-csv.ts'
import type { CopyOptions } from './copy-options.ts'
import { createTextRows, type RowText } from './copy-text.ts'
import { createSampler, type Sampler } from './sample.ts'
import { detect, readValue, type ValuePlan, veil } from './values.ts'

export interface CopyMasking {
  readonly columns: readonly (ValuePlan & { readonly name: string })[]
  readonly masks: Masks
  readonly codec: Codec
  readonly options: CopyOptions
  /** For the record: the same columns, as nobody but the most trusted may see them. */
  readonly record: { readonly columns: readonly ValuePlan[]; readonly masks: Masks }
  readonly sampleRows: number
}

export function createCopyFilter(masking: CopyMasking): CopyFilter {
  const { columns, sampleRows } = masking
  const sampler = createSampler(
    columns.map(({ name }) => name),
    sampleRows,
  )
  const rows = masking.options.format === 'binary' ? binaryRows(masking, sampler) : textRows(masking, sampler)
  let masked = false
  return {
    data(bytes) {
      const body = bytes.subarray(5)
      const shown = rows.row(body)
      if (shown === body) return bytes
      masked = true
      return shown.length === 0 ? shown : frame('d', shown)
    },
    end: () => {
      const rest = rows.end()
      return rest.length === 0 ? rest : frame('d', rest)
    },
    tooLarge() {
      masked = true
      sampler.miss()
      const withheld = rows.withheld()
      return withheld.length === 0 ? withheld : frame('d', withheld)
    },
    get masked() {
      return masked
    },
    sample: () => sampler.sample(),
  }
}

interface Rows {
  /** What stands in a CopyData, shown; the very same bytes when nothing changes. */
  row(body: Buffer): Buffer
  withheld(): Buffer
  end(): Buffer
}

/** What to show instead of a value; undefined: it stays. */
function instead(plan: ValuePlan, value: Buffer, masks: Masks, codec: Codec): Buffer | null | undefined {
  if (plan.style !== undefined) return veil(plan, plan.style, value, masks, codec)
  return masks.hasDetectors ? detect(plan, value, masks, codec) : undefined
}

function textRows(masking: CopyMasking, sampler: Sampler): Rows {
  const { columns, masks, codec, options, record } = masking
  const { format, delimiter, nullText, quote } = options
  const rows: RowText =
    format === 'csv' ? createCsvRows(delimiter, nullText, quote, options.escape) : createTextRows(delimiter, nullText)
  const anyStyle = columns.some(({ style }) => style !== undefined)
  let header = options.header

  const withheld = () => {
    const line: Buffer[] = []
    for (const _column of columns) line.push(rows.delimiter, rows.write(null))
    return Buffer.concat([...line.slice(1), newline])
  }
  return {
    withheld,
    end: () => nothing,
    row(body) {
      if (header) {
        header = false
        return body
      }
      if (!sampler.full) sampleLine(body)
      // Where a byte inside a character can look like a delimiter, nobody can tell where a value ends.
      if (!codec.asciiSafe) return masks.empty ? body : withheld()
      // Escapes may stand inside what detectors look for, so a line with a backslash is always read.
      if (!anyStyle && !(masks.hasDetectors && (body.includes(0x5c) || masks.suspects(body, 0, body.length))))
        return body
      if (body.at(-1) !== 0x0a) return withheld()
      const line = body.subarray(0, -1)
      const values = rows.read(line, columns.length)
      return values === undefined ? withheld() : maskLine(body, line, values)
    },
  }

  function maskLine(body: Buffer, line: Buffer, values: NonNullable<ReturnType<RowText['read']>>): Buffer {
    const parts: Buffer[] = []
    let copied = 0
    columns.forEach((plan, index) => {
      const raw = values[index]
      if (raw === null || raw === undefined) return
      const shown = instead(plan, raw.value(), masks, codec)
      if (shown === undefined) return
      parts.push(line.subarray(copied, raw.start), rows.write(shown))
      copied = raw.end
    })
    return parts.length === 0 ? body : Buffer.concat([...parts, line.subarray(copied), newline])
  }

  function sampleLine(body: Buffer): void {
    const values = codec.asciiSafe && body.at(-1) === 0x0a ? rows.read(body.subarray(0, -1), columns.length) : undefined
    if (values === undefined) {
      sampler.miss()
      return
    }
    sampler.add(
      record.columns.map((plan, index) => {
        const raw = values[index]
        if (raw === null || raw === undefined) return null
        const value = raw.value()
        const shown = instead(plan, value, record.masks, codec)
        return shown === null ? null : codec.decode(shown ?? value)
      }),
    )
  }
}

function binaryRows({ columns, masks, codec, record }: CopyMasking, sampler: Sampler): Rows {
  let begun = false
  let broken = false
  let over = false

  return {
    withheld: () => (over ? nothing : writeBinaryRow(columns.map(() => null))),
    // Whoever reads the stream must not wait for its end.
    end: () => (broken && !over ? trailer : nothing),
    row(body) {
      if (broken) return nothing
      const parts: Buffer[] = []
      let at = 0
      if (!begun) {
        const length = headerLength(body)
        if (length === undefined) return giveUp()
        begun = true
        parts.push(body.subarray(0, length))
        at = length
      }
      while (at < body.length) {
        if (body.length - at === 2 && body.readInt16BE(at) === -1) {
          over = true
          parts.push(trailer)
          break
        }
        const row = readBinaryRow(body, at, columns.length)
        if (row === undefined) return Buffer.concat([...parts, giveUp()])
        at = row.end
        if (!sampler.full) sampler.add(row.values.map((value, index) => readMasked(value, index)))
        parts.push(maskValues(row.values))
      }
      const shown = Buffer.concat(parts)
      return shown.equals(body) ? body : shown
    },
  }

  function giveUp(): Buffer {
    broken = true
    sampler.miss()
    return nothing
  }

  function maskValues(values: readonly (Buffer | null)[]): Buffer {
    return writeBinaryRow(
      values.map((value, index) => {
        const plan = columns[index]
        if (value === null || plan === undefined) return null
        const shown = instead(plan, value, masks, codec)
        return shown === undefined ? value : shown
      }),
    )
  }

  function readMasked(value: Buffer | null, index: number): string | null {
    const plan = record.columns[index]
    if (value === null || plan === undefined) return null
    const shown = instead(plan, value, record.masks, codec)
    return shown === null ? null : readValue(plan, shown ?? value)
  }
}

const newline = Buffer.from('\n')
const nothing = Buffer.alloc(0)
