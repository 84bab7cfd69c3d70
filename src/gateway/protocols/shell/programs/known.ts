/** What each program is known to do. */
import { changing } from './changing.ts'
import { type Meaning, unknown, unlisted } from './meaning.ts'
import { reading } from './reading.ts'
import { running } from './running.ts'
import { scripted } from './scripted.ts'

const known: ReadonlyMap<string, Meaning> = new Map(
  // What a program can run at worst stands behind what it may do at best.
  [reading, changing, scripted, running].flatMap((programs) => Object.entries(programs)),
)

/** `python3.11`, `bash5`: interpreters are installed under their versions too. */
const versioned = /^(perl|python|ruby|node|php|lua|luajit|tclsh|guile|pypy|bash|ksh|zsh|dash)[\d.-]+$/

/** The dynamic loader runs the program that it is given. */
const loader = /^ld(?:-[\w.-]+)?\.so(?:\.\d+)?$/

const loads: Meaning = (call) => {
  const at = call.words.findIndex(({ operand }) => operand)
  if (at >= 0) call.run(call.words.slice(at))
  return unknown
}

export function meaningOf(name: string): Meaning {
  const meaning = known.get(name)
  if (meaning !== undefined) return meaning
  if (loader.test(name)) return loads
  return known.get(versioned.exec(name)?.[1] ?? '') ?? unlisted
}
