import { expect, test } from 'vitest'
import { directLane, lanesOf, type Way } from '../../../scripts/bench/ways.ts'

const login = { user: 'u', database: 'd' }
const tcp = { ...login, kind: 'tcp', port: 1, password: undefined } as const
const link = { ...login, kind: 'link', gateway: 'http://127.0.0.1:1', token: 't', session: 's', target: 'pg' } as const
const direct: Way = { name: 'direct', reach: tcp, pids: {} }
const gateway: Way = { name: 'gateway', reach: link, pids: {} }
const cli: Way = { name: 'cli', reach: tcp, pids: {} }

const named = (ways: readonly Way[], hasPgbench: boolean) =>
  lanesOf(ways, hasPgbench).map(({ way, tool }) => `${way.name} ${tool}`)

test('what pgbench cannot reach is asked by the driver, with a direct way of its own', () => {
  expect(named([direct, gateway, cli], true)).toEqual([
    'direct pgbench',
    'direct driver',
    'gateway driver',
    'cli pgbench',
  ])
})

test('where pgbench reaches everything the driver has nothing to do', () => {
  expect(named([direct, cli], true)).toEqual(['direct pgbench', 'cli pgbench'])
})

test('without pgbench the driver asks everywhere', () => {
  expect(named([direct, gateway, cli], false)).toEqual(['direct driver', 'gateway driver', 'cli driver'])
})

test('each lane is compared with the direct one of the same tool', () => {
  const lanes = lanesOf([direct, gateway, cli], true)
  expect(directLane(lanes, { tool: 'driver' })).toBe(lanes[1])
  expect(directLane(lanes, { tool: 'pgbench' })).toBe(lanes[0])
  expect(() => directLane(lanesOf([gateway], true), { tool: 'driver' })).toThrow('nothing direct')
})
