/**
 * What a client sends, built once: messages with places where digits go. Numbers have a fixed width, so that a new one is
 * a few bytes written into the same buffer and every transaction still asks for another row, as pgbench's do.
 */
import type { Protocol } from '../settings.ts'
import { bind, describePortal, execute, parse, query, sync } from './wire.ts'

export type ScriptName = 'select' | 'tpcb'

interface Statement {
  /** `:aid` and its like stand for numbers. */
  readonly text: string
}

interface Range {
  readonly low: number
  readonly high: number
}

/** pgbench's own scripts at scale 10, kept to numbers of one width: 900,000 of the accounts. */
const ranges = {
  aid: { low: 100_000, high: 999_999 },
  tid: { low: 10, high: 99 },
  bid: { low: 1, high: 9 },
  delta: { low: 1000, high: 4999 },
} as const satisfies Record<string, Range>
type Variable = keyof typeof ranges

const scripts: Readonly<Record<ScriptName, readonly Statement[]>> = {
  select: [{ text: 'SELECT abalance FROM pgbench_accounts WHERE aid = :aid;' }],
  tpcb: [
    { text: 'BEGIN;' },
    { text: 'UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;' },
    { text: 'SELECT abalance FROM pgbench_accounts WHERE aid = :aid;' },
    { text: 'UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;' },
    { text: 'UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;' },
    {
      text: 'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);',
    },
    { text: 'END;' },
  ],
}

/** One step: sent, then ReadyForQuery is waited for. */
export interface Step {
  readonly bytes: Buffer
  readonly slots: readonly { readonly at: number; readonly variable: Variable }[]
}

export interface Script {
  /** Sent once for each connection; undefined: nothing. */
  readonly prepare: Buffer | undefined
  /** A connection's own: their bytes are written into. */
  steps(): readonly Step[]
}

export function createScript(name: ScriptName, protocol: Protocol): Script {
  const statements = scripts[name]
  const build = { simple, extended, prepared }[protocol]
  return {
    prepare:
      protocol === 'prepared'
        ? Buffer.concat([...statements.map(({ text }, at) => parse(nameOf(at), numbered(text).text)), sync])
        : undefined,
    steps: () => statements.map((statement, at) => build(statement, at)),
  }
}

/** New numbers for a transaction; one variable has one value in all its steps. */
export function renew(steps: readonly Step[]): void {
  for (const variable of variables) drawn[variable] = draw(ranges[variable])
  for (const { bytes, slots } of steps)
    for (const { at, variable } of slots) writeDigits(bytes, at, drawn[variable], widthOf(variable))
}

const variables = Object.keys(ranges) as Variable[]
const drawn: Record<Variable, number> = { aid: 0, tid: 0, bid: 0, delta: 0 }

function simple({ text }: Statement): Step {
  const { text: filled, used } = marked(text)
  return withSlots(query(filled), used)
}

function extended({ text }: Statement): Step {
  const { text: withNumbers, used } = numbered(text)
  const values = used.map(placeholder)
  return withSlots(Buffer.concat([parse('', withNumbers), bind('', values), describePortal, execute, sync]), used)
}

function prepared({ text }: Statement, at: number): Step {
  const { used } = numbered(text)
  return withSlots(Buffer.concat([bind(nameOf(at), used.map(placeholder)), describePortal, execute, sync]), used)
}

function nameOf(at: number): string {
  return `P_${at}`
}

/** Each use of a variable filled with a mark of its width. */
function marked(text: string): { text: string; used: readonly Variable[] } {
  const used: Variable[] = []
  const filled = text.replace(names, (_whole, name: Variable) => {
    used.push(name)
    return placeholder(name)
  })
  return { text: filled, used }
}

/** `:aid` as `$1`, the way pgbench does it: one number for each variable. */
function numbered(text: string): { text: string; used: readonly Variable[] } {
  const used: Variable[] = []
  const withNumbers = text.replace(names, (_whole, name: Variable) => {
    if (!used.includes(name)) used.push(name)
    return `$${used.indexOf(name) + 1}`
  })
  return { text: withNumbers, used }
}

const names = new RegExp(`:(${variables.join('|')})\\b`, 'g')

/** Letters that stand nowhere else in a message, so that they are found again. */
function placeholder(variable: Variable): string {
  return '~'.repeat(widthOf(variable))
}

function withSlots(bytes: Buffer, used: readonly Variable[]): Step {
  let from = 0
  const slots = used.map((variable) => {
    const at = bytes.indexOf(placeholder(variable), from)
    if (at < 0) throw new Error(`no place for ${variable}`)
    from = at + widthOf(variable)
    return { at, variable }
  })
  return { bytes, slots }
}

function widthOf(variable: Variable): number {
  return String(ranges[variable].low).length
}

function draw({ low, high }: Range): number {
  return low + Math.floor(Math.random() * (high - low + 1))
}

function writeDigits(bytes: Buffer, at: number, value: number, width: number): void {
  let rest = value
  for (let index = at + width - 1; index >= at; index--) {
    bytes[index] = 0x30 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
