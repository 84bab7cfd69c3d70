/**
 * What OpenSSH's client has to be told to reach targets through hoop, as the words of ssh_config(5): for the include file,
 * for `-o`, and the known_hosts that pins the gateway's own key. The person needs no key: the link is authenticated already.
 */
import type { TargetInfo } from '../contract/api.ts'

export interface SshTarget {
  readonly name: string
  /** `ssh-prod.hoop`: how ssh and everything built on it call the target. */
  readonly host: string
  readonly user: string | undefined
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string
}

export type SshSettings = readonly (readonly [key: string, value: string])[]

/** Names as the gateway's configuration allows them: what stands in a file of ssh must not end its line or begin another. */
const nameForm = /^[a-z0-9][a-z0-9._-]*$/
const userForm = /^[A-Za-z0-9_][A-Za-z0-9_.@+$-]*$/
const keyForm = /^(?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/

/** undefined for targets of other protocols, and for what cannot be written into a file of ssh. */
export function sshTargetOf({ name, protocol, defaults }: TargetInfo): SshTarget | undefined {
  const { user, hostKey } = defaults
  if (protocol !== 'ssh' || !nameForm.test(name) || hostKey === undefined || !keyForm.test(hostKey)) return undefined
  return { name, host: hostOf(name), user: user !== undefined && userForm.test(user) ? user : undefined, hostKey }
}

export function sshTargetsOf(targets: readonly TargetInfo[]): readonly SshTarget[] {
  return targets.map(sshTargetOf).filter((target) => target !== undefined)
}

function hostOf(name: string): string {
  return `${name}.hoop`
}

/** Of one target. */
export function targetSettings({ host, user }: Pick<SshTarget, 'host' | 'user'>): SshSettings {
  return [...(user === undefined ? [] : [['User', user] as const]), ['HostKeyAlias', host]]
}

/** Of every target: who is trusted, and that nothing of the person's own is offered to anybody. */
export function commonSettings(knownHosts: string): SshSettings {
  return [
    ['UserKnownHostsFile', quoted(knownHosts)],
    ['GlobalKnownHostsFile', 'none'],
    ['StrictHostKeyChecking', 'yes'],
    ['UpdateHostKeys', 'no'],
    ['CheckHostIP', 'no'],
    ['PreferredAuthentications', 'none'],
    ['PubkeyAuthentication', 'no'],
    ['PasswordAuthentication', 'no'],
    ['KbdInteractiveAuthentication', 'no'],
    ['IdentityAgent', 'none'],
    ['ForwardAgent', 'no'],
    ['ForwardX11', 'no'],
    // The gateway's cipher runs in the processor; OpenSSH's first choice may not.
    ['Ciphers', '^aes128-gcm@openssh.com,aes256-gcm@openssh.com'],
    // A command that waits for a reviewer is silent for as long as that takes.
    ['ServerAliveInterval', '30'],
    ['ServerAliveCountMax', '4'],
  ]
}

export interface ProxyProgram {
  /** Node and the program, by their absolute paths: ssh may be started by an editor that knows another PATH. */
  readonly words: readonly string[]
  readonly gateway: string
}

export function proxySettings({ words, gateway }: ProxyProgram): SshSettings {
  const command = [...words.map(commandWord), 'proxy', '--gateway', commandWord(gateway), '%h']
  return [['ProxyCommand', command.join(' ')]]
}

/** Straight to a local port of `hoop connect`. */
export function portSettings(port: number): SshSettings {
  return [
    ['HostName', '127.0.0.1'],
    ['Port', String(port)],
    // First come, first served: an include file of `hoop ssh-config` further down would name one.
    ['ProxyCommand', 'none'],
  ]
}

/** `Host ssh-prod.hoop` and what is indented below it. */
export function hostBlock(hosts: readonly string[], settings: SshSettings): string {
  return `Host ${hosts.join(' ')}\n${settings.map(([key, value]) => `  ${key} ${value}\n`).join('')}`
}

export function asFlags(settings: SshSettings): readonly string[] {
  return settings.flatMap(([key, value]) => ['-o', `${key}=${value}`])
}

/** One gateway has one key: then targets that are added later need no new file. */
export function knownHostsText(targets: readonly SshTarget[]): string {
  const keys = new Set(targets.map(({ hostKey }) => hostKey))
  const lines =
    keys.size === 1
      ? [...keys].map((key) => `${hostOf('*')} ${key}`)
      : targets.map(({ host, hostKey }) => `${host} ${hostKey}`)
  return lines.map((line) => `${line}\n`).join('')
}

/** A value for ssh_config: one argument, whatever stands in it. */
export function quoted(value: string): string {
  return /^[\w@%+=:,./~-]+$/.test(value) ? value : `"${value.replace(/[\\"]/g, '\\$&')}"`
}

/** A word for the shell that ssh starts; `%` is ssh's own. */
function commandWord(word: string): string {
  const escaped = word.replaceAll('%', '%%')
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped.replace(/[\\"$`]/g, '\\$&')}"`
}
