import { expect, test } from 'vitest'
import { createPaths } from '../../src/base/paths.ts'

test('follows the XDG variables', () => {
  const env = { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_CACHE_HOME: '/k' }
  expect(createPaths(env, '/home/ana')).toEqual({ config: '/c/hoop', state: '/s/hoop', cache: '/k/hoop' })
})

test('uses the usual folders without them, and where they are relative', () => {
  expect(createPaths({ XDG_STATE_HOME: 'relative' }, '/home/ana')).toEqual({
    config: '/home/ana/.config/hoop',
    state: '/home/ana/.local/state/hoop',
    cache: '/home/ana/.cache/hoop',
  })
})
