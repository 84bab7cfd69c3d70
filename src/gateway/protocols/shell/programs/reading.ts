/** Programs that only read: the closed list. Whatever is not in it, or has other options, is of the worst kind. */
import { named } from '../objects.ts'
import { has, readOptions } from '../options.ts'
import { inContainer } from './running.ts'
import { admin, each, type Meaning, type Programs, reads, readsWith, says, subcommands, unknown } from './meaning.ts'

/** With a terminal these show their answer in a pager, which takes orders and runs programs. */
function paged(isUnpaged: (words: readonly string[]) => boolean, meaning: Meaning): Meaning {
  return (call) => (call.terminal && !isUnpaged(call.words.map(({ value }) => value)) ? unknown : meaning(call))
}

const noPager = (words: readonly string[]) => words.includes('--no-pager')

/** `-v` takes a name whose subscript is computed; an expansion may become just that. */
const test: Meaning = ({ words }) => {
  const evaluates = words.some(({ value, fixed, operand, raw }, at) => {
    if (fixed) return /^-[vR]$/.test(value) || /\[.*[$`]/.test(value)
    const next = words[at + 1]
    const quoted = /^"[^"]*"$/.test(raw) || /^\$[?#]$/.test(raw)
    return !operand && (!quoted || (next !== undefined && !next.fixed && !next.operand))
  })
  return evaluates ? { ...unknown, objects: [] } : { kind: 'read', objects: [] }
}

/** The first operand of grep is no file, unless `-e` or `-f` gives the pattern. */
const grep: Meaning = ({ words }) => {
  const options = readOptions(words, { values: 'efmABCdD', longValues: ['regexp', 'file', 'max-count'] })
  const given = has(options, 'e', 'f', '--regexp', '--file')
  return { kind: 'read', objects: named(given ? options.operands : options.operands.slice(1)) }
}

const date: Meaning = ({ words }) => {
  const options = readOptions(words, {
    flags: 'uR',
    values: 'dfr',
    long: ['utc', 'universal'],
    longValues: ['date', 'iso-8601', 'rfc-3339'],
  })
  const reading =
    !options.unknown &&
    !options.unclear &&
    options.operands.every(({ head, value }) => head[0] === '+' || value[0] === '+')
  return reading ? { kind: 'read', objects: [] } : { kind: 'admin', reaches: ['server'], objects: [] }
}

/** Its second operand is a file that it writes. */
const uniq: Meaning = ({ words }) => {
  const options = readOptions(words, { flags: 'cdDiuz', values: 'fsw' })
  if (options.unclear) return { kind: 'admin', reaches: ['file'] }
  return options.operands.length > 1 ? { kind: 'write', reaches: ['file'] } : { kind: 'read' }
}

const ip: Meaning = (call) => {
  const options = readOptions(call.words, { flags: '46sdojp', long: ['brief', 'json'], stops: true })
  const [thing, verb] = options.operands.map(({ value }) => value)
  const reading =
    !options.unknown &&
    options.operands.every(({ fixed }) => fixed) &&
    /^(?:a|addr|address|l|link|r|route|n|neigh|rule)$/.test(thing ?? '') &&
    /^(?:show|list|ls)?$/.test(verb ?? '')
  return reading ? { kind: 'read', objects: [] } : admin('server', 'network')(call)
}

const readVariable: Meaning = (call) => {
  const options = readOptions(call.words, { flags: 'rs', values: 'pntdu' })
  for (const { value } of options.operands) call.assign(value, '', false)
  const plain = !options.unknown && options.operands.every(({ fixed, value }) => fixed && /^\w+$/.test(value))
  return plain ? { kind: 'read', objects: [] } : { ...unknown, objects: [] }
}

/** Some shells compute the number, and a subscript in it may run commands. */
const numbered: Meaning = ({ words }) => {
  const plain = words.every(({ value, raw, fixed }) => (fixed ? /^\d+$/.test(value) : /^"?\$[?#]"?$/.test(raw)))
  return plain ? { kind: 'read', objects: [] } : { ...unknown, objects: [] }
}

/** `set -a` and `set -k` turn words into environment; the harmless ones are listed. */
const set: Meaning = ({ words }) => {
  const options = readOptions(words, { flags: 'eufxvCn', values: 'o', stops: true })
  const named = options.given.every(
    ({ value }) => value === undefined || /^(?:pipefail|errexit|nounset|noglob|xtrace)$/.test(value.value),
  )
  return options.unknown || options.unclear || !named ? { ...unknown, objects: [] } : { kind: 'read', objects: [] }
}

export const reading: Programs = {
  ...each(
    'cat tac head tail wc ls dir vdir stat du df cut nl od hexdump strings cksum md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum sum base64 base32 realpath readlink cmp diff comm join paste fold fmt column rev expand unexpand jq namei findmnt',
    reads,
  ),
  ...each(
    'echo tr true false : seq expr sleep basename dirname pwd id whoami who w users groups logname uname arch nproc uptime free ps pgrep pidof lsblk lscpu lsmem lspci lsusb lsmod lsns tty hostid printenv getent locale which type whereis dirs times last lastlog vmstat iostat mpstat getconf getfacl numfmt factor',
    says,
  ),
  ...each('test [', test),
  ...each('grep egrep fgrep', grep),
  printf: ({ words }) =>
    /^-/.test(words[0]?.head ?? '') || words[0]?.operand === false
      ? { ...unknown, objects: [] }
      : { kind: 'read', objects: [] },
  cd: () => ({ kind: 'read' }),
  ...each('pushd popd', () => ({ kind: 'read' })),
  date,
  uniq,
  ip,
  read: readVariable,
  set,
  ...each('shift break continue return exit', numbered),
  ...each('umask ulimit wait', numbered),
  jobs: readsWith({ flags: 'lpnrs' }),
  hostname: readsWith({ flags: 'fisdIaA' }, ({ operands }) => operands.length === 0),
  sort: readsWith({
    flags: 'bdfghiMnRrVcCmsuz',
    values: 'kt',
    long: ['numeric-sort', 'reverse', 'unique', 'human-numeric-sort', 'version-sort', 'ignore-case', 'stable', 'check'],
    longValues: ['key', 'field-separator'],
  }),
  file: readsWith({ flags: 'bihkLNnprsz0', values: 'F', long: ['brief', 'mime', 'mime-type', 'mime-encoding'] }),
  tree: readsWith({ flags: 'adflipsughDNQrtvxACS', values: 'LIP' }),
  top: readsWith({ flags: 'bcHiS', values: 'dnopuUwE' }, (options) => has(options, 'b')),
  ss: readsWith({ flags: 'tulnpaexio460smrHO', values: 'f' }),
  netstat: readsWith({ flags: 'tulnpaexirsvW46cgM' }),
  lsof: readsWith({ flags: 'nPaltUR', values: 'ipucd' }),
  dmesg: readsWith({
    flags: 'TtwxkurLed',
    values: 'lf',
    long: ['ctime', 'follow', 'human-readable', 'decode'],
    longValues: ['level', 'since', 'until'],
  }),
  mount: (call) => (call.words.length === 0 ? { kind: 'read' } : admin('server', 'file')(call)),
  ifconfig: (call) =>
    call.words.every(({ value }) => value === '-a') ? { kind: 'read' } : admin('server', 'network')(call),
  crontab: (call) =>
    call.words.length === 1 && call.words[0]?.value === '-l'
      ? { kind: 'read', objects: [] }
      : {
          ...unknown,
          reaches: ['server', 'program'],
          unbounded: call.words.some(({ value }) => /^-[a-z]*r/.test(value)),
        },
  journalctl: paged(
    noPager,
    readsWith({
      flags: 'fberxaqkm',
      values: 'unpogtSUDPcC',
      long: [
        'no-pager',
        'follow',
        'reverse',
        'quiet',
        'utc',
        'boot',
        'dmesg',
        'all',
        'no-hostname',
        'list-boots',
        'disk-usage',
        'full',
        'catalog',
        'system',
        'user',
      ],
      longValues: [
        'unit',
        'lines',
        'since',
        'until',
        'priority',
        'output',
        'grep',
        'identifier',
        'facility',
        'user-unit',
      ],
    }),
  ),
  systemctl: paged(
    noPager,
    subcommands(
      {
        flags: 'alq',
        values: 'npto',
        long: ['no-pager', 'full', 'all', 'quiet', 'plain', 'no-legend', 'failed', 'user', 'system', 'value'],
        longValues: ['lines', 'property', 'type', 'state', 'output'],
      },
      'status is-active is-enabled is-failed show cat list-units list-unit-files list-timers list-sockets list-dependencies list-jobs get-default is-system-running',
      admin('server'),
    ),
  ),
  docker: subcommands({}, 'ps images logs inspect version info stats top port diff history', inContainer),
  podman: subcommands({}, 'ps images logs inspect version info stats top port diff history', inContainer),
  kubectl: subcommands(
    { values: 'n', longValues: ['namespace'] },
    'get describe logs version api-resources explain',
    inContainer,
  ),
  apt: paged(() => false, subcommands({}, 'list show policy search', admin('server', 'network', 'file'))),
  'apt-cache': subcommands({}, 'search show policy depends rdepends madison stats', admin('server')),
  dpkg: paged(
    () => false,
    (call) =>
      /^(?:-[lLsSp]|--list|--listfiles|--status|--search|--get-selections)$/.test(call.words[0]?.value ?? '') &&
      call.words.every(({ fixed, operand }) => fixed || operand)
        ? { kind: 'read' }
        : admin('server', 'file')(call),
  ),
}
