/**
 * Reads JSON (RFC 8259) strictly, from bytes that come in pieces cut anywhere, and builds nothing: it tells a visitor where
 * each value begins and ends. So whoever copies bytes can copy them as they came, and whoever looks for values takes only
 * those. Also sequences of values: one a line (NDJSON), or one a record (RFC 7464).
 */
import { NameReader } from './json-names.ts'
import {
  byteOrderMark,
  hexDigit,
  isDigit,
  isEscape,
  isPlain,
  isWhole,
  numberPart,
  part,
  sign,
  utf8,
} from './json-signs.ts'

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null'

/** Bytes are counted from the first one of all pieces. */
export interface JsonVisitor {
  /** `step` leads here from the value around it: a member's name (escapes resolved) or an element's index. */
  begin(kind: JsonKind, at: number, step: string | number | undefined): void
  /** `at` is the byte behind its last one. */
  end(kind: JsonKind, at: number): void
}

export interface JsonFault {
  readonly at: number
  /** `a comma or a closing bracket is missing`. */
  readonly reason: string
}

export interface JsonOptions {
  /** One value with white space around it; a value on each line; RS, value, LF. */
  readonly form?: 'one' | 'lines' | 'records'
  /**
   * What is valid, and read differently by different readers: a name twice in one object, a name with a NUL, half a
   * surrogate pair, a byte order mark. Refused unless this says otherwise.
   */
  readonly doubtful?: 'refuse' | 'accept'
  /** How deep objects and arrays may stand in each other. */
  readonly depth?: number
  /** The longest name, in bytes as written. */
  readonly nameBytes?: number
}

/** What is read at the moment; inside a number it is one of `part`. */
const state = {
  /** Nothing was read yet; or a value may begin at the outermost level; or one ended there. */
  start: 0,
  ready: 1,
  behind: 2,
  /** Behind a record that might go on, had it not been cut off. */
  bare: 3,
  value: 4,
  firstElement: 5,
  firstName: 6,
  name: 7,
  colon: 8,
  after: 9,
  string: 10,
  escape: 11,
  hex: 12,
  lowBackslash: 13,
  lowU: 14,
  utf8: 15,
  literal: 16,
  mark: 17,
} as const

const notUtf8 = 'it is not UTF-8'
const noValue = 'a value is missing'
const half = 'half a surrogate pair stands in a string'
const cutOff = 'a record may be cut off'
const tooLongName = 'a name is too long'

type Literal = 'true' | 'false' | 'null'

export class JsonReader {
  readonly #visitor: JsonVisitor
  readonly #form: 'one' | 'lines' | 'records'
  readonly #strict: boolean
  readonly #mostDepth: number

  #state: number = state.start
  #fault: JsonFault | undefined
  /** Bytes of all pieces before the one that is being read. */
  #before = 0

  /** Objects and arrays that are open, outermost first; of each the step that leads to what is read in it. */
  #depth = 0
  readonly #isArray: boolean[] = []
  readonly #names: string[] = []
  readonly #indexes: number[] = []
  /** Names that each open object had already. */
  readonly #had: (Set<string> | undefined)[] = []

  readonly #name: NameReader
  /** Of a character in UTF-8: how many bytes are to come, and what the next may be. */
  #utf8Left = 0
  #utf8Least = 0x80
  #utf8Most = 0xbf
  /** Of `\uXXXX`: how many digits are to come, and what they say so far. */
  #hexLeft = 0
  #hex = 0
  /** It has to be the second half of a surrogate pair. */
  #wantsLow = false
  #literal: Literal = 'null'
  /** How much of the literal, or of the byte order mark, was read. */
  #literalAt = 0

  constructor(visitor: JsonVisitor, options: JsonOptions = {}) {
    this.#visitor = visitor
    this.#form = options.form ?? 'one'
    this.#strict = options.doubtful !== 'accept'
    this.#mostDepth = options.depth ?? 512
    this.#name = new NameReader(options.nameBytes ?? 65_536)
  }

  /** What is wrong, once something is. */
  get fault(): JsonFault | undefined {
    return this.#fault
  }

  /** While the visitor is told of a value: the steps to it from the outermost. */
  path(): readonly string[] {
    return Array.from({ length: this.#depth }, (_, at) =>
      String(this.#isArray[at] ? this.#indexes[at] : this.#names[at]),
    )
  }

  /** False: what came so far is no beginning of such a text (`fault` says why), and nothing more is read. */
  push(bytes: Uint8Array): boolean {
    if (this.#fault !== undefined) return false
    const good = this.#read(bytes)
    this.#before += bytes.length
    return good
  }

  /** There is nothing more to come. False: something is missing. */
  end(): boolean {
    if (this.#fault !== undefined) return false
    if (isWhole(this.#state)) this.#state = this.#closed('number', this.#before)
    const now = this.#state
    if (now === state.behind || (this.#form !== 'one' && (now === state.start || now === state.ready))) return true
    return this.#fail(this.#before, now === state.bare ? cutOff : 'it ends too early')
  }

  #read(bytes: Uint8Array): boolean {
    const length = bytes.length
    const before = this.#before
    const name = this.#name
    let now = this.#state
    /** Where in this piece the name begins that is read. */
    let nameStart = 0
    let at = 0
    while (at < length) {
      const byte = bytes[at] as number
      switch (now) {
        case state.string: {
          at = name.isReading && name.isPlain ? name.plainEnd(bytes, at) : plainEnd(bytes, at)
          if (at === length) break
          const stop = bytes[at] as number
          if (stop === sign.quote) {
            if (!name.isReading) now = this.#closed('string', before + at + 1)
            else if (this.#named(bytes, nameStart, at)) now = state.colon
            else return false
          } else {
            name.isPlain = false
            if (stop === sign.backslash) now = state.escape
            else if (stop < sign.blank) return this.#fail(before + at, 'a control character stands in a string')
            else if (this.#beginsCharacter(stop)) now = state.utf8
            else return this.#fail(before + at, notUtf8)
          }
          at++
          break
        }
        case state.after:
          if (byte === sign.comma) now = this.#isArray[this.#depth - 1] ? state.value : state.name
          else if (byte === (this.#isArray[this.#depth - 1] ? sign.closeArray : sign.closeObject))
            now = this.#left(before + at + 1)
          else if (!this.#isBlank(byte)) return this.#fail(before + at, 'a comma or a closing bracket is missing')
          at++
          break
        case state.colon:
          if (byte === sign.colon) now = state.value
          else if (!this.#isBlank(byte)) return this.#fail(before + at, 'a colon is missing')
          at++
          break
        case state.firstName:
        case state.name:
          if (byte === sign.quote) {
            nameStart = at + 1
            name.begin()
            now = state.string
          } else if (byte === sign.closeObject && now === state.firstName) now = this.#left(before + at + 1)
          else if (!this.#isBlank(byte)) return this.#fail(before + at, 'a name in quotes is missing')
          at++
          break
        case state.firstElement:
        case state.value:
        case state.ready:
          if (byte === sign.closeArray && now === state.firstElement) now = this.#left(before + at + 1)
          else if (!this.#isBlank(byte)) {
            const next = this.#began(byte, before + at)
            if (next === undefined) return false
            now = next
          }
          at++
          break
        case state.literal:
          if (byte !== this.#literal.charCodeAt(this.#literalAt)) return this.#fail(before + at, noValue)
          at++
          if (++this.#literalAt === this.#literal.length) now = this.#closed(this.#literal, before + at)
          break
        case state.escape:
          if (byte === sign.u) now = this.#code(false)
          else if (isEscape[byte] === 1) now = state.string
          else return this.#fail(before + at, 'an unknown escape stands in a string')
          at++
          break
        case state.hex: {
          const digit = hexDigit(byte)
          if (digit < 0) return this.#fail(before + at, 'a hexadecimal digit is missing')
          this.#hex = this.#hex * 16 + digit
          if (--this.#hexLeft === 0) {
            const next = this.#behindCode()
            if (next === undefined) return this.#fail(before + at, half)
            now = next
          }
          at++
          break
        }
        case state.lowBackslash:
          if (byte !== sign.backslash) return this.#fail(before + at, half)
          now = state.lowU
          at++
          break
        case state.lowU:
          if (byte !== sign.u) return this.#fail(before + at, half)
          now = this.#code(true)
          at++
          break
        case state.utf8:
          if (byte < this.#utf8Least || byte > this.#utf8Most) return this.#fail(before + at, notUtf8)
          this.#utf8Least = 0x80
          this.#utf8Most = 0xbf
          if (--this.#utf8Left === 0) now = state.string
          at++
          break
        case state.start:
          if (byte === byteOrderMark[0] && before + at === 0 && !this.#strict) {
            this.#literalAt = 1
            now = state.mark
            at++
          } else if (this.#form !== 'records') now = state.ready
          else if (byte === sign.recordSeparator || this.#isBlank(byte)) {
            if (byte === sign.recordSeparator) now = state.ready
            at++
          } else return this.#fail(before + at, 'the sign that begins a record is missing')
          break
        case state.mark:
          if (byte !== byteOrderMark[this.#literalAt]) return this.#fail(before + at, noValue)
          if (++this.#literalAt === byteOrderMark.length) now = state.start
          at++
          break
        case state.bare:
        case state.behind:
          if (this.#isBlank(byte)) now = byte === sign.lineFeed && this.#form === 'lines' ? state.ready : state.behind
          else if (now === state.bare) return this.#fail(before + at, cutOff)
          else if (byte === sign.recordSeparator && this.#form === 'records') now = state.ready
          else return this.#fail(before + at, 'something follows the value')
          at++
          break
        default: {
          const next = numberPart(now, byte)
          if (next !== undefined) {
            now = next
            at++
            // Most of a number is digits behind digits.
            if (now === part.integer || now === part.fraction) while (at < length && isDigit(bytes[at] as number)) at++
          } else if (isWhole(now)) now = this.#closed('number', before + at)
          else return this.#fail(before + at, 'a digit is missing')
        }
      }
    }
    this.#state = now
    if (!name.isReading || name.keep(bytes.subarray(nameStart))) return true
    return this.#fail(before + length, tooLongName)
  }

  /** A value begins with this byte. undefined: none can. */
  #began(byte: number, at: number): number | undefined {
    const isRecord = this.#depth === 0 && this.#form === 'records'
    // An empty record is none (RFC 7464, section 2.1).
    if (byte === sign.recordSeparator && isRecord) return state.ready
    const step = this.#step()
    switch (byte) {
      case sign.openObject:
      case sign.openArray: {
        const isArray = byte === sign.openArray
        if (this.#depth === this.#mostDepth) {
          this.#fail(at, `it is deeper than ${this.#mostDepth} levels`)
          return undefined
        }
        this.#visitor.begin(isArray ? 'array' : 'object', at, step)
        this.#isArray[this.#depth] = isArray
        this.#indexes[this.#depth] = -1
        this.#names[this.#depth] = ''
        this.#had[this.#depth]?.clear()
        this.#depth++
        return isArray ? state.firstElement : state.firstName
      }
      case sign.quote:
        this.#visitor.begin('string', at, step)
        return state.string
      case 0x74:
        return this.#beganLiteral('true', at, step)
      case 0x66:
        return this.#beganLiteral('false', at, step)
      case 0x6e:
        return this.#beganLiteral('null', at, step)
      default:
        if (byte !== sign.minus && !isDigit(byte)) {
          this.#fail(at, noValue)
          return undefined
        }
        this.#visitor.begin('number', at, step)
        if (byte === sign.minus) return part.minus
        return byte === sign.zero ? part.zero : part.integer
    }
  }

  #step(): string | number | undefined {
    const around = this.#depth - 1
    if (around < 0) return undefined
    if (!this.#isArray[around]) return this.#names[around]
    const index = (this.#indexes[around] as number) + 1
    this.#indexes[around] = index
    return index
  }

  #beganLiteral(literal: Literal, at: number, step: string | number | undefined): number {
    this.#visitor.begin(literal, at, step)
    this.#literal = literal
    this.#literalAt = 1
    return state.literal
  }

  /** A scalar has ended. */
  #closed(kind: JsonKind, at: number): number {
    this.#visitor.end(kind, at)
    if (this.#depth > 0) return state.after
    return this.#form === 'records' && kind !== 'string' ? state.bare : state.behind
  }

  /** The innermost object or array has ended. */
  #left(at: number): number {
    this.#depth--
    this.#visitor.end(this.#isArray[this.#depth] ? 'array' : 'object', at)
    return this.#depth > 0 ? state.after : state.behind
  }

  /** A value on a line of its own has no line ends in it. */
  #isBlank(byte: number): boolean {
    if (byte === sign.blank || byte === sign.tab) return true
    if (byte !== sign.lineFeed && byte !== sign.carriageReturn) return false
    return this.#depth === 0 || this.#form !== 'lines'
  }

  /** A name has ended: what stands between `start` and `end`, behind what stood in earlier pieces. */
  #named(bytes: Uint8Array, start: number, end: number): boolean {
    const found = this.#name.end(bytes, start, end)
    if (found === undefined) return this.#fail(this.#before + end, tooLongName)
    this.#names[this.#depth - 1] = found
    return !this.#strict || this.#isNew(found, this.#before + end)
  }

  #isNew(name: string, at: number): boolean {
    if (!this.#name.isPlain && name.includes('\0')) return this.#fail(at, 'a name has a NUL in it')
    const had = this.#had[this.#depth - 1]
    if (had === undefined) this.#had[this.#depth - 1] = new Set([name])
    else if (had.has(name)) return this.#fail(at, 'a name is given twice in one object')
    else had.add(name)
    return true
  }

  #beginsCharacter(byte: number): boolean {
    const character = utf8[byte]
    if (character === undefined) return false
    this.#utf8Left = character.left
    this.#utf8Least = character.least
    this.#utf8Most = character.most
    return true
  }

  #code(wantsLow: boolean): number {
    this.#hexLeft = 4
    this.#hex = 0
    this.#wantsLow = wantsLow
    return state.hex
  }

  /** The four digits are there. undefined: they are half a pair, and what has to come before is missing. */
  #behindCode(): number | undefined {
    if (!this.#strict) return state.string
    const isLow = this.#hex >= 0xdc00 && this.#hex <= 0xdfff
    if (isLow !== this.#wantsLow) return undefined
    return this.#hex >= 0xd800 && this.#hex <= 0xdbff ? state.lowBackslash : state.string
  }

  #fail(at: number, reason: string): false {
    this.#fault = { at, reason }
    return false
  }
}

function plainEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && isPlain[bytes[at] as number] === 1) at++
  return at
}
