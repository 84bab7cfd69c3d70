/**
 * Lists of commands, read as POSIX and bash write them (XCU 2.9, 2.10). What it does not know it does not guess at: the
 * whole line is then not understood. agreement.ts has every tree confirmed by the grammar of mvdan/sh.
 */
import { type Cursor, readExpansions, readWord } from './words.ts'
import {
  type Assignment,
  type Command,
  NotUnderstood,
  type Redirection,
  type Script,
  type Statement,
  type Word,
} from './tree.ts'

/** Deeper and longer than people write, and within what the grammar's own stack bears. */
const deepest = 40
const mostCommands = 2000

/** How much was read so far, over all texts within one line. */
interface Spent {
  commands: number
}

/** `text` holds one byte a character. Throws NotUnderstood. */
export function readScript(text: string): Script {
  return new ScriptReader(text, 0, { commands: 0 }).whole()
}

const blanks = /(?:[ \t]|\\\n)*/y
const comment = /#[^\n]*/y
const redirection = /(?:&>>|&>|<<<|<<-|<<|<&|<>|>>|>&|>\||<|>)/y
const descriptor = /(?:\d+|\{[A-Za-z_]\w*\})(?=[<>])/y
const assignment = /^([A-Za-z_]\w*)(\[.*\])?\+?=/s
const functionHead = /[ \t]*\([ \t]*\)/y

const opening: readonly string[] = ['{', 'if', 'while', 'until', 'for', 'select', 'case', '[[', 'function', 'coproc']
const closing: readonly string[] = ['}', 'then', 'elif', 'else', 'fi', 'do', 'done', 'esac', 'in', ']]']
const closingWord = /(?:then|elif|else|fi|do|done|esac|\})(?=[ \t\n;&|()<>]|$)/y
/** Builtins whose words may be assignments of arrays. */
const declaring: readonly string[] = ['declare', 'typeset', 'local', 'export', 'readonly']

interface HereDocument {
  readonly delimiter: string
  readonly tabs: boolean
  readonly quoted: boolean
  readonly expanded: Word[]
}

class ScriptReader implements Cursor {
  at = 0
  readonly text: string
  readonly #depth: number
  readonly #spent: Spent
  #pending: HereDocument[] = []

  constructor(text: string, depth: number, spent: Spent) {
    if (depth > deepest) throw new NotUnderstood('too deeply nested')
    this.text = text
    this.#depth = depth
    this.#spent = spent
  }

  whole(): Script {
    const script = this.#list()
    if (this.at < this.text.length) throw new NotUnderstood(`unexpected "${this.text.charAt(this.at)}"`)
    if (this.#pending.length > 0) throw new NotUnderstood('a here-document is missing')
    return script
  }

  substitution(): Script {
    const inner = new ScriptReader(this.text, this.#depth + 1, this.#spent)
    inner.at = this.at
    const script = inner.#list()
    inner.#expect(')')
    if (inner.#pending.length > 0) throw new NotUnderstood('a here-document is missing')
    this.at = inner.at
    return script
  }

  script(text: string): Script {
    return new ScriptReader(text, this.#depth + 1, this.#spent).whole()
  }

  within(text: string): Cursor {
    return new ScriptReader(text, this.#depth + 1, this.#spent)
  }

  /** Up to what closes it, or the end. */
  #list(): Script {
    const statements: Statement[] = []
    const from = this.at
    for (;;) {
      this.#newlines()
      if (this.#ends()) break
      const start = this.at
      const commands = this.#andOr()
      this.#blanks()
      const char = this.text.charAt(this.at)
      const background = char === '&'
      const separated = background || (char === ';' && !this.#sees(';;') && !this.#sees(';&'))
      statements.push({ start: start - from, background, commands })
      if (separated) this.at += 1
      else if (char !== '\n') break
      // `&` and a continued line may go on as `&&`, which shells see differently.
      if (separated && this.#sees('\\\n') && /[&;|]/.test(this.text.charAt(this.at + 2)))
        throw new NotUnderstood('an operator over two lines')
    }
    return { text: this.text.slice(from, this.at), statements }
  }

  #ends(): boolean {
    const char = this.text.charAt(this.at)
    if (char === '' || char === ')' || this.#sees(';;') || this.#sees(';&')) return true
    closingWord.lastIndex = this.at
    return closingWord.test(this.text)
  }

  #andOr(): Command[] {
    const commands: Command[] = []
    for (;;) {
      this.#command(commands)
      this.#blanks()
      if (this.#sees('&&') || this.#sees('||') || this.#sees('|&')) this.at += 2
      else if (this.#sees('|')) this.at += 1
      else return commands
      if (this.#sees('\\\n')) throw new NotUnderstood('an operator over two lines')
      this.#newlines()
      if (this.#ends()) throw new NotUnderstood('a command is missing')
    }
  }

  /** One command, or several where it is negated or timed. */
  #command(out: Command[]): void {
    this.#spent.commands += 1
    if (this.#spent.commands > mostCommands) throw new NotUnderstood('too many commands')
    this.#blanks()
    if (this.#sees('((')) {
      const body = this.#arithmetic()
      if (body !== undefined) {
        out.push(this.#compound([], [body]))
        return
      }
    }
    if (this.#sees('(')) {
      this.at += 1
      out.push(this.#compound([this.substitution()], []))
      return
    }
    const start = this.at
    const word = this.#plainWord()
    if (word === '!') {
      this.#blanks()
      if (/[!\n;&|)]/.test(this.text.charAt(this.at)) || this.at >= this.text.length)
        throw new NotUnderstood('a lone "!"')
      this.#command(out)
    } else if (word === 'time') this.#timed(start, out)
    else if (word !== undefined && opening.includes(word)) out.push(this.#reserved(word))
    else if (word !== undefined && closing.includes(word)) throw new NotUnderstood(`unexpected "${word}"`)
    else {
      this.at = start
      out.push(this.#simple())
    }
  }

  /** `time` is a word of bash's grammar, but a program where options follow that only the program knows. */
  #timed(start: number, out: Command[]): void {
    this.#blanks()
    if (/-p[ \t]/y.test(this.text.slice(this.at, this.at + 3))) this.at += 2
    this.#blanks()
    const char = this.text.charAt(this.at)
    if (char === '-') {
      this.at = start
      out.push(this.#simple())
    } else if (char !== '' && !'\n;&|)'.includes(char)) this.#command(out)
  }

  #reserved(word: string): Command {
    switch (word) {
      case '{':
        return this.#compound([this.#until('}')], [])
      case 'if': {
        const scripts = [this.#until('then'), this.#list()]
        for (;;) {
          const next = this.#plainWord()
          if (next === 'elif') scripts.push(this.#until('then'), this.#list())
          else if (next === 'else') scripts.push(this.#list())
          else if (next === 'fi') return this.#compound(scripts, [])
          else throw new NotUnderstood('"fi" is missing')
        }
      }
      case 'while':
      case 'until':
        return this.#compound([this.#until('do'), this.#until('done')], [])
      case 'for':
      case 'select':
        return this.#loop()
      case 'case':
        return this.#case()
      case '[[':
        return this.#test()
      case 'function':
        return this.#function()
      default: {
        // coproc
        const inner: Command[] = []
        this.#command(inner)
        return this.#compound([{ text: '', statements: [{ start: 0, background: true, commands: inner }] }], [])
      }
    }
  }

  #loop(): Command {
    this.#blanks()
    const expanded: Word[] = []
    if (this.#sees('((')) {
      const head = this.#arithmetic()
      if (head === undefined) throw new NotUnderstood('"))" is missing')
      expanded.push(head)
    } else {
      const variable = this.#plainWord()
      if (variable === undefined || !/^[A-Za-z_]\w*$/.test(variable)) throw new NotUnderstood('a loop without a name')
      const name = readWord(this.within(variable))
      // Which programs are found may hang on it: PATH, IFS.
      expanded.push(/^[a-z_]\w*$/.test(variable) ? name : { ...name, hidden: true })
      this.#newlines()
      const start = this.at
      if (this.#plainWord() === 'in') {
        for (this.#blanks(); !/[\n;]/.test(this.text.charAt(this.at)); this.#blanks()) expanded.push(this.#someWord())
      } else this.at = start
    }
    this.#blanks()
    if (this.#sees(';')) this.at += 1
    this.#newlines()
    this.#expectWord('do')
    return this.#compound([this.#until('done')], expanded)
  }

  #case(): Command {
    this.#blanks()
    const expanded = [this.#someWord()]
    const scripts: Script[] = []
    this.#newlines()
    this.#expectWord('in')
    for (this.#newlines(); ; this.#newlines()) {
      const start = this.at
      if (this.#plainWord() === 'esac') return this.#compound(scripts, expanded)
      this.at = start
      if (this.#sees('(')) this.at += 1
      for (;;) {
        this.#blanks()
        expanded.push(this.#someWord())
        this.#blanks()
        if (!this.#sees('|')) break
        this.at += 1
      }
      this.#expect(')')
      scripts.push(this.#list())
      if (this.#sees(';;&')) this.at += 3
      else if (this.#sees(';;') || this.#sees(';&')) this.at += 2
    }
  }

  /** `[[ … ]]`. A comparison of numbers evaluates what it compares, which may run commands. */
  #test(): Command {
    const expanded: Word[] = []
    // In shells without `[[` it is a program, and these are their operators: `[[ a || reboot ]]`.
    let shared = true
    for (;;) {
      this.#newlines()
      const operator = /&&|\|\|?|[()<>]/y
      operator.lastIndex = this.at
      const found = operator.exec(this.text)
      if (found !== null) {
        this.at += found[0].length
        shared = false
        continue
      }
      const word = this.#someWord()
      if (word.literal && word.value === ']]')
        return this.#compound([], shared ? expanded : expanded.map((one) => ({ ...one, hidden: true })))
      expanded.push(/^-(?:eq|ne|lt|le|gt|ge|v|R)$/.test(word.value) ? { ...word, hidden: true } : word)
    }
  }

  #function(): Command {
    this.#blanks()
    this.#someWord()
    functionHead.lastIndex = this.at
    this.at += functionHead.exec(this.text)?.[0].length ?? 0
    return this.#functionBody()
  }

  #functionBody(): Command {
    this.#newlines()
    const inner: Command[] = []
    const start = this.at
    this.#command(inner)
    if (inner.some(({ words, assignments }) => words.length + assignments.length > 0))
      throw new NotUnderstood(`a function without a body at ${start}`)
    return this.#compound([{ text: '', statements: [{ start: 0, background: false, commands: inner }] }], [])
  }

  #simple(): Command {
    const assignments: Assignment[] = []
    const words: Word[] = []
    const redirections: Redirection[] = []
    const expanded: Word[] = []
    for (;;) {
      this.#blanks()
      if (this.#redirection(redirections, expanded)) continue
      const start = this.at
      const word = readWord(this)
      if (this.at === start) break
      const assigned = words.length === 0 ? assignment.exec(word.head) : null
      const array = this.#sees('(') && /=$/.test(word.head) && word.literal
      if (assigned !== null) {
        const [whole, name = '', subscript] = assigned
        const values = array ? this.#array() : [readWord(this.within(word.raw.slice(whole.length)))]
        // A line that goes on within the name is read again as what it means.
        if (!word.raw.startsWith(whole)) throw new NotUnderstood('an assignment over two lines')
        assignments.push({ name, subscript: subscript !== undefined, values })
      } else {
        if (words.length === 0 && assignments.length === 0 && redirections.length === 0) {
          functionHead.lastIndex = this.at
          const head = functionHead.exec(this.text)
          if (head !== null && word.literal) {
            this.at += head[0].length
            return this.#functionBody()
          }
        }
        if (array && declaring.includes(words[0]?.value ?? '')) expanded.push(...this.#array())
        words.push(word)
      }
    }
    if (words.length + assignments.length + redirections.length === 0) throw new NotUnderstood('a command is missing')
    if (this.#sees('(')) throw new NotUnderstood('unexpected "("')
    return { assignments, words, redirections, expanded, scripts: [] }
  }

  /** `(a b c)` */
  #array(): Word[] {
    this.at += 1
    const values: Word[] = []
    for (this.#newlines(); !this.#sees(')'); this.#newlines()) values.push(this.#someWord())
    this.at += 1
    return values
  }

  #compound(scripts: readonly Script[], expanded: readonly Word[]): Command {
    const redirections: Redirection[] = []
    const all = [...expanded]
    do this.#blanks()
    while (this.#redirection(redirections, all))
    if (!/[\n;&|)]/.test(this.text.charAt(this.at)) && this.at < this.text.length) {
      // Only a word that closes may follow: `{ { a; } }`.
      closingWord.lastIndex = this.at
      if (!closingWord.test(this.text)) throw new NotUnderstood('a separator is missing')
    }
    return { assignments: [], words: [], redirections, expanded: all, scripts }
  }

  #redirection(out: Redirection[], expanded: Word[]): boolean {
    const start = this.at
    descriptor.lastIndex = this.at
    this.at += descriptor.exec(this.text)?.[0].length ?? 0
    redirection.lastIndex = this.at
    const operator = redirection.exec(this.text)?.[0]
    // `<(` and `>(` begin a word.
    if (operator === undefined || (operator.length === 1 && this.text.charAt(this.at + 1) === '(')) {
      this.at = start
      return false
    }
    this.at += operator.length
    if (this.#sees('\\\n')) throw new NotUnderstood('an operator over two lines')
    this.#blanks()
    const target = this.#someWord()
    out.push({ operator, target })
    if (operator === '<<' || operator === '<<-') {
      if (!target.fixed || /[$`]/.test(target.raw)) throw new NotUnderstood('an odd delimiter')
      this.#pending.push({
        delimiter: bytes(target.value),
        tabs: operator === '<<-',
        quoted: !target.literal,
        expanded,
      })
    }
    return true
  }

  #hereDocuments(): void {
    const pending = this.#pending
    this.#pending = []
    for (const { delimiter, tabs, quoted, expanded } of pending) {
      let body = ''
      for (;;) {
        if (this.at >= this.text.length) throw new NotUnderstood('a here-document has no end')
        const end = this.text.indexOf('\n', this.at)
        const line = this.text.slice(this.at, end < 0 ? this.text.length : end)
        this.at = end < 0 ? this.text.length : end + 1
        if ((tabs ? line.replace(/^\t+/, '') : line) === delimiter) break
        body += `${line}\n`
      }
      if (quoted) continue
      // Shells do not agree whether a line that goes on can hide the delimiter.
      if (body.includes('\\\n')) throw new NotUnderstood('a here-document with a line that goes on')
      expanded.push(readExpansions(this.within(body)))
    }
  }

  #arithmetic(): Word | undefined {
    const start = this.at
    const word = readWord(this.within(`$${this.text.slice(start)}`))
    const length = word.raw.length - 1
    // Read as a command substitution it would have had commands, and may be two subshells.
    if (!/\)\)$/.test(word.raw) || word.scripts.length > 0) return undefined
    this.at = start + length
    return word
  }

  #until(word: string): Script {
    const script = this.#list()
    this.#expectWord(word)
    return script
  }

  #expectWord(word: string): void {
    if (this.#plainWord() !== word) throw new NotUnderstood(`"${word}" is missing`)
  }

  #expect(char: string): void {
    this.#blanks()
    if (!this.#sees(char)) throw new NotUnderstood(`"${char}" is missing`)
    this.at += char.length
  }

  #someWord(): Word {
    const start = this.at
    const word = readWord(this)
    if (this.at === start) throw new NotUnderstood('a word is missing')
    return word
  }

  /** A word without quotes, as the grammar's own words are. */
  #plainWord(): string | undefined {
    this.#blanks()
    const start = this.at
    const word = readWord(this)
    if (!word.literal || this.at === start) {
      this.at = start
      return undefined
    }
    return word.value
  }

  #sees(text: string): boolean {
    return this.text.startsWith(text, this.at)
  }

  #blanks(): void {
    blanks.lastIndex = this.at
    this.at += blanks.exec(this.text)?.[0].length ?? 0
    comment.lastIndex = this.at
    // Behind a blank or an operator; within a word `#` is nothing special, and words are read as a whole.
    if (this.#sees('#')) this.at += comment.exec(this.text)?.[0].length ?? 0
  }

  #newlines(): void {
    for (this.#blanks(); this.#sees('\n'); this.#blanks()) {
      this.at += 1
      this.#hereDocuments()
    }
  }
}

function bytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}
