/** Programs that run others: what they run is judged with them. */
import { named } from '../objects.ts'
import { has, type OptionSpec, readOptions, valuesOf } from '../options.ts'
import { plainWord, unknownWord, type Word } from '../tree.ts'
import { admin, type Call, each, type Effect, type Meaning, type Programs, unknown } from './meaning.ts'

/** A program in front of another: its options, then (behind so many operands of its own) the other's words. */
function wraps(spec: OptionSpec, own: Partial<Effect> = {}, skip = 0): Meaning {
  return (call) => {
    const options = readOptions(call.words, { ...spec, stops: true })
    const inner = options.operands.slice(skip)
    runBehindAssignments(call, inner)
    const effect: Effect = { kind: 'read', objects: [], ...own }
    return options.unknown || options.unclear ? { ...effect, ...unknown, objects: [] } : effect
  }
}

/** The same, but where no program is named it opens a shell. */
function enters(spec: OptionSpec, skip = 0): Meaning {
  const wrapping = wraps(spec, privileged, skip)
  return (call) => {
    const open = readOptions(call.words, { ...spec, stops: true }).operands.length <= skip
    return open ? { ...wrapping(call), ...unknown, objects: [] } : wrapping(call)
  }
}

/** `env -S 'program words'` cuts a text into words, with quotes and variables of its own. */
const env: Meaning = (call) => {
  const spec = {
    flags: 'i0v',
    values: 'uCS',
    long: ['ignore-environment', 'null'],
    longValues: ['unset', 'chdir', 'split-string'],
  }
  const split = valuesOf(readOptions(call.words, { ...spec, stops: true }), 'S', '--split-string')
  for (const text of split) call.runScript(text)
  const effect = wraps(spec)(call)
  return split.length > 0 ? { ...unknown, objects: [] } : effect
}

/** `docker exec web rm f`, `kubectl exec pod -- rm f`: elsewhere, but a program all the same. */
export const inContainer: Meaning = (call) => {
  const [verb, ...behind] = call.words
  if (verb === undefined || !/^(?:exec|run)$/.test(verb.value)) return admin('server', 'program')(call)
  const dashes = behind.findIndex(({ value }) => value === '--')
  const first = behind.findIndex(({ operand }) => operand)
  const inner = behind.slice(dashes >= 0 ? dashes + 1 : first + 1)
  if (first >= 0 && inner.length > 0) call.run(inner)
  return unknown
}

/** `env A=b program`; sudo and doas take assignments too. */
function runBehindAssignments(call: Call, words: readonly Word[]): void {
  let at = call.name === 'env' && words[0]?.value === '-' ? 1 : 0
  if (/^(?:env|sudo|doas)$/.test(call.name))
    for (; ; at += 1) {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(words[at]?.value ?? '') ?? []
      if (name === undefined) break
      call.assign(name, value ?? '', true)
    }
  if (at < words.length) call.run(words.slice(at))
}

const privileged: Partial<Effect> = { kind: 'admin', reaches: ['server'] }

/** With `-i` or `-s` it opens a shell, which takes orders where it is given none. */
const sudo: Meaning = (call) => {
  const spec = {
    flags: 'AbEHknPSvKBisl',
    values: 'gpuCcDhRrTtU',
    long: ['non-interactive', 'stdin', 'background', 'set-home', 'reset-timestamp'],
    longValues: ['user', 'group', 'chdir', 'prompt', 'host'],
    stops: true,
  }
  const options = readOptions(call.words, spec)
  const shell = has(options, 'i', 's')
  if (shell && options.operands.length > 0) call.runScript(joined(options.operands))
  else runBehindAssignments(call, options.operands)
  const open = options.operands.length === 0 && !has(options, 'l', 'v', 'k', 'K')
  const dynamic = options.unknown || options.unclear || open || has(options, 'e', 'E')
  return { kind: 'admin', reaches: ['server'], objects: [], dynamic }
}

/** Words put together with blanks, as `ssh`, `watch` and `eval` give them to a shell. */
function joined(words: readonly Word[]): Word {
  const [only] = words
  if (words.length === 1 && only !== undefined) return only
  const value = words.map(({ value }) => value).join(' ')
  return words.every(({ fixed }) => fixed) ? plainWord(value) : unknownWord(value, false)
}

/** `sh -c '…'`: what stands there is judged; a script in a file or on standard input cannot be. */
const shell: Meaning = (call) => {
  const options = readOptions(call.words, {
    flags: 'cexuvflnh',
    values: 'oO',
    long: ['norc', 'noprofile', 'posix', 'login'],
    stops: true,
  })
  const [script] = options.operands
  const version = call.words.length === 1 && call.words[0]?.value === '--version'
  if (version) return { kind: 'read', objects: [] }
  const given = has(options, 'c') && script !== undefined
  if (given) call.runScript(script)
  if (options.unknown || options.unclear || !given)
    return { ...unknown, objects: given ? [] : named(options.operands.slice(0, 1)) }
  return script.fixed ? { kind: 'read', objects: [] } : { ...unknown, objects: [] }
}

/** Shells of other grammars: read by the usual one as far as that goes, and never for sure. */
const otherShell: Meaning = (call) => {
  const at = call.words.findIndex(({ value }) => /^-[a-z]*c$/.test(value))
  const script = at >= 0 ? call.words[at + 1] : undefined
  if (script !== undefined) call.runScript(script)
  return { ...unknown, objects: [] }
}

/** `su -c '…' user`, `runuser`, `script -c '…'`: without the option they open a shell. */
const givesToShell =
  (own: Partial<Effect>): Meaning =>
  (call) => {
    const options = readOptions(call.words, {
      flags: 'lmpPfaeqt',
      values: 'cgGsuIOBT',
      long: ['login', 'preserve-environment', 'quiet', 'append', 'return'],
      longValues: ['command', 'session-command', 'shell', 'user', 'group'],
    })
    const scripts = valuesOf(options, 'c', '--command', '--session-command')
    for (const script of scripts) call.runScript(script)
    // `runuser -u user program`
    const direct = has(options, 'u') ? options.operands : []
    if (direct.length > 0) call.run(direct)
    const known = scripts.length + direct.length > 0 && scripts.every(({ fixed }) => fixed)
    const dynamic = !known || options.unknown || options.unclear || has(options, 's', '--shell')
    return { kind: 'admin', objects: [], ...own, dynamic }
  }

/** What it runs gets further words from standard input. */
const xargs: Meaning = (call) => {
  const options = readOptions(call.words, {
    flags: '0rtxp',
    values: 'aEIdLnPs',
    long: ['null', 'no-run-if-empty', 'verbose', 'exit', 'interactive'],
    longValues: ['max-args', 'max-procs', 'delimiter', 'max-lines', 'arg-file', 'replace', 'max-chars'],
    stops: true,
  })
  const [place] = valuesOf(options, 'I', '--replace')
  const inner = options.operands
  const given = place === undefined ? inner : inner.map((word) => replaced(word, place.value))
  if (inner.length > 0) call.run(place === undefined ? [...given, unknownWord('{}', false)] : given)
  const hidden = options.unknown || options.unclear
  return hidden ? { ...unknown, objects: [] } : { kind: 'read', objects: [] }
}

function replaced(word: Word, place: string): Word {
  const at = word.value.indexOf(place)
  return at < 0 || place === '' ? word : unknownWord(word.value, at > 0 && word.operand)
}

const findReads = new Set(
  'amin anewer atime cmin cnewer ctime daystart depth empty false fstype gid group ilname iname inum ipath iregex links lname ls maxdepth mindepth mmin mount mtime name newer nogroup nouser path perm print print0 printf prune quit readable regex regextype samefile size true type uid used user wholename writable executable xdev xtype noleaf a o and or not follow H L P'.split(
    ' ',
  ),
)

const find: Meaning = (call) => {
  const { words } = call
  const paths = words.slice(
    0,
    Math.max(
      words.findIndex(({ value }) => /^[-!(]/.test(value)),
      0,
    ) || (/^[-!(]/.test(words[0]?.value ?? '') ? 0 : words.length),
  )
  let dynamic = false
  let kind: Effect['kind'] = 'read'
  let deletes = false
  const objects = [...named(paths)]
  for (let at = paths.length; at < words.length; at += 1) {
    const word = words[at]
    if (word === undefined) break
    if (!word.fixed && !word.operand) dynamic = true
    const name = word.value.replace(/^-/, '')
    if (!word.value.startsWith('-')) continue
    if (/^(?:exec|execdir|ok|okdir)$/.test(name)) {
      const end = words.findIndex(
        ({ value, fixed }, place) =>
          place > at && fixed && (value === ';' || (value === '+' && words[place - 1]?.value === '{}')),
      )
      const inner = words.slice(at + 1, end < 0 ? words.length : end)
      if (end < 0) dynamic = true
      const [program] = inner
      if (program !== undefined)
        call.run([replaced(program, '{}'), ...inner.slice(1).map((one) => asFound(replaced(one, '{}')))])
      at = end < 0 ? words.length : end
    } else if (name === 'delete') deletes = true
    else if (/^fprint[0f]?$|^fls$/.test(name)) {
      const file = words[at + 1]
      if (file !== undefined) call.write(file)
      at += name === 'fprintf' ? 2 : 1
    } else if (!findReads.has(name) && !/^newer[aBcmt]{2}$/.test(name) && !/^\d+$/.test(name)) kind = 'admin'
  }
  if (paths.some(({ fixed, operand }) => !fixed && !operand)) dynamic = true
  const bounded = words.some(({ value }) =>
    /^-(?:i?name|i?path|i?regex|mtime|mmin|size|newer|user|inum|empty)$/.test(value),
  )
  const unbounded = deletes && (!bounded || paths.length === 0 || paths.some((path) => /^\/?$/.test(path.value)))
  if (dynamic) return { ...unknown, unbounded, objects }
  if (kind === 'admin') return { kind, reaches: ['file', 'program'], unbounded, objects }
  return deletes ? { kind: 'write', reaches: ['file'], unbounded, objects } : { kind, objects }
}

/** What find puts in begins with the folder it began with, so it is no option. */
function asFound(word: Word): Word {
  return word.fixed ? word : { ...word, operand: true }
}

const ssh: Meaning = (call) => {
  const options = readOptions(call.words, {
    flags: '46AaCfGgKkMNnqsTtVvXxYy',
    values: 'BbcDEeFIiJLlmOopQRSWw',
    stops: true,
  })
  const [host, ...command] = options.operands
  if (command.length > 0) call.runScript(joined(command))
  // Settings may name programs (ProxyCommand), and so may a configuration file.
  const dynamic = options.unknown || options.unclear || command.length === 0 || has(options, 'o', 'F', 'I', 'S')
  return { kind: 'admin', reaches: ['network'], objects: host === undefined ? [] : [host.value], dynamic }
}

const trap: Meaning = (call) => {
  const [script] = call.words.filter(({ value }) => value !== '--')
  if (script === undefined || script.value === '-' || script.value === '') return { kind: 'read', objects: [] }
  if (/^-/.test(script.value) && script.value !== '-') return { kind: 'read', objects: [] }
  call.runScript(script)
  return { kind: 'read', objects: [] }
}

const evaluates: Meaning = (call) => {
  if (call.words.length > 0) call.runScript(joined(call.words))
  return { ...unknown, objects: [] }
}

const watch: Meaning = (call) => {
  const options = readOptions(call.words, {
    flags: 'bcdegptwx',
    values: 'n',
    long: ['color', 'differences', 'no-title'],
    longValues: ['interval'],
    stops: true,
  })
  if (options.operands.length > 0) call.runScript(joined(options.operands))
  return options.unknown || options.unclear ? { ...unknown, objects: [] } : { kind: 'read', objects: [] }
}

const parallel: Meaning = (call) => {
  const start = call.words.findIndex(({ operand }) => operand)
  const end = call.words.findIndex(({ value }) => /^:::/.test(value))
  if (start >= 0) call.run([...call.words.slice(start, end < 0 ? undefined : end), unknownWord('{}', false)])
  return { ...unknown, objects: [] }
}

const flock: Meaning = (call) => {
  const options = readOptions(call.words, { flags: 'sxnuoFv', values: 'wEc', stops: true })
  const [file, second, ...rest] = options.operands
  if (second?.value === '-c' && rest[0] !== undefined) call.runScript(rest[0])
  else if (second !== undefined) call.run([second, ...rest])
  for (const script of valuesOf(options, 'c')) call.runScript(script)
  return options.unknown || options.unclear
    ? unknown
    : { kind: 'write', reaches: ['file'], objects: file === undefined ? [] : [file.value] }
}

/** `export A=b` is an assignment, and its variables reach every program behind it. */
const declares: Meaning = (call) => {
  let plain = true
  for (const { value, fixed, head } of call.words) {
    const [, name, given] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(value) ?? []
    if (name === undefined || (!fixed && !head.startsWith(`${name}=`))) plain = false
    else if (given !== undefined) call.assign(name, given, /^(?:export|declare|typeset)$/.test(call.name))
    else if (call.name === 'unset' || call.name === 'export') call.assign(name, '', true)
  }
  return plain ? { kind: 'read', objects: [] } : { ...unknown, objects: [] }
}

/** Interpreters: a language of their own, in which everything can be said. */
const interprets: Meaning = ({ words }) =>
  words.length === 1 && /^(?:--version|-V|-v)$/.test(words[0]?.value ?? '') ? { kind: 'read', objects: [] } : unknown

const none: Meaning = (call) => {
  if (call.words.length > 0) call.run(call.words)
  return { kind: 'read', objects: [] }
}

const lookup: Meaning = (call) => {
  const options = readOptions(call.words, { flags: 'pvV', stops: true })
  if (has(options, 'v', 'V')) return { kind: 'read', objects: [] }
  return wraps({ flags: 'p' })(call)
}

/** `and rm`, `not rm` of fish; `noglob rm`, `- rm` of zsh: words of other shells' grammars. */
const foreign: Meaning = (call) => {
  if (call.words.length > 0) call.run(call.words)
  return { ...unknown, objects: [] }
}

export const running: Programs = {
  ...each('sudo', sudo),
  doas: wraps({ flags: 'nL', values: 'uC' }, privileged),
  nice: wraps({ flags: '0123456789', values: 'n', longValues: ['adjustment'] }),
  ionice: wraps({ flags: 't', values: 'cn' }),
  nohup: wraps({}),
  timeout: wraps(
    {
      flags: 'v',
      values: 'ks',
      long: ['preserve-status', 'foreground', 'verbose'],
      longValues: ['kill-after', 'signal'],
    },
    {},
    1,
  ),
  stdbuf: wraps({ values: 'ioe', longValues: ['input', 'output', 'error'] }),
  setsid: wraps({ flags: 'cfw', long: ['wait', 'fork', 'ctty'] }),
  taskset: wraps({ flags: 'ac' }, {}, 1),
  chrt: wraps({ flags: 'bfiorR' }, {}, 1),
  time: wraps({ flags: 'apqvV', values: 'of' }),
  exec: wraps({ flags: 'cl', values: 'a' }),
  command: lookup,
  ...each('builtin', none),
  ...each('busybox toybox', none),
  strace: wraps({ flags: 'fcvtTyqrixkC', values: 'epsSPEabIuX' }, { kind: 'admin', reaches: ['session'] }),
  ltrace: wraps({ flags: 'fcStTr', values: 'eslp' }, { kind: 'admin', reaches: ['session'] }),
  chroot: enters({ longValues: ['userspec', 'groups'], long: ['skip-chdir'] }, 1),
  unshare: enters({
    flags: 'muinpUCTfr',
    long: ['mount', 'pid', 'net', 'fork', 'user', 'map-root-user', 'mount-proc'],
  }),
  nsenter: enters({
    flags: 'amuinpUCTZrwF',
    values: 'tSG',
    long: ['all', 'mount', 'net', 'pid', 'uts', 'ipc'],
    longValues: ['target'],
  }),
  env,
  'systemd-run': wraps(
    {
      flags: 'tPqdGr',
      values: 'pEuM',
      long: ['scope', 'user', 'pty', 'wait', 'pipe', 'collect', 'quiet'],
      longValues: ['unit', 'uid', 'slice', 'on-calendar', 'on-active'],
    },
    privileged,
  ),
  setpriv: wraps(
    { long: ['clear-groups', 'init-groups', 'no-new-privs'], longValues: ['reuid', 'regid', 'groups', 'inh-caps'] },
    privileged,
  ),
  ...each('sh bash dash ash ksh ksh93 mksh zsh rbash posh yash', shell),
  ...each('fish csh tcsh pwsh nu elvish xonsh rc es', otherShell),
  ...each('su runuser sg', givesToShell({ reaches: ['server'] })),
  script: givesToShell({ reaches: ['file'] }),
  xargs,
  find,
  ssh,
  trap,
  watch,
  parallel,
  flock,
  eval: evaluates,
  ...each('export readonly declare typeset local unset', declares),
  repeat: (call) => foreign({ ...call, words: call.words.slice(1) }),
  ...each('and or not begin noglob nocorrect -', foreign),
  ...each(
    'perl python python2 python3 ruby node nodejs deno bun php lua luajit tclsh wish Rscript R julia java go gcc cc tcc guile racket sbcl ghci runghc scala groovy kotlin erl escript elixir iex osascript ocaml bc dc m4 xdotool pypy pypy3 ipython irb gawk-persistent expect',
    interprets,
  ),
}
