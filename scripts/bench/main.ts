/** `npm run bench`: hoop measured beside a direct connection. docs/performance.md says what and how; `--help` the rest. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { reasonOf } from '../../src/base/errors.ts'
import { styleFor } from '../../src/commands/output/style.ts'
import { type ApartSection, parseArguments, usage, type Wanted } from './arguments.ts'
import type { Results } from './figures.ts'
import { createProgress } from './progress.ts'
import { runHttpBench } from './http/run.ts'
import { isApart, withFigures } from './report/docs.ts'
import { jsonOf, readResults, writeResults } from './report/json.ts'
import { chart } from './report/svg.ts'
import { reportText } from './report/table.ts'
import { runBench } from './run.ts'
import { quickRun, wholeRun } from './settings.ts'
import { runSshBench } from './ssh/run.ts'

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

const apart = { ssh: runSshBench, http: runHttpBench } as const satisfies Record<ApartSection, unknown>

const wanted = parseArguments(process.argv.slice(2))
switch (wanted.kind) {
  case 'help':
    process.stdout.write(usage)
    break
  case 'mistake':
    console.error(`bench: ${wanted.sentence}`)
    process.exitCode = 2
    break
  default:
    process.exitCode = await main(wanted)
}

async function main(wish: Wanted): Promise<number> {
  const stop = new AbortController()
  const interrupted = new Error('stopped; nothing is left running')
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(interrupted))
  // Whatever goes wrong, what was started has to be stopped.
  process.on('uncaughtException', (error) => stop.abort(error))
  try {
    const results = wish.from === undefined ? await measured(wish, stop.signal) : await readResults(wish.from)
    process.stdout.write(wish.json ? jsonOf(results) : reportText(results, styleFor(process.stdout.isTTY, process.env)))
    if (wish.writeDocs) await writeDocs(results)
    return 0
  } catch (error) {
    const reason: unknown = stop.signal.aborted ? stop.signal.reason : error
    console.error(`bench: ${reasonOf(reason)}`)
    return reason === interrupted ? 130 : 1
  }
}

async function measured({ sections, quick, rounds }: Wanted, signal: AbortSignal): Promise<Results> {
  const usual = quick ? quickRun : wholeRun
  const given = { rounds: rounds ?? usual.rounds, progress: createProgress(process.stderr), signal }
  const results = await (hasWorldOfItsOwn(sections)
    ? apart[sections[0]]({ ...given, quick })
    : runBench({ ...given, sections, settings: { ...usual, rounds: given.rounds } }))
  const file = await writeResults(path('bench/results'), results)
  console.error(`the figures are in ${file}`)
  return results
}

function hasWorldOfItsOwn(sections: Wanted['sections']): sections is readonly [ApartSection] {
  return sections[0] === 'ssh' || sections[0] === 'http'
}

async function writeDocs(results: Results): Promise<void> {
  const page = path('docs/performance.md')
  await writeFile(page, withFigures(await readFile(page, 'utf8'), results))
  if (!isApart(results)) await writeFile(path('docs/performance.svg'), chart(results))
}
