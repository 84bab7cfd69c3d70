/** The plan for one COPY TO STDOUT: which of its columns are masked, and whether it has to be looked at at all. */
import type { Masks, Permit } from '../../../checkpoint.ts'
import { View } from '../messages.ts'
import type { CopyHandling } from '../parts.ts'
import type { Tree } from '../sql/statement.ts'
import { copyOptionsOf, copyOutputs } from './analysis.ts'
import { codecOf } from './codec.ts'
import { type CopyMasking, createCopyFilter } from './copy.ts'
import { type CopyOptions, readCopyOptions } from './copy-options.ts'
import type { Ground, Output } from './ground.ts'
import { fitOutputs, type Sensitivity } from './sensitivity.ts'
import { carrierOf } from './types.ts'

export interface CopyQuestion {
  readonly response: Buffer
  readonly tree: Tree | undefined
  readonly permit: Permit
  readonly clientEncoding: string | undefined
  /** What masks mean at this target; undefined: nobody can be asked. */
  context(masks: Masks): Promise<{ readonly sensitivity: Sensitivity; readonly ground: Ground } | undefined>
}

export async function copyHandling(question: CopyQuestion): Promise<CopyHandling> {
  const { response, tree, permit, clientEncoding } = question
  const { masks, recordMasks, sampleRows } = permit
  const { binary, count } = readCopyResponse(response)
  const options = optionsOf(tree, binary)
  const columns = await planColumns(masks, question, count, binary, options === undefined)
  const clean = !masks.hasDetectors && columns.every(({ style }) => style === undefined)
  if (clean && sampleRows === 0) return 'untouched'
  const same = sampleRows === 0 || recordMasks.key === masks.key
  return createCopyFilter({
    columns,
    masks,
    codec: codecOf(options?.encoding ?? clientEncoding),
    // Where an option is not known, what a row looks like is not either: each comes out withheld, in the plainest form.
    options: options ?? plainest(binary),
    record: {
      columns: same ? columns : await planColumns(recordMasks, question, count, binary, options === undefined),
      masks: same ? masks : recordMasks,
    },
    sampleRows: options === undefined ? 0 : sampleRows,
  })
}

function readCopyResponse(response: Buffer): { readonly binary: boolean; readonly count: number } {
  const view = new View(response)
  const binary = view.byte() === 1
  return { binary, count: view.uint16() }
}

function optionsOf(tree: Tree | undefined, binary: boolean): CopyOptions | undefined {
  const options = tree === undefined ? undefined : readCopyOptions(copyOptionsOf(tree))
  return options === undefined || (options.format === 'binary') !== binary ? undefined : options
}

function plainest(binary: boolean): CopyOptions {
  const text = { delimiter: '\t', nullText: '\\N', header: false, quote: '"', escape: '"', encoding: undefined }
  return { ...text, format: binary ? 'binary' : 'text' }
}

async function planColumns(
  masks: Masks,
  { tree, context }: CopyQuestion,
  count: number,
  binary: boolean,
  everything: boolean,
): Promise<CopyMasking['columns']> {
  let outputs: readonly Output[] = [{ run: masks.hasColumns ? 'redact' : undefined }]
  let textTypes: ReadonlySet<number> = new Set()
  if (masks.hasColumns) {
    const found = await context(masks)
    outputs = found === undefined ? outputs : (copyOutputs(tree, found.ground) ?? outputs)
    textTypes = found?.sensitivity.textTypes ?? textTypes
  }
  if (everything) outputs = [{ run: 'redact' }]
  const known = outputs.length === count && outputs.every((output) => !('run' in output)) ? outputs : []
  return fitOutputs(outputs, count).map((style, index) => {
    const output = known[index]
    const column = output === undefined || 'run' in output ? undefined : output
    const type = column?.type ?? 0
    // In text form anything can carry a text, but what reads the copy again may not take it: only known text types do.
    const carrier = type === 0 && style === undefined && !binary ? 'text' : carrierOf(type, textTypes)
    return { name: column?.name ?? `column ${index + 1}`, type, binary, carrier, style }
  })
}
