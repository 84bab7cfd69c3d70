/**
 * The mask rules of the config that fit one target and one person, as one question to ask: what must not be seen? Pure.
 *
 * Hashes are keyed with a key that the gateway draws when it starts and keeps in memory: equal values can be told to be
 * equal within a day's work, and nobody who has the config or the answers can try out candidates. The price: hashes change
 * when the gateway restarts, and two gateways do not agree.
 */
import { createHash } from 'node:crypto'
import { type DetectorName, detectorNames, type MaskRule } from '../config/schema.ts'
import { detectors } from './detectors.ts'
import { hintOfBytes, maskValue, strictest } from './mask-styles.ts'
import type { ColumnName, Masks, MaskStyle } from './masking.ts'
import { compileFields } from './field-patterns.ts'
import { compileGlobs, type Fits } from './patterns.ts'
import { compileSubject, compileTarget, type RuleTarget, type Subject } from './rules.ts'
import { isSuspect, suspicionBits } from './suspicion.ts'

/** What this subject must not see. */
export function compileMasks(rules: readonly MaskRule[], subject: Subject, hashKey: Uint8Array): Masks {
  return masksOf(
    rules.filter(
      ({ match, except }) =>
        compileSubject(match)(subject) && !subject.person.groups.some((group) => except?.groups.includes(group)),
    ),
    hashKey,
  )
}

/**
 * What must not stand in any record about this target: every rule about it, whoever asks. Who may see a value in an
 * answer is not thereby somebody whose statements may carry it into the audit, where others read it.
 */
export function compileRecordMasks(rules: readonly MaskRule[], target: RuleTarget, hashKey: Uint8Array): Masks {
  return masksOf(
    rules.filter(({ match }) => compileTarget(match)(target)),
    hashKey,
  )
}

function masksOf(rules: readonly MaskRule[], hashKey: Uint8Array): Masks {
  const columns = rules.flatMap(({ columns, style }) =>
    // In any case of letters: a mask for `*.email` is meant for "Email" too.
    columns === undefined ? [] : [{ fits: compileGlobs(columns.map((glob) => glob.toLowerCase())), style }],
  )
  const patterns = rules.flatMap(({ fields = [], style }) => fields.map((pattern) => ({ pattern, style })))
  const fields = compileFields(patterns)
  const styles = detectorStyles(rules)
  const wanted = [...styles.keys()].reduce((bits, name) => bits | suspicionBits[name], 0)
  const key = createHash('sha256')
    .update(JSON.stringify(rules.map(({ columns, fields, detectors, style }) => [columns, fields, detectors, style])))
    .update(hashKey)
    .digest('hex')
  return {
    empty: columns.length === 0 && patterns.length === 0 && styles.size === 0,
    key,
    hasColumns: columns.length > 0,
    hasDetectors: styles.size > 0,
    hasFields: patterns.length > 0,
    field: fields.at,
    meansMember: fields.means,
    column: (name) => columnStyle(columns, name),
    mask: (style, value) => maskValue(style, value, hashKey),
    hint: hintOfBytes,
    suspects: (bytes, start, end) => wanted !== 0 && isSuspect(bytes, start, end, wanted),
    find: (text) =>
      findAll(text, styles).map(({ start, end, style }) => {
        return { start, end, instead: maskValue(style, text.slice(start, end), hashKey) }
      }),
    detect: (value) => (styles.size === 0 ? value : maskFindings(value, findAll(value, styles), hashKey)),
  }
}

function columnStyle(
  columns: readonly { readonly fits: Fits; readonly style: MaskStyle }[],
  { schema, table, column }: ColumnName,
): MaskStyle | undefined {
  const name = `${schema}.${table}.${column}`.toLowerCase()
  let found: MaskStyle | undefined
  for (const { fits, style } of columns) if (fits(name)) found = strictest(found, style)
  return found
}

function detectorStyles(rules: readonly MaskRule[]): ReadonlyMap<DetectorName, MaskStyle> {
  const styles = new Map<DetectorName, MaskStyle>()
  for (const rule of rules)
    for (const name of detectorNames) {
      if (rule.detectors?.includes(name) !== true) continue
      styles.set(name, strictest(styles.get(name), rule.style) ?? rule.style)
    }
  return styles
}

interface StyledFinding {
  start: number
  end: number
  style: MaskStyle
}

/** In order; what overlaps is one finding with the strictest style of its parts. */
function findAll(text: string, styles: ReadonlyMap<DetectorName, MaskStyle>): readonly StyledFinding[] {
  const found: StyledFinding[] = []
  for (const [name, style] of styles)
    for (const { start, end } of detectors[name](text)) found.push({ start, end, style })
  found.sort((one, other) => one.start - other.start)
  const merged: StyledFinding[] = []
  for (const finding of found) {
    const last = merged.at(-1)
    if (last === undefined || finding.start >= last.end) merged.push(finding)
    else {
      last.end = Math.max(last.end, finding.end)
      last.style = strictest(last.style, finding.style) ?? finding.style
    }
  }
  return merged
}

function maskFindings(text: string, findings: readonly StyledFinding[], hashKey: Uint8Array): string | null {
  if (findings.length === 0) return text
  let masked = ''
  let from = 0
  for (const { start, end, style } of findings) {
    const instead = maskValue(style, text.slice(start, end), hashKey)
    if (instead === null) return null
    masked += text.slice(from, start) + instead
    from = end
  }
  return masked + text.slice(from)
}
