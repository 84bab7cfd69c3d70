import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { configFor, doorNames } from '../../../scripts/bench/configs.ts'
import { sampleConfig } from '../../../src/demo/sample-config.ts'
import { readConfig } from '../../../src/gateway/config/load.ts'
import { abilities } from '../../../src/gateway/protocols/registry.ts'

const demo = {
  port: 0,
  provider: { issuer: 'http://127.0.0.1:1', clientId: 'cli', audience: 'hoop' },
  server: { host: '127.0.0.1', port: 2 },
  passwordFile: '/nowhere/password',
  store: '/nowhere/hoop.db',
}

test.each(doorNames)('the gateway takes the configuration "%s"', async (door) => {
  const folder = await mkdtemp(join(tmpdir(), 'hoop-bench-config-'))
  try {
    const file = join(folder, 'hoop.yaml')
    await writeFile(file, configFor(door, demo))
    const reading = await readConfig(file, abilities)
    expect('mistakes' in reading ? reading.mistakes : []).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the demo is measured as it is, with room for more connections', () => {
  expect(parse(configFor('demo', demo))).toEqual({ ...parse(sampleConfig(demo)), limits: { connections: 10_000 } })
})

test('200 rules are 200, and the demo’s are the last of them', () => {
  const { rules } = parse(configFor('rules', demo))
  expect(rules).toHaveLength(200)
  expect(rules.at(-1)).toEqual(parse(sampleConfig(demo)).rules.at(-1))
})
