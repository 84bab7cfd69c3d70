/** PostgreSQL's test suites, run against an address; what they leave is a folder of results. */
import { execFile, spawn } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Source } from './source.ts'

const run = promisify(execFile)

export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export const suites = ['regress', 'isolation', 'pipeline'] as const
export type Suite = (typeof suites)[number]

/** The names of all its tests. */
export async function testsOf(suite: Suite, source: Source): Promise<readonly string[]> {
  if (suite === 'pipeline') return (await run(pipelineProgram(source), ['tests'])).stdout.split('\n').filter(Boolean)
  const [folder, extension] = suite === 'regress' ? ['sql', '.sql'] : ['specs', '.spec']
  const files = await readdir(join(source.folder, 'src/test', suite, folder))
  return files.filter((file) => file.endsWith(extension)).map((file) => file.slice(0, -extension.length))
}

export interface SuiteRun {
  readonly suite: Suite
  readonly source: Source
  readonly address: Address
  /** Has `results` and `suite.log` afterwards. */
  readonly output: string
  /** Only these tests, in this order. */
  readonly tests: readonly string[] | undefined
}

/**
 * Runs a suite; results are in `output`/results. A test that fails is no error here: the comparison decides.
 * Resolves to the names of the tests that PostgreSQL itself calls failed.
 */
export async function runSuite(suiteRun: SuiteRun): Promise<readonly string[]> {
  const { suite, output } = suiteRun
  const results = join(output, 'results')
  await mkdir(results, { recursive: true })
  // Tests let the server write there, which may run as somebody else.
  for (const folder of [output, results]) await chmod(folder, 0o777)
  return suite === 'pipeline' ? runPipeline(suiteRun, results) : runSchedule(suiteRun)
}

async function runSchedule({ suite, source, address, output, tests }: SuiteRun): Promise<readonly string[]> {
  const built = join(source.folder, 'src/test')
  const program = suite === 'regress' ? 'pg_regress' : 'pg_isolation_regress'
  const schedule = suite === 'regress' ? 'parallel_schedule' : 'isolation_schedule'
  // The server reads inputs and loads libraries by itself: a copy beside the results, for whoever it runs as.
  const input = join(output, 'input')
  await cp(join(built, suite), input, { recursive: true })
  // What most tests of this suite build on.
  const first = suite === 'regress' && tests !== undefined && !tests.includes('test_setup') ? ['test_setup'] : []
  const log = join(output, 'suite.log')
  await runProgram(
    join(built, suite, program),
    [
      `--inputdir=${input}`,
      `--outputdir=${output}`,
      `--bindir=${source.binaries}`,
      `--dlpath=${input}`,
      `--host=${address.host}`,
      `--port=${address.port}`,
      `--user=${address.user}`,
      `--dbname=${suite === 'regress' ? 'regression' : 'isolation_regression'}`,
      '--max-connections=20',
      ...(tests === undefined ? [`--schedule=${join(input, schedule)}`] : [...first, ...tests]),
    ],
    { cwd: input, address, log },
  )
  const said = await readFile(log, 'utf8')
  if (!/^test \S+ +\.\.\. |^ {5}\S+ +\.\.\. /m.test(said))
    throw new Error(`${program} ran no test: ${said.slice(-2000)}`)
  return [...said.matchAll(/^(?:test| {4}) (\S+) +\.\.\. FAILED/gm)].map(([, name = '']) => name)
}

/**
 * These two send without waiting for answers, and PostgreSQL's own run leaves their traces alone. Of the first only the order
 * within each direction is certain; the second sends as many rows as happen to fit into the buffers on the way.
 */
const unordered = { pipelined_insert: byDirection, uniqviol: kindsOfLines } as const

/** Each test of libpq_pipeline with its trace: every message on the wire, in order, without times. */
async function runPipeline({ source, address, output, tests }: SuiteRun, results: string): Promise<readonly string[]> {
  const program = pipelineProgram(source)
  const connection = `host=${address.host} port=${address.port} user=${address.user} dbname=postgres`
  const failed: string[] = []
  for (const name of tests ?? (await testsOf('pipeline', source))) {
    const trace = join(results, `${name}.trace.out`)
    const log = join(output, `${name}.log`)
    const code = await runProgram(program, ['-r', '700', '-t', trace, name, connection], { cwd: output, address, log })
    if (code !== 0) failed.push(name)
    const certain = isUnordered(name) ? unordered[name] : undefined
    if (certain !== undefined) await writeFile(trace, certain(await readFile(trace, 'utf8')))
    else await cp(log, join(results, `${name}.out`))
  }
  return failed
}

function pipelineProgram({ folder }: Source): string {
  return join(folder, 'src/test/modules/libpq_pipeline/libpq_pipeline')
}

function isUnordered(name: string): name is keyof typeof unordered {
  return Object.hasOwn(unordered, name)
}

function byDirection(trace: string): string {
  const lines = trace.split('\n')
  return [...lines.filter((line) => line.startsWith('F')), ...lines.filter((line) => !line.startsWith('F'))].join('\n')
}

function kindsOfLines(trace: string): string {
  return [...new Set(trace.split('\n').map((line) => line.replaceAll(/\d+/g, 'N')))].sort().join('\n')
}

interface Where {
  readonly cwd: string
  readonly address: Address
  readonly log: string
}

async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, address, log }: Where,
): Promise<number | null> {
  const child = spawn(program, args, {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      PGPASSWORD: address.password,
      PGSSLMODE: 'disable',
      PGGSSENCMODE: 'disable',
      LC_ALL: 'C',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  await writeFile(log, Buffer.concat(said))
  return code
}
