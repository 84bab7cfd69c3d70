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
import { createTextRows, has, type RowText } from './copy-text.ts'
import { Rewrite } from './rewrite.ts'
import { frameEnd } from './rows.ts'
import { Sampler } from './sample.ts'
import { detect, mayBeSecretNumber, readValue, type Treatment, treatmentOf, type ValuePlan, veil } from './values.ts'

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
  const sampler = new Sampler(
    columns.map(({ name }) => name),
    sampleRows,
  )
  const rows = masking.options.format === 'binary' ? binaryRows(masking, sampler) : textRows(masking, sampler)
  let masked = false
  return {
    data(run) {
      const rewrite = new Rewrite(run)
      for (let start = 0; start < run.length; ) {
        const end = frameEnd(run, start)
        rows.row(run, start, end, rewrite)
        start = end
      }
      const shown = rewrite.finish()
      if (shown !== run) masked = true
      return shown
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
  /** A CopyData between these places, shown as it may be. */
  row(run: Buffer, start: number, end: number, rewrite: Rewrite): void
  withheld(): Buffer
  end(): Buffer
}

/** Of a CopyData. */
const header = 5

/** What to show instead of a value; undefined: it stays. */
function instead(plan: ValuePlan, value: Buffer, masks: Masks, codec: Codec): Buffer | null | undefined {
  if (plan.style !== undefined) return veil(plan, plan.style, value, masks, codec)
  return masks.hasDetectors ? detect(plan, value, masks, codec) : undefined
}

/** Another body in the place of a whole CopyData; none at all in the place of what must not be seen in any form. */
function replaceFrame(rewrite: Rewrite, start: number, end: number, body: Buffer): void {
  rewrite.cut(start, end)
  if (body.length > 0) rewrite.put(frame('d', body))
}

function textRows(masking: CopyMasking, sampler: Sampler): Rows {
  const { columns, masks, codec, options, record } = masking
  const { format, delimiter, nullText, quote } = options
  const rows: RowText =
    format === 'csv' ? createCsvRows(delimiter, nullText, quote, options.escape) : createTextRows(delimiter, nullText)
  const count = columns.length
  const closed = columns.flatMap((plan, index) => {
    const treatment = treatmentOf(plan, masks, codec)
    if (treatment.kind === 'open') return []
    const written = treatment.kind === 'constant' ? treatment.shown : treatment.kind === 'hint' ? treatment.dots : null
    return [{ index, plan, treatment, written: rows.write(written) }]
  })
  /** Some values are replaced, or have to be read, whatever their line looks like. */
  const always = closed.some(({ treatment: { kind } }) => kind !== 'text' && kind !== 'number')
  // Made once: lines come by the million.
  const fields = new Int32Array(count * 2)
  let signAt = -1
  let signIn: Buffer | undefined
  const withheld = Buffer.concat([
    ...columns.flatMap((_, index) => (index === 0 ? [rows.write(null)] : [rows.delimiter, rows.write(null)])),
    newline,
  ])
  let headerLine = options.header

  return {
    withheld: () => withheld,
    end: () => nothing,
    row(run, start, end, rewrite) {
      if (headerLine) {
        headerLine = false
        return
      }
      if (!sampler.full) sampleLine(run, start + header, end)
      // Where a byte inside a character can look like a delimiter, nobody can tell where a value ends.
      if (!codec.asciiSafe) {
        if (!masks.empty) replaceFrame(rewrite, start, end, withheld)
        return
      }
      if (closed.length === 0) return
      // Escapes may stand inside what detectors look for, so a line with any is always read.
      const plain = !holdsSign(run, start + header, end)
      if (plain && !always && !masks.suspects(run, start + header, end)) return
      if (!readLine(run, start + header, end)) {
        replaceFrame(rewrite, start, end, withheld)
        return
      }
      for (const column of closed) {
        const from = fields[column.index * 2] as number
        const to = fields[column.index * 2 + 1] as number
        if (!rows.isNull(run, from, to)) maskValue(run, start, from, to, plain, column, rewrite)
      }
      rewrite.closeFrame(end)
    },
  }

  function readLine(run: Buffer, start: number, end: number): boolean {
    return end > start && run[end - 1] === lineEnd && rows.read(run, start, end - 1, count, fields)
  }

  /** Looks ahead, once for all lines before the next sign. */
  function holdsSign(run: Buffer, start: number, end: number): boolean {
    if (signIn !== run || (signAt >= 0 && signAt < start)) {
      signIn = run
      signAt = run.indexOf(rows.sign, start)
    }
    return signAt >= 0 && signAt < end
  }

  function maskValue(
    run: Buffer,
    line: number,
    from: number,
    to: number,
    plainLine: boolean,
    column: Closed,
    rewrite: Rewrite,
  ): void {
    const { plan, treatment, written } = column
    if (treatment.kind === 'constant') {
      rewrite.cutInFrame(line, from, to)
      rewrite.put(written)
      return
    }
    const plain = plainLine || !has(run, from, to, rows.sign)
    if (plain && rows.joins && treatment.kind === 'hint') {
      const hint = masks.hint(run, from, to)
      if (hint !== undefined) {
        rewrite.cutInFrame(line, from, to)
        rewrite.putOwn(from, from + hint.head)
        rewrite.put(written)
        rewrite.putOwn(to - hint.tail, to)
        return
      }
    }
    if (plain && !isWorthALook(plan, treatment, run, from, to)) return
    const shown = instead(plan, rows.value(run, from, to), masks, codec)
    if (shown === undefined) return
    rewrite.cutInFrame(line, from, to)
    rewrite.put(rows.write(shown))
  }

  function isWorthALook(plan: ValuePlan, { kind }: Treatment, run: Buffer, from: number, to: number): boolean {
    if (kind === 'text') return masks.suspects(run, from, to)
    return kind !== 'number' || mayBeSecretNumber(plan, run, from, to - from)
  }

  function sampleLine(run: Buffer, start: number, end: number): void {
    if (!sampler.hungry || !codec.asciiSafe || !readLine(run, start, end)) {
      sampler.miss()
      return
    }
    sampler.add(
      record.columns.map((plan, index) => {
        const from = fields[index * 2] ?? start
        const to = fields[index * 2 + 1] ?? start
        if (rows.isNull(run, from, to)) return null
        const value = rows.value(run, from, to)
        const shown = instead(plan, value, record.masks, codec)
        return shown === null ? null : codec.decode(shown ?? value)
      }),
    )
  }
}

/** A column whose values do not just pass, and what stands for those that need no closer look. */
interface Closed {
  readonly index: number
  readonly plan: ValuePlan
  readonly treatment: Treatment
  readonly written: Buffer
}

function binaryRows({ columns, masks, codec, record }: CopyMasking, sampler: Sampler): Rows {
  let begun = false
  let broken = false
  let over = false

  return {
    withheld: () => (over ? nothing : writeBinaryRow(columns.map(() => null))),
    // Whoever reads the stream must not wait for its end.
    end: () => (broken && !over ? trailer : nothing),
    row(run, start, end, rewrite) {
      const body = run.subarray(start + header, end)
      const shown = show(body)
      if (shown !== body) replaceFrame(rewrite, start, end, shown)
    },
  }

  function show(body: Buffer): Buffer {
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
      if (sampler.hungry) sampler.add(row.values.map((value, index) => readMasked(value, index)))
      else sampler.miss()
      parts.push(maskValues(row.values))
    }
    const shown = Buffer.concat(parts)
    return shown.equals(body) ? body : shown
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

const lineEnd = 0x0a
const newline = Buffer.from([lineEnd])
const nothing = Buffer.alloc(0)
