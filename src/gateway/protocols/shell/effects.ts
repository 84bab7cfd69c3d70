/** What a tree would do: each program that may run, with what programs/ knows of it, each assignment and redirection. */
import { agreed } from './agreed.ts'
import { unknownName } from '../../../contract/command.ts'
import type { Parser } from './parser.ts'
import { isDevice, isSink, named, normal, shown } from './objects.ts'
import { Found } from './found.ts'
import { meaningOf } from './programs/known.ts'

import { type Command, NotUnderstood, type Redirection, type Script, type Word } from './tree.ts'
import { riskOf } from './variables.ts'

/** Texts within texts (`sh -c "sh -c …"`), and programs in front of programs. */
const deepest = 20
/** Over all texts within a line: each may hold another, and xargs may run the same one twice. */
const mostPrograms = 2000

export interface Circumstances {
  readonly parser: Parser
  readonly terminal: boolean
}

/** Throws NotUnderstood. */
export function effectsOf(script: Script, circumstances: Circumstances): Found {
  const walk = new Walk(circumstances)
  walk.script(script, 0)
  return walk.found
}

/** The same for a program that is started without a shell. */
export function effectsOfProgram(words: readonly Word[], circumstances: Circumstances): Found {
  const walk = new Walk(circumstances)
  walk.program(words, 0)
  return walk.found
}

class Walk {
  readonly found = new Found()
  readonly #circumstances: Circumstances
  #programs = 0

  constructor(circumstances: Circumstances) {
    this.#circumstances = circumstances
  }

  script({ statements }: Script, depth: number): void {
    for (const { commands } of statements) for (const command of commands) this.#command(command, depth)
  }

  #command({ assignments, words, redirections, expanded, scripts }: Command, depth: number): void {
    for (const { name, subscript, values } of assignments) {
      this.#assign(name, values.map(({ value }) => value).join(' '), words.length > 0)
      if (subscript) this.found.dynamic = true
      for (const value of values) this.#expand(value, depth)
    }
    if (words.length > 0) this.program(words, depth)
    for (const word of [...words, ...expanded]) this.#expand(word, depth)
    for (const redirection of redirections) this.#redirect(redirection, depth)
    for (const script of scripts) this.script(script, depth + 1)
  }

  #expand({ scripts, hidden, fixed, value }: Word, depth: number): void {
    // A subscript is computed wherever a shell takes a word for a variable's name or a number: `[ -v 'a[$(rm f)]' ]`.
    if (hidden || (fixed && /\[.*(?:\$\(|`|\$\{)/s.test(value))) this.found.dynamic = true
    for (const script of scripts) this.script(script, depth + 1)
  }

  /** The first word is the program. Words of it are expanded by whoever has read them. */
  program(words: readonly Word[], depth: number): void {
    this.#programs += 1
    if (depth > deepest || this.#programs > mostPrograms)
      throw new NotUnderstood('too many programs within one another')
    const [first, ...behind] = words
    if (first === undefined) return
    const name = bareName(first)
    if (name === undefined) {
      this.found.dynamic = true
      const action = { verb: 'exec', kind: 'admin', unbounded: false } as const
      this.found.add({ ...action, objects: [first.value], arguments: shown(behind) }, ['program'])
      return
    }
    // What it runs comes behind it.
    const place = this.found.actions.length
    this.found.programs.add(name)
    const effect = meaningOf(name)({
      name,
      words: behind,
      terminal: this.#circumstances.terminal,
      run: (inner) => this.program(inner, depth + 1),
      runScript: (text) => this.#text(text, depth + 1),
      assign: (variable, value, exported) => this.#assign(variable, value, exported),
      write: (file) => this.#write(file),
    })
    // Only where programs usually are is a name that of the program which is known by it.
    const foreign = first.value.includes('/') && !/^\/(?:usr\/(?:local\/)?)?s?bin\/[^/]+$/.test(normal(first.value))
    const uncertain = !first.fixed || first.value.startsWith('=')
    if (effect.dynamic || uncertain) this.found.dynamic = true
    const action = {
      kind: effect.dynamic || uncertain || foreign ? ('admin' as const) : effect.kind,
      objects: [...(effect.objects ?? named(behind))],
      unbounded: effect.unbounded ?? false,
      arguments: shown(behind),
    }
    const reaches =
      effect.dynamic || uncertain || foreign ? [...(effect.reaches ?? []), 'program' as const] : effect.reaches
    this.found.add({ verb: `exec ${name}`, ...action }, reaches, place)
    // Known by its path too, so that a rule which allows a name does not allow any program that is called so.
    if (foreign) this.found.add({ verb: `exec ${first.value}`, ...action }, [], place + 1)
  }

  /** A text that is given to a shell. */
  #text(word: Word, depth: number): void {
    // Also of one that is expanded before, as far as it is written: a rule about `rm` shall see `sh -c "rm $X"`.
    const text = word.fixed ? word.value : unquoted(word.value)
    if (!word.fixed) this.found.dynamic = true
    try {
      this.script(agreed(text, this.#circumstances.parser), depth)
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error
      this.found.dynamic = true
      this.found.add({ verb: 'exec', kind: 'admin', objects: [], unbounded: false, arguments: [word.value] }, [
        'program',
      ])
    }
  }

  #assign(name: string, value: string, exported: boolean): void {
    const risk = riskOf(name, exported)
    if (risk === 'hides') this.found.dynamic = true
    const kind = risk === 'none' ? 'read' : 'admin'
    this.found.add(
      { verb: `set ${name}`, kind, objects: [], unbounded: false, arguments: [value] },
      risk === 'none' ? [] : ['program'],
    )
  }

  #redirect({ operator, target }: Redirection, depth: number): void {
    this.#expand(target, depth)
    if (operator.startsWith('<<')) return
    if (/^[<>]&$/.test(operator) && target.fixed && /^(?:\d+-?|-)$/.test(target.value)) return
    // `>! file` writes to that file in zsh and csh.
    if (target.value.startsWith('!')) this.found.dynamic = true
    if (operator === '<' || operator === '<&') this.#read(target)
    else this.#write(target)
  }

  #read(file: Word): void {
    if (this.#isConnection(file) || (file.fixed && isSink(file.value))) return
    this.found.add({ verb: 'read file', kind: 'read', objects: objects(file), unbounded: false })
  }

  #write(file: Word): void {
    if (this.#isConnection(file) || (file.fixed && isSink(file.value))) return
    // The commands within `>(…)` are judged as commands.
    if (/^>\(/.test(file.raw) && file.scripts.length === 1) return
    const device = isDevice(file.value) || /^\/(?:dev|proc|sys)/.test(file.head)
    const reaches = device ? (['file', 'server'] as const) : (['file'] as const)
    this.found.add(
      { verb: 'write file', kind: device ? 'admin' : 'write', objects: objects(file), unbounded: device },
      reaches,
    )
  }

  /** bash connects where `/dev/tcp/host/port` is opened. */
  #isConnection({ value }: Word): boolean {
    const [, host, port] = /^\/+dev\/+(?:tcp|udp)\/+([^/]+)\/+([^/]+)$/.exec(value) ?? []
    if (host === undefined) return false
    this.found.add({ verb: 'connect', kind: 'admin', objects: [`${host}:${port}`], unbounded: false }, ['network'])
    return true
  }
}

function unquoted(text: string): string {
  return text.replace(/^"|"$/g, '').replace(/\\(["\\$`])/g, '$1')
}

function objects(file: Word): string[] {
  return file.fixed ? [normal(file.value)] : [normal(file.value), unknownName]
}

/** undefined: which program it is cannot be known, or its name would be taken for something else. */
function bareName({ value, raw, fixed, hidden, scripts }: Word): string | undefined {
  const known = fixed || (hidden && scripts.length === 0 && !/[*?[{`]|\$[^'"]/.test(raw))
  if (!known || /[\s\x00-\x1f\x7f\ufffd$`]/.test(value)) return undefined
  const name = value.replace(/^=/, '').replace(/^.*\//, '')
  return name === '' || name.startsWith('~') || /^\/proc\//.test(normal(value)) ? undefined : name
}
