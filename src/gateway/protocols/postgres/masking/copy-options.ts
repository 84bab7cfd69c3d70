/** How a COPY TO STDOUT writes its rows, by its options. */
import { isTrue, list, options, optionText, unwrap } from '../sql/nodes.ts'

export interface CopyOptions {
  readonly format: 'text' | 'csv' | 'binary'
  readonly delimiter: string
  readonly nullText: string
  readonly header: boolean
  readonly quote: string
  readonly escape: string
  readonly encoding: string | undefined
}

/** undefined: an option that is not known could change how rows look. */
export function readCopyOptions(value: unknown): CopyOptions | undefined {
  const given = new Map<string, string>()
  for (const { name, value: option } of options(value)) {
    if (!known.has(name)) return undefined
    given.set(name, option === undefined ? 'true' : (optionText(option) ?? namesOf(option)))
  }
  const format = given.get('format') ?? 'text'
  if (format !== 'text' && format !== 'csv' && format !== 'binary') return undefined
  const quote = given.get('quote') ?? '"'
  const read: CopyOptions = {
    format,
    delimiter: given.get('delimiter') ?? (format === 'csv' ? ',' : '\t'),
    nullText: given.get('null') ?? (format === 'csv' ? '' : '\\N'),
    header: given.has('header') && isTrue(given.get('header')),
    quote,
    escape: given.get('escape') ?? quote,
    encoding: given.get('encoding'),
  }
  const single = [read.delimiter, read.quote, read.escape].every((char) => /^[\0-\x7f]$/.test(char))
  return single && /^[\0-\x7f]*$/.test(read.nullText) ? read : undefined
}

const known = new Set([
  'format', 'delimiter', 'null', 'header', 'quote', 'escape', 'encoding', 'force_quote', 'freeze',
]) // biome-ignore format: a list

/** FORCE_QUOTE takes a list, or a star; which columns it names does not matter to who reads quotes anyway. */
function namesOf(value: unknown): string {
  return unwrap(value)?.type === 'A_Star' ? '*' : String(list(value).length)
}
