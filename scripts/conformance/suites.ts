/** PostgreSQL's test suites, run against an address; what they leave is a folder of results. */
import { spawn } from 'node:child_process'
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Source } from './source.ts'

export interface Address {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

export const suites = ['regress', 'isolation', 'pipeline'] as const
export type Suite = (typeof suites)[number]

/** Runs a suite; results are below `output`. A test that fails is no error here: the comparison decides. */
export async function runSuite(suite: Suite, source: Source, address: Address, output: string): Promise<void> {
  await mkdir(output, { recursive: true })
  // Tests let the server write there, which runs as somebody else.
  await chmod(output, 0o777)
  if (suite === 'pipeline') return runPipeline(source, address, output)
  const folder = join(source.folder, 'src/test', suite)
  const program = suite === 'regress' ? 'pg_regress' : 'pg_isolation_regress'
  const schedule = suite === 'regress' ? 'parallel_schedule' : 'isolation_schedule'
  // The server reads the inputs by itself: a copy beside the results, for whoever it runs as.
  const input = join(output, 'input')
  await cp(folder, input, { recursive: true })
  await mkdir(join(output, 'results'), { recursive: true })
  await chmod(join(output, 'results'), 0o777)
  await runProgram(
    join(folder, program),
    [
      `--inputdir=${input}`,
      `--outputdir=${output}`,
      `--bindir=${source.binaries}`,
      `--dlpath=${join(source.folder, 'src/test/regress')}`,
      `--schedule=${join(input, schedule)}`,
      `--host=${address.host}`,
      `--port=${address.port}`,
      `--user=${address.user}`,
      '--dbname=regression',
      '--max-concurrent-tests=20',
    ],
    { cwd: suite === 'isolation' ? folder : input, address, log: join(output, 'suite.log') },
  )
}

/** Each test of libpq_pipeline with its trace: every message on the wire, in order, without times. */
async function runPipeline(source: Source, address: Address, output: string): Promise<void> {
  const program = join(source.folder, 'src/test/modules/libpq_pipeline/libpq_pipeline')
  const listed = join(output, 'tests.txt')
  await runProgram(program, ['tests'], { cwd: output, address, log: listed })
  const results = join(output, 'results')
  await mkdir(results, { recursive: true })
  const connection = `host=${address.host} port=${address.port} user=${address.user} dbname=postgres`
  for (const name of (await readFile(listed, 'utf8')).split('\n').filter(Boolean)) {
    const trace = join(results, `${name}.trace`)
    const code = await runProgram(
      program,
      ['-r', '700', '-t', trace, name, `${connection} max_protocol_version=3.0`.replace(/ max_.*/, '')],
      {
        cwd: output,
        address,
        log: join(results, `${name}.out`),
      },
    )
    await writeFile(join(results, `${name}.exit`), `${code}\n`)
  }
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
