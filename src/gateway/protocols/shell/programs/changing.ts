/** Programs that change files, and those that reach beyond them: the network, the server itself, other processes. */
import { isBroad, isDevice, isPlainGlob, isSink, named, normal } from '../objects.ts'
import { has, type OptionSpec, readOptions, valuesOf } from '../options.ts'
import { admin, type Call, each, type Effect, type Meaning, type Programs, unknown, writes } from './meaning.ts'

/** `rm *` takes all of a folder, also without `-r`. */
const rm: Meaning = (call) => {
  const { operands } = readOptions(call.words, {})
  const recursive = call.words.some(({ value }) => /^-[A-Za-z]*[rR]|^--r/.test(value))
  const all = operands.some((word) => isBroad(word) && (recursive || /[*?]/.test(word.value)))
  // What `xargs` and `$(…)` name has no bound that could be known.
  const unbounded = all || operands.some((word) => !word.fixed && !word.operand && !isPlainGlob(word))
  return { kind: 'write', reaches: ['file'], unbounded }
}

const dd: Meaning = ({ words }) => {
  const outputs = words.filter(({ value }) => value.startsWith('of='))
  const clear = words.every(({ fixed, head }) => fixed || /^[a-z]+=/.test(head))
  const devices = outputs.filter(({ fixed, value }) => !fixed || isDevice(value.slice(3)))
  const objects = words.flatMap(({ value }) => (/^[io]f=/.test(value) ? [normal(value.slice(3))] : []))
  if (!clear) return { kind: 'admin', reaches: ['file', 'server'], unbounded: true, objects }
  if (outputs.every(({ value }) => isSink(value.slice(3)))) return { kind: 'read', objects }
  const unbounded = devices.length > 0
  return { kind: unbounded ? 'admin' : 'write', reaches: unbounded ? ['file', 'server'] : ['file'], unbounded, objects }
}

const tee: Meaning = ({ words }) => {
  const files = readOptions(words, {}).operands
  if (files.every(({ fixed, value }) => fixed && isSink(value))) return { kind: 'read' }
  const unbounded = files.some(({ value }) => isDevice(value))
  return { kind: unbounded ? 'admin' : 'write', reaches: ['file'], unbounded }
}

const mv: Meaning = ({ words }) => ({
  kind: 'write',
  reaches: ['file'],
  unbounded: readOptions(words, {}).operands.slice(0, -1).some(isBroad),
})

/** Compressors: nothing but files, with the options that are known to be just that. */
const packs = writes(0, { flags: 'cdfhklLnNqrtTv0123456789', values: 'S' })

const tarOptions: OptionSpec = {
  flags: 'xctruzjJvpkmOPhlSaW',
  values: 'fCTX',
  long: [
    'extract',
    'create',
    'list',
    'gzip',
    'bzip2',
    'xz',
    'zstd',
    'verbose',
    'same-permissions',
    'no-same-owner',
    'auto-compress',
    'dereference',
  ],
  longValues: ['file', 'directory', 'exclude', 'strip-components', 'exclude-from'],
}

const tar: Meaning = ({ words }) => {
  // The old form has its letters without a dash, and their values behind them in order.
  const [first, ...others] = words
  const letters = first?.fixed === true && /^[xctruzjJvpkmOPhlSaWfCTX]+$/.test(first.value) ? first.value : ''
  const values = letters.replace(/[^fCTX]/g, '').length
  const behind = letters === '' ? words : others
  const options = readOptions(letters === '' ? words : others.slice(values), tarOptions)
  const does = (...names: string[]) => has(options, ...names) || names.some((name) => letters.includes(name))
  // `host:file` is fetched by a program of its own.
  const remote = words.some(({ value }) => /^[^/]*:/.test(value))
  const unclear = others.slice(0, values).some(({ fixed }) => !fixed)
  if (options.unknown || options.unclear || unclear || remote) return { ...unknown, reaches: ['file', 'program'] }
  const lists = does('t', '--list') && !does('x', 'c', 'r', 'u', '--extract', '--create')
  const objects = named(behind)
  return lists ? { kind: 'read', objects } : { kind: 'write', reaches: ['file'], objects }
}

const rsync: Meaning = (call) => {
  const options = readOptions(call.words, {
    flags: 'avzrltpgoDnuhxcHAXSPiqmWRd0',
    values: 'e',
    long: [
      'delete',
      'progress',
      'archive',
      'dry-run',
      'stats',
      'partial',
      'checksum',
      'delete-after',
      'delete-excluded',
      'inplace',
      'append',
      'verbose',
      'compress',
      'recursive',
      'numeric-ids',
      'human-readable',
    ],
    longValues: ['exclude', 'include', 'rsh', 'rsync-path', 'bwlimit', 'timeout', 'exclude-from', 'chmod', 'info'],
  })
  const programs = valuesOf(options, 'e', '--rsh', '--rsync-path')
  for (const program of programs) call.runScript(program)
  const remote = options.operands.some(({ value }) => /^[^/]*:/.test(value))
  const unbounded = options.given.some(({ name }) => name.startsWith('--del'))
  const dynamic = options.unknown || options.unclear || programs.length > 0
  return { kind: 'admin', reaches: remote ? ['file', 'network'] : ['file'], unbounded, dynamic }
}

const kill: Meaning = ({ words, name }) => ({
  kind: 'admin',
  reaches: ['session'],
  unbounded:
    words.slice(1).some(({ value }) => value === '-1') ||
    (name !== 'kill' && words.some(({ value }) => /^(?:\.|\.\*|)$/.test(value))),
  objects: readOptions(words, { flags: 'l' }).operands.map(({ value }) => value),
})

const wipes: Meaning = (call) => ({ ...admin('server', 'file')(call), unbounded: true })

const prunes: Meaning = (call) => ({ ...admin('server', 'file')(call), unbounded: call.words.length > 0 })

/** Files named behind options, where a download goes. */
const downloads: Meaning = (call) => {
  const hidden = call.words.some(
    ({ fixed, operand, value }) => (!fixed && !operand) || /^(?:-K|--config|--use-askpass)/.test(value),
  )
  const letter = call.name === 'wget' ? 'O' : 'o'
  const options = readOptions(call.words, { values: `${letter}TP`, longValues: ['output', 'output-document'] })
  const files = valuesOf(options, letter, '--output', '--output-document')
  for (const file of files) call.write(file)
  return { kind: 'admin', reaches: ['network', 'file'], dynamic: hidden }
}

const shreds = (call: Call): Effect => {
  const unbounded = call.words.some((word) => isBroad(word) || isDevice(word.value))
  return { kind: unbounded ? 'admin' : 'write', reaches: ['file'], unbounded, objects: named(call.words) }
}

/** Editors, pagers, terminals within terminals, jobs for later: they run whatever they are told once they run. */
const takesOrders: Meaning = () => unknown

export const changing: Programs = {
  rm,
  dd,
  tee,
  mv,
  tar,
  rsync,
  ...each('cp mkdir rmdir touch ln unlink link truncate mkfifo mktemp', writes()),
  ...each('chmod chown chgrp', writes(1)),
  install: writes(0, { flags: 'bcCdDpTv', values: 'gmot' }),
  ...each('gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd', packs),
  unzip: writes(0, { flags: 'oqnjlvtpuC', values: 'dx' }),
  shred: shreds,
  ...each('kill pkill killall killall5 skill', kill),
  ...each('fg bg disown loginctl', admin('session')),
  ...each(
    'mkfs mkfs.ext2 mkfs.ext3 mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat mke2fs mkswap wipefs blkdiscard fdisk sfdisk sgdisk gdisk parted lvremove vgremove pvremove zpool zfs cryptsetup',
    wipes,
  ),
  ...each('reboot shutdown halt poweroff init telinit kexec', admin('server', 'session')),
  ...each(
    'service umount swapon swapoff iptables ip6tables nft ufw firewall-cmd sysctl modprobe insmod rmmod hostnamectl timedatectl localectl apt-get aptitude yum dnf zypper apk pacman snap flatpak rpm useradd usermod adduser deluser groupadd groupdel groupmod passwd chpasswd chage visudo update-rc.d chkconfig logrotate ldconfig setcap setfacl chattr mknod losetup tc ethtool brctl helm terraform nomad consul',
    admin('server', 'file'),
  ),
  ...each('userdel dropdb dropuser', prunes),
  ...each('curl wget', downloads),
  ...each(
    'nc ncat netcat socat telnet ftp sftp tftp lftp scp ping ping6 traceroute tracepath mtr dig nslookup host whois nmap arping tcpdump openssl aws gcloud az',
    (call) => ({ ...admin('network', 'file')(call), dynamic: true, reaches: ['network', 'file', 'program'] }),
  ),
  ...each('ping ping6 traceroute tracepath dig nslookup host whois arping', admin('network')),
  ...each(
    'vi vim nvim view ex ed emacs nano pico less more most man info screen tmux at batch fc bind source . eval alias hash enable complete mapfile readarray let compgen newgrp emulate zmodload autoload sched bindkey zle gdb make cmake npm npx yarn pnpm pip gem cargo mysql psql sqlite3 mongo mongosh redis-cli run-parts ansible ansible-playbook',
    takesOrders,
  ),
}
