/**
 * PostgreSQL's own regression suite, its isolation tests and the traces of libpq_pipeline, run directly and through the
 * door with everything allowed: what the tests print must be the same, byte for byte. `npm run conformance:pg -- --help`.
 */
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startPostgres } from '../../src/demo/postgres.ts'
import { compareResults } from './compare.ts'
import { openDoor } from './door.ts'
import { prepareSource, type Source } from './source.ts'
import { runSuite, type Suite, suites, testsOf } from './suites.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: suites.join(',') },
    tests: { type: 'string' },
    cache: { type: 'string', default: fileURLToPath(new URL('../../.conformance', import.meta.url)) },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const tests = values.tests?.split(',')
const chosen = suites.filter((suite) => values.only.split(',').includes(suite))

if (values.help || chosen.length === 0) {
  console.log(`usage: npm run conformance:pg -- [--only ${suites.join(',')}] [--tests a,b,c] [--cache FOLDER] [--keep]

--only   which suites
--tests  only these tests of them (regress: test_setup runs before them)
--cache  where sources are fetched and built, once
--keep   leave what the runs wrote, and say where`)
  process.exitCode = values.help ? 0 : 2
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const cache = resolve(values.cache)
  await mkdir(cache, { recursive: true })
  const source = await prepareSource(cache, say)
  say(`PostgreSQL ${source.version}`)
  const plan = await planOf(source)
  if (plan === undefined) return 2
  // Not in the cache: the server runs as somebody else when we are root, and has to get there.
  const work = await mkdtemp(join(tmpdir(), 'hoop-conformance-'))
  await chmod(work, 0o755)
  try {
    let good = true
    for (const [suite, tests] of plan) good = (await compareSuite(suite, tests, work, source)) && good
    return good ? 0 : 1
  } finally {
    if (values.keep) say(`everything is in ${work}`)
    else await rm(work, { recursive: true, force: true })
  }
}

type Way = 'direct' | 'through'
/** undefined: all of them. */
type Tests = readonly string[] | undefined

/** Which tests of which suites; a name that none of them has is a mistake. */
async function planOf(source: Source): Promise<ReadonlyMap<Suite, Tests> | undefined> {
  const plan = new Map<Suite, Tests>()
  if (tests === undefined) return new Map(chosen.map((suite) => [suite, undefined]))
  const unknown = new Set(tests)
  for (const suite of chosen) {
    const known = await testsOf(suite, source)
    const own = tests.filter((test) => known.includes(test))
    if (own.length > 0) plan.set(suite, own)
    for (const test of own) unknown.delete(test)
  }
  if (unknown.size === 0) return plan
  console.error(`no such test in ${chosen.join(', ')}: ${[...unknown].join(', ')}`)
  return undefined
}

/** Says how the two runs compare; true when they are the same. */
async function compareSuite(suite: Suite, tests: Tests, work: string, source: Source): Promise<boolean> {
  const direct = await run({ suite, tests, way: 'direct' }, work, source)
  const through = await run({ suite, tests, way: 'through' }, work, source)
  const { same, different } = await compareResults(join(direct.output, 'results'), join(through.output, 'results'))
  say(`${suite}: ${same.length} of ${same.length + different.length} results are the same, byte for byte`)
  say(`  time: ${direct.seconds} s directly, ${through.seconds} s through the door`)
  // What fails already without hoop says nothing about hoop, unless it fails in the same way.
  if (direct.failed.length > 0) say(`  fail directly, by PostgreSQL's own judgement: ${direct.failed.join(', ')}`)
  const worse = through.failed.filter((test) => !direct.failed.includes(test))
  if (worse.length > 0) say(`  fail through the door only: ${worse.join(', ')}`)
  for (const { name, diff } of different) say([`  differs: ${name}`, ...diff].join('\n      '))
  // No results at all prove nothing.
  return different.length === 0 && worse.length === 0 && same.length > 0
}

async function run({ suite, tests, way }: { suite: Suite; tests: Tests; way: Way }, work: string, source: Source) {
  // The same folder for both ways: its path is in what the tests print.
  const folder = join(work, 'run')
  const server = await startPostgres({
    binaries: source.binaries,
    settings: { fsync: 'off', max_prepared_transactions: '2', max_connections: '200' },
  })
  try {
    const door = way === 'through' ? await openDoor(server, join(work, `${suite}-door.log`)) : undefined
    const began = performance.now()
    try {
      const failed = await runSuite({ suite, source, address: door?.address ?? server, output: folder, tests })
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      const output = join(work, `${suite}-${way}`)
      await rename(folder, output)
      return { failed, seconds, output }
    } finally {
      await door?.close()
    }
  } finally {
    await server.stop()
  }
}

function say(line: string): void {
  console.log(line)
}
