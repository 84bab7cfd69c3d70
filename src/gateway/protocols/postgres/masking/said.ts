/**
 * What the server says besides rows: errors, notices, notifications, settings, results of fast-path functions. Their
 * texts may repeat values (`Key (email)=(…) already exists`, `invalid input syntax for type integer: "…"`), and nothing
 * in them says where a value comes from: where a statement came near masked columns, texts that can hold one are withheld.
 */
import type { Masks } from '../../../checkpoint.ts'
import { View } from '../messages.ts'
import { cstring, frame, int32 } from '../wire.ts'
import type { Codec } from './codec.ts'
import { saysNothingNew, saysWhereOnly } from './sayings.ts'
import { dots } from './values.ts'

export interface Saying {
  readonly masks: Masks
  readonly codec: Codec
  /** The statement came near masked columns, or nobody knows which one it was. */
  readonly touched: boolean
  /** Does a relation of this name have masked columns? */
  isMasked(schema: string | undefined, table: string): boolean
  suspectsFunction(name: string): boolean
  /** Does a text name something masked? */
  mentionsMasked(text: string): boolean
  /** What was asked, where that is known. */
  readonly asked: string | undefined
}

const withheld = 'withheld: it may repeat masked values'

export function maskSaid(bytes: Buffer, saying: Saying): Buffer {
  switch (String.fromCharCode(bytes[0] ?? 0)) {
    case 'E':
    case 'N':
      return maskFields(bytes, saying)
    case 'A':
      return maskNotification(bytes, saying)
    case 'S':
      return maskParameter(bytes, saying)
    default:
      return bytes
  }
}

/**
 * SQLSTATE classes whose sentences name things of the catalog, limits and states. A value of a row can be taken for such a
 * name (`email::regclass`, `current_setting(email)`), so what they name must be in the statement too: sayings.ts.
 */
const safeClasses = new Set(
  '00 01 02 03 08 0A 0B 21 23 24 25 26 28 2B 2D 34 3B 3D 3F 40 42 44 53 54 55 57 58 72 F0'.split(' '),
)
/** Of class 22, most of which quotes the value: too long, division by zero, NULL not allowed. */
const safeCodes = new Set(['22001', '22012', '22004'])
/** What RAISE says most. */
const commonCodes = new Set('P0001 P0002 P0003 P0004 02000 22000 22023 23502 23503 23505 23514 42501 45000'.split(' '))
/** … and whose details do so too. */
const safeDetails = new Set(['2B', '40', '42', '53', '55', '57'])

function maskFields(bytes: Buffer, saying: Saying): Buffer {
  const { masks, codec } = saying
  const fields = splitFields(bytes)
  const value = (letter: string): string => {
    const found = fields.find((field) => field.letter === letter)
    return found === undefined ? '' : codec.decode(found.value)
  }
  const sqlClass = value('C').slice(0, 2)
  const raised = masks.hasColumns && isRaised(value('R'), value('W'), saying)
  // A trigger reads other tables than its statement names; CONTEXT tells which function or statement it was inside of.
  const inside = value('W') !== '' && saying.mentionsMasked(`${value('W')} ${value('q')}`)
  const near = masks.hasColumns && (saying.touched || raised || inside)
  // What a deferred constraint finds at COMMIT is about a table, whatever COMMIT is about.
  const constrained =
    masks.hasColumns && sqlClass === '23' && (value('t') === '' || saying.isMasked(value('s'), value('t')))
  const { asked } = saying
  // Only what the parser finds wrong with the statement has a place in it.
  const isPlaced = value('P') !== ''
  const isSafe = (text: string) => isPlaced || saysNothingNew(text, value('R'), asked)
  // A server that logs to its client repeats statements and plans.
  const log = ['LOG', 'DEBUG'].includes(value('V').replace(/\d$/, ''))

  const hides = (letter: string): boolean => {
    switch (letter) {
      case 'M':
        return (
          near &&
          (raised ||
            log ||
            !(safeClasses.has(sqlClass) || safeCodes.has(value('C'))) ||
            !(sqlClass === '23' || isSafe(value('M'))))
        )
      case 'D':
        return constrained || (near && (raised || log || !safeDetails.has(sqlClass) || !isSafe(value('D'))))
      case 'H':
        return near && (raised || log)
      case 'W':
        return near && (raised || log || !safeDetails.has(sqlClass) || !saysWhereOnly(value('W')))
      case 'q':
        return near
      case 'C':
        // RAISE may set it, and the names, to anything.
        return near && raised && !commonCodes.has(value('C'))
      case 's':
      case 't':
      case 'c':
      case 'd':
      case 'n':
        return near && raised
      default:
        return false
    }
  }
  let changed = false
  const shown = fields.map(({ letter, value: given }) => {
    const masked = hides(letter)
      ? codec.encode(letter === 'C' ? 'P0001' : withheld)
      : said.has(letter)
        ? detectIn(given, saying)
        : given
    if (masked !== given) changed = true
    return { letter, value: masked }
  })
  if (!changed) return bytes
  const parts = shown.flatMap(({ letter, value: text }) => [Buffer.from(letter, 'latin1'), cstring(text)])
  return frame(String.fromCharCode(bytes[0] ?? 0), ...parts, Buffer.alloc(1))
}

/** Fields that hold sentences; the others hold codes, places in the source, and names. */
const said = new Set(['M', 'D', 'H', 'W', 'q'])

function splitFields(bytes: Buffer): readonly { readonly letter: string; readonly value: Buffer }[] {
  const fields: { letter: string; value: Buffer }[] = []
  const view = new View(bytes)
  for (let code = view.byte(); code !== 0; code = view.byte())
    fields.push({ letter: String.fromCharCode(code), value: view.cstring() })
  return fields
}

/** A RAISE can say anything that its function can read. Functions are known by what CONTEXT calls them. */
function isRaised(routine: string, context: string, { touched, suspectsFunction }: Saying): boolean {
  if (!/^exec_stmt_(?:raise|assert)$/.test(routine)) return false
  const names = [...context.matchAll(/function (?:"?[^".(\s]+"?\.)?"?([^"(\s]+)"?\(/g)].map(([, name]) => name ?? '')
  const block = /inline_code_block/.test(context)
  return touched || (names.length === 0 && !block) || names.some(suspectsFunction)
}

function detectIn(given: Buffer, { masks, codec }: Saying): Buffer {
  if (!masks.suspects(given, 0, given.length)) return given
  const text = codec.decode(given)
  const masked = masks.detect(text)
  return masked === text ? given : codec.encode(masked ?? dots)
}

/** A payload comes from any session at any time: nothing tells what it was made of. */
function maskNotification(bytes: Buffer, saying: Saying): Buffer {
  const view = new View(bytes)
  const pid = view.int32()
  const channel = view.cstring()
  const payload = view.cstring()
  const hides = saying.masks.hasColumns && payload.length > 0
  const shown = hides ? saying.codec.encode(dots) : detectIn(payload, saying)
  return shown === payload ? bytes : frame('A', int32(pid), cstring(channel), cstring(shown))
}

/** Reported settings that hold free text: set_config() can fill them. */
const freeText = new Set(['application_name', 'search_path'])

function maskParameter(bytes: Buffer, saying: Saying): Buffer {
  const view = new View(bytes)
  const name = view.cstring()
  const value = view.cstring()
  const hides = saying.masks.hasColumns && saying.touched && freeText.has(name.toString('latin1')) && value.length > 0
  const shown = hides ? saying.codec.encode(dots) : detectIn(value, saying)
  return shown === value ? bytes : frame('S', cstring(name), cstring(shown))
}
