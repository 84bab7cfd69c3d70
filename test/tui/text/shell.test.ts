import { expect, it } from 'vitest'
import { piecesOf } from '../../../src/tui/text/shell.ts'

const toned = (line: string): string[] =>
  piecesOf(line).flatMap(({ start, end, tone }) => (tone === undefined ? [] : [`${tone} ${line.slice(start, end)}`]))

it.each([
  ['a program and its arguments', 'ls -l /srv', ['strong ls']],
  ['a program that takes away, by its path too', '/bin/rm -rf /srv', ['grave /bin/rm']],
  ['the same word as an argument', 'echo rm select drop', ['strong echo']],
  [
    'pipes and lists',
    'ls|wc -l && rm a; id &',
    ['strong ls', 'keyword |', 'strong wc', 'keyword &&', 'grave rm', 'keyword ;', 'strong id', 'keyword &'],
  ],
  ['roughly: an option of sudo may look like a program', 'sudo -u root env A=1 rm x', ['grave sudo', 'strong root']],
  ['a program behind a wrapper', 'sudo rm x', ['grave sudo', 'grave rm']],
  ['assignments in front', 'A=1 B=2 ls', ['name A=', 'name B=', 'strong ls']],
  [
    'quotes',
    `echo 'a $b' "c $d e"`,
    ['strong echo', `literal 'a $b'`, 'literal "', 'literal c ', 'name $d', 'literal  e', 'literal "'],
  ],
  [
    'what runs inside a string',
    'echo "x $(rm -rf /) y"',
    ['strong echo', 'literal "', 'literal x ', 'grave $(', 'grave rm', 'grave )', 'literal  y', 'literal "'],
  ],
  ['backquotes', 'echo `rm x` y', ['strong echo', 'grave `', 'grave rm', 'grave `']],
  [
    'redirections and their files',
    'cat < in > /etc/passwd 2>&1',
    ['strong cat', 'keyword <', 'name in', 'grave >', 'name /etc/passwd', 'grave 2>&', 'name 1'],
  ],
  ['comments', 'ls # rm -rf /\nrm x', ['strong ls', 'comment # rm -rf /', 'keyword \n', 'grave rm']],
  ['a hash inside a word', 'echo a#b', ['strong echo']],
  [
    'reserved words',
    'for f in *; do rm $f; done',
    ['keyword for', 'strong f', 'keyword ;', 'keyword do', 'grave rm', 'name $f', 'keyword ;', 'keyword done'],
  ],
])('tells %s apart', (_, line, expected) => {
  expect(toned(line)).toEqual(expected)
})

it.each([
  "'open",
  '"open',
  '$(open',
  '`open',
  '${open',
  'a\\',
  '"a\\',
  '$',
  '<<<',
  '((()))',
  ')',
  'a\0b\x1b',
  '😀漢',
  '',
])('loses nothing of %j', (line) => {
  const pieces = piecesOf(line)
  expect(pieces.map(({ start, end }) => line.slice(start, end)).join('')).toBe(line)
  expect(pieces.every(({ start, end }) => end > start)).toBe(true)
})

it('takes no time over a long line', () => {
  const begun = performance.now()
  piecesOf(`echo ${'"a$(b `c` '.repeat(50_000)}`)
  expect(performance.now() - begun).toBeLessThan(2000)
})
