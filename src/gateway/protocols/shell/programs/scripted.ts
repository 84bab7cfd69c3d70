/** Programs with a small language of their own, which is read where it is simple: awk, sed, git. */
import { named } from '../objects.ts'
import { has, readOptions, valuesOf } from '../options.ts'
import { admin, each, type Meaning, type Programs, unknown } from './meaning.ts'

/** Awk can run programs (`system`, pipes), write files (`>`), and load code (`@`). */
const awk: Meaning = ({ words }) => {
  const options = readOptions(words, { values: 'Fv', stops: true })
  const [program, ...files] = options.operands
  const plain =
    !options.unknown &&
    !options.unclear &&
    program?.fixed === true &&
    !/system|getline|[@|]|print.*>/s.test(program.value.replaceAll('||', ''))
  if (!plain || files.some(({ fixed, operand }) => !fixed && !operand))
    return { ...unknown, reaches: ['file', 'program'] }
  return { kind: 'read', objects: named(files) }
}

/** Commands of sed that only shape what is printed; `w`, `e`, `r` and what is not known here do more. */
const sedCommand =
  /\s*(?:(?:\d+|\$|\/(?:[^\\/\n]|\\[^\n])*\/)(?:,[+~]?(?:\d+|\$|\/(?:[^\\/\n]|\\[^\n])*\/))?)?\s*!?\s*(?:[pdqPDNnGgHhx=l]|s([^\\\n\s\w])(?:(?!\1)[^\\\n]|\\[^\n])*\1(?:(?!\1)[^\\\n]|\\[^\n])*\1[gpiI0-9]*|y([^\\\n\s\w])(?:(?!\2)[^\\\n]|\\[^\n])*\2(?:(?!\2)[^\\\n]|\\[^\n])*\2)\s*(?:;|\n|$)/y

function isPlainSed(script: string): boolean {
  sedCommand.lastIndex = 0
  while (sedCommand.lastIndex < script.length) {
    const at = sedCommand.lastIndex
    if (!sedCommand.test(script) || sedCommand.lastIndex === at) return false
  }
  return true
}

const sed: Meaning = ({ words }) => {
  const options = readOptions(
    words.map((word) => (/^-i./.test(word.value) && word.fixed ? { ...word, value: '-i' } : word)),
    {
      flags: 'nErsuzi',
      values: 'e',
      long: ['quiet', 'silent', 'regexp-extended', 'in-place'],
      longValues: ['expression'],
    },
  )
  const given = valuesOf(options, 'e', '--expression')
  const scripts = given.length > 0 ? given : options.operands.slice(0, 1)
  const files = given.length > 0 ? options.operands : options.operands.slice(1)
  const plain =
    !options.unknown &&
    !options.unclear &&
    scripts.length > 0 &&
    scripts.every(({ fixed, value }) => fixed && isPlainSed(value))
  if (!plain) return { ...unknown, reaches: ['file', 'program'] }
  return has(options, 'i', '--in-place')
    ? { kind: 'write', reaches: ['file'], objects: named(files) }
    : { kind: 'read', objects: named(files) }
}

const gitReads = new Set(
  'status log show diff rev-parse ls-files ls-tree describe blame shortlog rev-list show-ref name-rev merge-base count-objects'.split(
    ' ',
  ),
)
const gitNetwork = new Set('clone fetch pull push ls-remote remote submodule'.split(' '))
const gitWrites = new Set(
  'add commit checkout switch restore merge rebase reset stash tag branch rm mv init clean cherry-pick revert gc apply am'.split(
    ' ',
  ),
)
/** They name programs or files; git takes any unambiguous beginning of an option. */
const gitRuns = /^(?:-[oO]|--(?:o(?!neline)|ex|te|up|rec|ru))/

const git: Meaning = (call) => {
  const options = readOptions(call.words, {
    flags: 'P',
    values: 'C',
    long: ['no-pager', 'no-optional-locks'],
    stops: true,
  })
  const [verb, ...words] = options.operands
  const unpaged = has(options, 'P', '--no-pager') || !call.terminal
  const odd = words.some(
    ({ value, fixed, operand }) => gitRuns.test(value) || /^\w+::/.test(value) || (!fixed && !operand),
  )
  // Settings (`-c`) may name programs, and an unknown word may be an alias for one.
  if (options.unknown || options.unclear || verb?.fixed !== true || odd || !unpaged) return unknown
  if (gitReads.has(verb.value)) return { kind: 'read', objects: named(words) }
  if (gitNetwork.has(verb.value)) return { kind: 'admin', reaches: ['network', 'file'], objects: named(words) }
  // Hooks of the repository run with these.
  if (gitWrites.has(verb.value)) return { kind: 'write', reaches: ['file', 'program'], objects: named(words) }
  return verb.value === 'config' ? admin('file', 'program')(call) : unknown
}

export const scripted: Programs = { ...each('awk gawk mawk nawk original-awk', awk), ...each('sed gsed', sed), git }
