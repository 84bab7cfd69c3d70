import { expect, test } from 'vitest'
import type { Profile } from '../../../scripts/bench/profile/read.ts'
import { partOf, sharesOf } from '../../../scripts/bench/profile/shares.ts'

const dist = (file: string) => `file:///opt/hoop/dist/${file}`
const frame = (functionName: string, url = '') => ({ functionName, url })

test.each([
  ['read', dist('gateway/protocols/postgres/wire.js'), 'framing'],
  ['take', dist('gateway/protocols/wire/intake.js'), 'framing'],
  ['walk', dist('gateway/protocols/postgres/sql/walk.js'), 'parsing'],
  ['wasm-function[812]', 'wasm://wasm/003b8d1a', 'parsing'],
  ['decide', dist('gateway/policy/decide.js'), 'policy'],
  ['isSuspect', dist('gateway/policy/suspicion.js'), 'masks'],
  ['maskRow', dist('gateway/protocols/postgres/masking/rows.js'), 'masks'],
  ['seal', dist('contract/chain.js'), 'audit'],
  ['append', dist('gateway/store/trail.js'), 'audit'],
  ['clear', dist('gateway/checkpoint.js'), 'audit'],
  ['writeGeneric', 'node:internal/stream_base_commons', 'link and streams'],
  ['onSessionRead', 'node:internal/http2/core', 'link and streams'],
  ['overHttp2', dist('gateway/server/link.js'), 'link and streams'],
  ['(program)', '', 'syscalls and other native code'],
  ['writev', '', 'syscalls and other native code'],
  ['stringify', '', 'serialisation'],
  ['(garbage collector)', '', 'runtime and garbage collection'],
  ['now', 'node:internal/perf/performance', 'runtime and garbage collection'],
])('%s of %s is %s', (name, url, expected) => {
  expect(partOf(frame(name, url), [])).toBe(expected)
})

test('a native function belongs to whoever called it', () => {
  const callers = [frame('update', 'node:internal/crypto/hash'), frame('seal', dist('contract/chain.js'))]
  expect(partOf(frame('hash'), callers)).toBe('audit')
})

test('waiting is nobody’s work', () => {
  expect(partOf(frame('(idle)'), [])).toBeUndefined()
})

const profile: Profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 4] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('decide', dist('gateway/policy/decide.js')) },
    { id: 4, callFrame: frame('seal', dist('contract/chain.js')), children: [5] },
    { id: 5, callFrame: frame('hash') },
  ],
  startTime: 1_000_000,
  // At 1.1, 1.2, 1.3, 1.4 and 1.5 seconds.
  samples: [3, 2, 3, 5, 4],
  timeDeltas: [100_000, 100_000, 100_000, 100_000, 100_000],
}

test('shares are of what was not idle, within the span that was measured', () => {
  const shares = sharesOf([profile], { from: 1150, to: 1450 })
  expect(shares.get('policy')).toBe(0.5)
  expect(shares.get('audit')).toBe(0.5)
})

test('all threads count', () => {
  const shares = sharesOf([profile, { ...profile, samples: [4, 4, 4, 4, 4] }], { from: 0, to: 2000 })
  expect(shares.get('audit')).toBeCloseTo(7 / 9)
})

test('a profile of another time is an error, not a table of zeros', () => {
  expect(() => sharesOf([profile], { from: 9000, to: 9100 })).toThrow('nothing of the time')
})
