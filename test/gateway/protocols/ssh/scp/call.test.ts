import { expect, it } from 'vitest'
import { readScp } from '../../../../../src/gateway/protocols/ssh/scp/call.ts'

const upload = { direction: 'upload', hasPattern: false, intoDirectory: false }
const download = { ...upload, direction: 'download' }

it.each([
  ['scp -t /srv/a', { ...upload, path: '/srv/a' }],
  ['scp -v -r -p -d -t /srv', { ...upload, path: '/srv', intoDirectory: true }],
  ['scp -rpt /srv/', { ...upload, path: '/srv/', intoDirectory: true }],
  ['scp -t .', { ...upload, path: '.', intoDirectory: true }],
  ['scp -t ..', { ...upload, path: '..', intoDirectory: true }],
  ['/usr/bin/scp -t a', { ...upload, path: 'a' }],
  ['scp -t -- -a', { ...upload, path: '-a' }],
  ["scp -t '/srv/a b'", { ...upload, path: '/srv/a b' }],
  ['scp -t "/srv/a b"', { ...upload, path: '/srv/a b' }],
  ['scp -t /srv/a\\ b', { ...upload, path: '/srv/a b' }],
  ["scp -t '/srv/*'", { ...upload, path: '/srv/*' }],
  ["scp -t ''", { ...upload, path: '.', intoDirectory: true }],
  ['scp -t ~', { ...upload, path: './', intoDirectory: true }],
  ['scp -t ~/x', { ...upload, path: './x' }],
  ["scp -t '~/x'", { ...upload, path: '~/x' }],
  ['scp -f /srv/a', { ...download, path: '/srv/a' }],
  ['scp -f /srv/*.txt', { ...download, path: '/srv/*.txt', hasPattern: true }],
  ['scp -f straße.txt', { ...download, path: 'straße.txt' }],
])('%s', (line, call) => {
  expect(readScp(line)).toEqual(call)
})

it.each([
  'scp a b',
  'scp -t',
  'scp -t a b',
  'scp -t -f a',
  'scp -S evil -t a',
  'scp -tS evil',
  'scp -t $HOME',
  'scp -t "$HOME"',
  'scp -t `pwd`',
  'scp -t a; rm b',
  'scp -t a && rm b',
  'scp -t a | tee b',
  'scp -t a > b',
  'scp -t a\nrm b',
  'scp -t a # remark',
  'scp -t {a,b}',
  'scp -t ~ana/x',
  'scp -t *',
  'scp -f /srv/*/a',
  'scp -t x=~/y',
  'X=1 scp -t a',
  'sudo scp -t a',
  'sc*p -t a',
  './scp -t a',
  "scp -t 'a",
  'scp -t a\\',
  '(scp -t a)',
  'scp -t !x',
  '',
])('%j stays a program like others', (line) => {
  expect(readScp(line)).toBeUndefined()
})
