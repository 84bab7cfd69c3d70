/**
 * PostgreSQL's own regression suite, its isolation tests and the traces of libpq_pipeline, run directly and through the
 * door with everything allowed: what the tests print must be the same, byte for byte. `npm run conformance:pg -- --help`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../src/demo/postgres.ts'
import { compareResults } from './conformance/compare.ts'
import { openConformanceDoor } from './conformance/door.ts'
import { prepareSource } from './conformance/source.ts'
import { runSuite, type Suite, suites } from './conformance/suites.ts'

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true, default: [...suites] },
    work: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`usage: npm run conformance:pg -- [--suite regress|isolation|pipeline]… [--work FOLDER] [--keep]

--work  where sources are built and results are kept (a build that is there is used again)
--keep  leave the results in the work folder`)
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const chosen = suites.filter((suite) => values.suite.includes(suite))
  const work = values.work === undefined ? await mkdtemp(join(tmpdir(), 'hoop-conformance-')) : resolve(values.work)
  await mkdir(work, { recursive: true })
  try {
    const source = await prepareSource(work, say)
    say(`PostgreSQL ${source.version}`)
    let failures = 0
    for (const suite of chosen) failures += await compareSuite(suite, work, source)
    return failures === 0 ? 0 : 1
  } finally {
    if (values.work === undefined && !values.keep) await rm(work, { recursive: true, force: true })
  }
}

async function compareSuite(
  suite: Suite,
  work: string,
  source: Awaited<ReturnType<typeof prepareSource>>,
): Promise<number> {
  const folders = { direct: join(work, `${suite}-direct`), through: join(work, `${suite}-through`) }
  for (const [way, folder] of Object.entries(folders)) {
    await rm(folder, { recursive: true, force: true })
    const server = await startPostgres({
      binaries: source.binaries,
      settings: { fsync: 'off', max_prepared_transactions: '2', max_connections: '200' },
    })
    try {
      const door = way === 'through' ? await openConformanceDoor(server) : undefined
      const began = performance.now()
      try {
        await runSuite(suite, source, door?.address ?? server, folder)
      } finally {
        await door?.close()
      }
      say(`${suite}, ${way}: ${((performance.now() - began) / 1000).toFixed(0)} s`)
    } finally {
      await server.stop()
    }
  }
  const { same, different } = await compareResults(join(folders.direct, 'results'), join(folders.through, 'results'))
  say(`${suite}: ${same.length} of ${same.length + different.length} results are the same, byte for byte`)
  for (const name of different) say(`  differs: ${name}`)
  await writeFile(join(work, `${suite}.json`), JSON.stringify({ suite, version: source.version, same, different }))
  return different.length
}

function say(line: string): void {
  console.log(line)
}
