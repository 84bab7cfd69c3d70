/** What is written for OpenSSH, read back by OpenSSH itself. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TargetInfo } from '../../src/contract/api.ts'
import {
  asFlags,
  commonSettings,
  hostBlock,
  knownHostsText,
  portSettings,
  proxySettings,
  sshTargetOf,
  sshTargetsOf,
  targetSettings,
} from '../../src/tunnel/ssh-settings.ts'
import { isInstalled } from '../support/built-cli.ts'

const key = `ssh-ed25519 ${'A'.repeat(68)}`
const info = (change: Partial<TargetInfo> = {}): TargetInfo => ({
  name: 'ssh-prod',
  protocol: 'ssh',
  labels: {},
  description: null,
  whyNot: null,
  defaults: { user: 'deploy', hostKey: key },
  ...change,
})

test.each<[string, Partial<TargetInfo>]>([
  ['a name that ends the line', { name: 'x\nProxyCommand evil' }],
  ['a name with a pattern', { name: '*' }],
  ['a key that ends the line', { defaults: { hostKey: `${key}\n* ssh-rsa AAAA` } }],
  ['no key', { defaults: {} }],
  ['another protocol', { protocol: 'postgres' }],
])('writes nothing for a target with %s', (_what, change) => {
  expect(sshTargetOf(info(change))).toBeUndefined()
})

test('leaves out a user name that would begin another line', () => {
  expect(sshTargetOf(info({ defaults: { user: 'x\n  ProxyCommand evil', hostKey: key } }))?.user).toBeUndefined()
})

test('pins one key for all targets, so that a new target needs no new file; several keys each for their own', () => {
  const other = info({ name: 'ssh-two', defaults: { hostKey: `${key.slice(0, -1)}B` } })
  expect(knownHostsText(sshTargetsOf([info(), info({ name: 'ssh-three' })]))).toBe(`*.hoop ${key}\n`)
  expect(knownHostsText(sshTargetsOf([info(), other]))).toBe(
    `ssh-prod.hoop ${key}\nssh-two.hoop ${key.slice(0, -1)}B\n`,
  )
  expect(knownHostsText([])).toBe('')
})

describe.runIf(isInstalled('ssh', '-V'))('OpenSSH reads it as', () => {
  const read = (args: readonly string[]): Map<string, string> => {
    const { stdout, stderr, status } = spawnSync('ssh', ['-G', '-T', ...args], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    return new Map(stdout.split('\n').map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)]))
  }
  const target = { host: 'ssh-prod.hoop', user: 'deploy' }
  const program = { words: ['/opt/a b/node', '/opt/100%/"hoop".js'], gateway: 'https://hoop.acme.dev' }
  const known = '/home/ana maria/known_hosts'
  const file = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'hoop-ssh-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'config')
    writeFileSync(path, text)
    return path
  }
  const expected = {
    user: 'deploy',
    hostkeyalias: 'ssh-prod.hoop',
    proxycommand: '"/opt/a b/node" "/opt/100%%/\\"hoop\\".js" proxy --gateway https://hoop.acme.dev %h',
    stricthostkeychecking: 'true',
    pubkeyauthentication: 'false',
    passwordauthentication: 'no',
    identityagent: 'none',
    forwardagent: 'no',
    updatehostkeys: 'false',
    serveraliveinterval: '30',
    preferredauthentications: 'none',
  }

  test('an include file', () => {
    const text = `${hostBlock([target.host], targetSettings(target))}\n${hostBlock(['*.hoop'], [...proxySettings(program), ...commonSettings(known)])}`
    const settings = read(['-F', file(text), 'ssh-prod.hoop'])
    expect(Object.fromEntries(settings)).toMatchObject(expected)
    expect(settings.get('userknownhostsfile')).toBe(known)
    expect(settings.get('ciphers')?.startsWith('aes128-gcm@openssh.com,aes256-gcm@openssh.com,')).toBe(true)
  })

  test('flags, which go before every file and before what the person says behind them', () => {
    const flags = asFlags([...targetSettings(target), ...proxySettings(program), ...commonSettings(known)])
    const own = file('Host *\n  User somebody\n  ProxyCommand false\n  ForwardAgent yes\n  Compression yes\n')
    const settings = read(['-F', own, ...flags, 'ssh-prod.hoop', '-l', 'other', 'ls'])
    expect(Object.fromEntries(settings)).toMatchObject({ ...expected, compression: 'yes' })
  })

  test('a local port, whatever an include file further down says of a proxy', () => {
    const text = `${hostBlock([target.host], portSettings(4711))}${hostBlock(['*.hoop'], proxySettings(program))}`
    const settings = read(['-F', file(text), 'ssh-prod.hoop'])
    expect(Object.fromEntries(settings)).toMatchObject({ hostname: '127.0.0.1', port: '4711' })
    expect(settings.get('proxycommand') ?? 'none').toBe('none')
  })
})
