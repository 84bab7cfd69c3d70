import { describe, expect, it } from 'vitest'
import type { Command } from '../../../../../src/contract/command.ts'
import { commandOf, modesOf, type Naming } from '../../../../../src/gateway/protocols/ssh/sftp/commands.ts'
import { readRequest } from '../../../../../src/gateway/protocols/ssh/sftp/requests.ts'
import { createFrameReader, message } from '../../../../../src/gateway/protocols/ssh/sftp/wire.ts'

const noAttributes = 0

function asked(bytes: Buffer): Naming {
  const [frame] = createFrameReader('the client').push(bytes)
  if (frame === undefined) throw new Error('no frame')
  // Whoever is no Naming has no command of its own; these all have.
  return readRequest(frame).request as Naming
}

function understood(bytes: Buffer, start: string | undefined = '/home/u'): Command {
  const found = commandOf(asked(bytes), start)
  if ('why' in found) throw new Error(found.why)
  return found.command
}

const shown = (command: Command) => [command.text, command.facts.kind, ...command.objects]
const open = (path: string | Buffer, flags: number) => message(3, 1, path, flags, noAttributes)

describe('what is asked', () => {
  it.each([
    ['an open for reading', open('/srv/a', 1), ['sftp read /srv/a', 'read', '/srv/a']],
    ['an open for nothing, which reads', open('/srv/a', 0), ['sftp read /srv/a', 'read', '/srv/a']],
    ['an open for writing', open('/srv/a', 0x1a), ['sftp write /srv/a (create, truncate)', 'write', '/srv/a']],
    ['one that appends', open('/srv/a', 0x06), ['sftp write /srv/a (append)', 'write', '/srv/a']],
    ['an open for both', open('/srv/a', 3), ['sftp read and write /srv/a', 'write', '/srv/a']],
    ['reading that truncates', open('/srv/a', 0x11), ['sftp read and write /srv/a (truncate)', 'write', '/srv/a']],
    ['only if new', open('/srv/a', 0x2a), ['sftp write /srv/a (create, only if new)', 'write', '/srv/a']],
    ['remove', message(13, 1, '/srv/a'), ['sftp remove /srv/a', 'write', '/srv/a']],
    ['rmdir', message(15, 1, '/srv/a'), ['sftp rmdir /srv/a', 'write', '/srv/a']],
    ['mkdir', message(14, 1, '/srv/a', 4, 0o750), ['sftp mkdir /srv/a (mode 0750)', 'write', '/srv/a']],
    ['list', message(11, 1, '/srv'), ['sftp list /srv', 'read', '/srv']],
    ['stat', message(17, 1, '/srv/a'), ['sftp stat /srv/a', 'read', '/srv/a']],
    ['lstat', message(7, 1, '/srv/a'), ['sftp stat /srv/a (lstat)', 'read', '/srv/a']],
    ['readlink', message(19, 1, '/srv/a'), ['sftp stat /srv/a (readlink)', 'read', '/srv/a']],
    ['realpath', message(16, 1, '.'), ['sftp stat /home/u (realpath, asked as .)', 'read', '/home/u']],
    [
      'setstat',
      message(9, 1, '/srv/a', 6, 0, 0, 0o600),
      ['sftp setstat /srv/a (owner 0:0, mode 0600)', 'write', '/srv/a'],
    ],
    ['a change of size', message(9, 1, '/srv/a', 1, 0, 0), ['sftp setstat /srv/a (size 0)', 'write', '/srv/a']],
    [
      'a change of times',
      message(9, 1, '/srv/a', 8, 0, 86_400),
      ['sftp setstat /srv/a (modified 1970-01-02T00:00:00.000Z)', 'write', '/srv/a'],
    ],
    ['rename', message(18, 1, '/srv/a', '/srv/b'), ['sftp rename /srv/a to /srv/b', 'write', '/srv/a', '/srv/b']],
    [
      'a rename that replaces',
      message(200, 1, 'posix-rename@openssh.com', '/srv/a', '/srv/b'),
      ['sftp rename /srv/a to /srv/b (replacing what is there)', 'write', '/srv/a', '/srv/b'],
    ],
    [
      'a symbolic link, whose text begins where it stands',
      message(20, 1, '../../etc/shadow', '/srv/x/l'),
      ['sftp symlink /srv/x/l to /etc/shadow (asked as ../../etc/shadow)', 'write', '/srv/x/l', '/etc/shadow'],
    ],
    [
      'a hard link',
      message(200, 1, 'hardlink@openssh.com', '/etc/passwd', '/srv/l'),
      ['sftp link /srv/l to /etc/passwd', 'write', '/srv/l', '/etc/passwd'],
    ],
    [
      'lsetstat',
      message(200, 1, 'lsetstat@openssh.com', '/srv/l', 4, 0o600),
      ['sftp setstat /srv/l (mode 0600, of a link itself)', 'write', '/srv/l'],
    ],
    ['statvfs', message(200, 1, 'statvfs@openssh.com', '/srv'), ['sftp stat /srv (statvfs)', 'read', '/srv']],
    [
      'expand-path',
      message(200, 1, 'expand-path@openssh.com', '~ana/x'),
      ['sftp stat ~ana/x (expand-path)', 'read', '~ana/x'],
    ],
    ['home-directory', message(200, 1, 'home-directory', 'ana'), ['sftp stat ~ana (home-directory)', 'read', '~ana']],
    [
      'names',
      message(200, 1, 'users-groups-by-id@openssh.com', '', ''),
      ['sftp stat (names of users and groups)', 'read'],
    ],
  ])('%s', (_what, bytes, expected) => {
    expect(shown(understood(bytes))).toEqual(expected)
  })

  it('has an action for reading and one for writing where it does both', () => {
    expect(understood(open('/srv/a', 3)).actions.map(({ verb, kind }) => [verb, kind])).toEqual([
      ['sftp read', 'read'],
      ['sftp write', 'write'],
    ])
  })

  it('reaches files', () => {
    expect(understood(open('/srv/a', 1)).facts.reaches).toEqual(['file'])
  })
})

describe('a path', () => {
  it.each([
    ['/srv/../etc/passwd', '/etc/passwd'],
    ['/srv//x/./../../etc//passwd', '/etc/passwd'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['../../etc/passwd', '/etc/passwd'],
    ['x', '/home/u/x'],
    ['', '/home/u'],
    ['.', '/home/u'],
    ['/', '/'],
    ['/etc/', '/etc'],
    ['~/x', '/home/u/~/x'],
  ])('%j is %s', (sent, path) => {
    expect(understood(open(sent, 1)).objects).toEqual([path])
  })

  it('stands in the text as it was sent, where that is another', () => {
    expect(understood(open('/srv/../etc/passwd', 1)).text).toBe('sftp read /etc/passwd (asked as /srv/../etc/passwd)')
  })

  it('cannot pass for something else in the text', () => {
    expect(understood(open('/srv/a (append)', 2)).text).toBe('sftp write "/srv/a (append)"')
    expect(understood(open('/srv/a\nrm', 1)).text).toBe('sftp read "/srv/a\\nrm"')
  })

  it('that is not UTF-8 stands beside it byte by byte', () => {
    const { objects, parameters } = understood(open(Buffer.from('/srv/caf\xe9', 'latin1'), 1))
    expect(objects).toEqual(['/srv/caf\ufffd'])
    expect(parameters).toEqual([{ value: '\\x2f7372762f636166e9', type: 'path' }])
  })

  it('is dynamic where nobody knows where it begins', () => {
    // Not by leaving the argument out: that means the usual start.
    const found = commandOf(asked(open('x', 1)), undefined)
    expect(found).toMatchObject({ command: { objects: ['~/x'], facts: { dynamic: true } } })
  })

  it.each([
    ['climbs out of a place that nobody knows', open('../x', 1), undefined],
    ['has a NUL in it', open('/srv/a\0', 1), '/home/u'],
    ['is opened in a way that is not known', open('/srv/a', 0x40), '/home/u'],
  ])('is not understood where it %s', (_what, bytes, start) => {
    expect(commandOf(asked(bytes), start)).toHaveProperty('why')
  })
})

it.each([
  [0, true, false],
  [1, true, false],
  [2, false, true],
  [3, true, true],
  [4, true, true],
  [8, true, true],
  [16, true, true],
  [0x1a, false, true],
])('an open with flags %i reads: %s, writes: %s', (flags, reads, writes) => {
  expect(modesOf(flags)).toEqual({ reads, writes })
})
