import { expect, it } from 'vitest'
import { Line } from '../../../../../src/gateway/protocols/ssh/sftp/line.ts'

function createLine() {
  const line = new Line()
  const gone: string[] = []
  return {
    line,
    gone,
    join(name: string, ...paths: string[]) {
      const place = line.join(paths, 10)
      return { ...place, ready: () => place.ready(() => gone.push(name)) }
    },
  }
}

it('lets nobody go before those in front, whoever is ready first', () => {
  const { join, gone, line } = createLine()
  const [one, two, three] = [join('one', '/a'), join('two', '/b'), join('three', '/c')]
  three.ready()
  two.ready()
  expect(gone).toEqual([])
  expect(line.bytes).toBe(30)
  one.ready()
  expect(gone).toEqual(['one', 'two', 'three'])
  expect(line.bytes).toBe(0)
})

it('goes on when one leaves', () => {
  const { join, gone } = createLine()
  const [one, two] = [join('one', '/a'), join('two', '/a')]
  two.ready()
  one.leave()
  expect(gone).toEqual(['two'])
})

it.each([
  ['another file', '/srv/b', true],
  ['a file whose name begins alike', '/srv/ab', true],
  ['the same file', '/srv/a', false],
  ['a file inside', '/srv/a/b', false],
  ['the directory around', '/srv', false],
  ['everything', '/', false],
])('past one that is held for /srv/a goes %s: %s %s', (_what, path, passes) => {
  const { join, gone } = createLine()
  const held = join('held', '/srv/a')
  join('next', path).ready()
  held.hold()
  expect(gone).toEqual(passes ? ['next'] : [])
  held.ready()
  expect(gone).toEqual(passes ? ['next', 'held'] : ['held', 'next'])
})

it('keeps behind a held one also what waits behind such', () => {
  const { join, gone } = createLine()
  const held = join('held', '/a')
  held.hold()
  join('rename', '/a', '/b').ready()
  join('read', '/b').ready()
  join('other', '/c').ready()
  expect(gone).toEqual(['other'])
  held.leave()
  expect(gone).toEqual(['other', 'rename', 'read'])
})

it('lets nobody pass one that is only being cleared, also behind a held one', () => {
  const { join, gone } = createLine()
  join('held', '/a').hold()
  const clearing = join('clearing', '/b')
  join('next', '/c').ready()
  expect(gone).toEqual([])
  clearing.ready()
  expect(gone).toEqual(['clearing', 'next'])
})
