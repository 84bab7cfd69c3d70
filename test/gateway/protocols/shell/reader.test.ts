import { beforeAll, describe, expect, it } from 'vitest'
import { createShellReader, type ShellReader } from '../../../../src/gateway/protocols/shell/reader.ts'
import type { Reading } from '../../../../src/gateway/protocols/shell/reading.ts'
import { lines } from './lines.ts'

let reader: ShellReader

beforeAll(async () => {
  reader = await createShellReader({ maxBytes: 1024 * 1024 })
})

const flagsOf = ({ facts }: Reading) =>
  `${facts.dynamic ? 'd' : ''}${facts.unbounded ? 'u' : ''}${facts.parsed ? '' : 'x'}`

const actionOf = (line: string) => reader.read(line).actions[0]

describe('a command line', () => {
  it.each(lines.map((line) => ({ ...line, title: JSON.stringify(line.line) })))('$title', (expected) => {
    const reading = reader.read(expected.line)
    const bare = reading.actions.map(({ verb }) => (verb.includes('/') ? verb : verb.replace(/^exec /, '')))
    expect({ does: bare.join(', '), kind: reading.facts.kind, flags: flagsOf(reading) }).toEqual({
      does: expected.does,
      kind: expected.kind,
      flags: expected.flags,
    })
  })

  it('names files, without detours where they begin at the root', () => {
    expect(actionOf('cat /etc/../etc//passwd ./x').objects).toEqual(['/etc/passwd', './x'])
    expect(actionOf('tar cf a --directory=/srv/x/').objects).toEqual(['a', '/srv/x'])
    expect(actionOf('dd if=/dev/zero of=/tmp/x').objects).toEqual(['/dev/zero', '/tmp/x'])
    expect(actionOf('grep pattern f').objects).toEqual(['f'])
    expect(actionOf('echo /etc/passwd').objects).toEqual([])
  })

  it('says of what is expanded that it may be anything', () => {
    expect(actionOf('cat /var/log/$X')).toMatchObject({
      objects: ['/var/log/$X', '<unknown>'],
      arguments: ['/var/log/$X', '<unknown>'],
    })
    expect(actionOf('cat /var/log/.*/x').objects).toContain('<unknown>')
    expect(actionOf('cat /var/log/{a,../../etc/shadow}').objects).toContain('<unknown>')
    expect(actionOf('cat /var/log/*.log').objects).toEqual(['/var/log/*.log'])
  })

  it('gives the words with their quotes taken away', () => {
    expect(actionOf(`echo 'a b' "c"d e\\ f ""`).arguments).toEqual(['a b', 'cd', 'e f', ''])
  })

  it('reaches what its programs reach', () => {
    expect(reader.read('ls').facts.reaches).toEqual([])
    expect(reader.read('rm x').facts.reaches).toEqual(['file'])
    expect(reader.read('reboot').facts.reaches).toEqual(['server', 'session'])
    expect(reader.read('kill 1').facts.reaches).toEqual(['session'])
    expect(reader.read('curl a').facts.reaches).toContain('network')
    expect(reader.read('./x').facts.reaches).toEqual(['program'])
  })

  it('names each program once among the functions', () => {
    expect(reader.read('/bin/ls; ls | sudo cat').facts.functions).toEqual(['ls', 'sudo', 'cat'])
  })

  it('gives the same reading for the same line', () => {
    const first = reader.read('ls -l /srv')
    expect(reader.read('ls -l /srv')).toBe(first)
  })

  it('is not judged beyond its length', async () => {
    const short = await createShellReader({ maxBytes: 10 })
    expect(short.read('echo 12345').facts.parsed).toBe(true)
    expect(short.read('echo 123456').facts.parsed).toBe(false)
    expect(reader.read(`echo ${'x'.repeat(128 * 1024)}`).facts.parsed).toBe(false)
  })
})

describe('on a terminal', () => {
  const where = { terminal: true }

  it.each(['!!', '!rm', 'ls; !-2', 'echo "!x"', '^ls^rm'])('%s may bring back anything', (line) => {
    expect(reader.read(line, where).facts.dynamic).toBe(true)
  })

  it.each(['git log', 'systemctl status x', 'journalctl'])('%s opens a pager, which takes orders', (line) => {
    expect(reader.read(line).facts.kind).toBe('read')
    expect(reader.read(line, where).facts).toMatchObject({ kind: 'admin', dynamic: true })
  })

  it('a comment is none in zsh', () => {
    expect(reader.read('ls # ; rm x', where).facts.dynamic).toBe(true)
    expect(reader.read('ls # ; rm x').facts.dynamic).toBe(false)
  })
})

describe('a program without a shell', () => {
  it('is judged by its words, which nothing expands', () => {
    const reading = reader.readArguments(['cat', '$(rm x)', '*'])
    expect(reading.actions).toEqual([
      expect.objectContaining({ verb: 'exec cat', kind: 'read', arguments: ['$(rm x)', '*'] }),
    ])
    expect(flagsOf(reading)).toBe('')
  })

  it('is followed into what it runs', () => {
    expect(reader.readArguments(['sh', '-c', 'rm -rf /']).actions.map(({ verb }) => verb)).toEqual([
      'exec sh',
      'exec rm',
    ])
  })

  it('is not understood where there is none', () => {
    expect(reader.readArguments([]).facts.parsed).toBe(false)
  })
})
