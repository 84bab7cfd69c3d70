/**
 * PostgreSQL's own tests, from the source package of the server version that is installed. Debian and its like only:
 * the package archives come from the machine's own apt sources. Only what the tests need is built.
 */
import { execFile, spawn } from 'node:child_process'
import { access, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Source {
  /** `15.18`. */
  readonly version: string
  /** Folder with src/test/regress and its friends, built. */
  readonly folder: string
  /** Folder with psql, initdb and postgres of this version. */
  readonly binaries: string
}

export async function prepareSource(work: string, say: (line: string) => void): Promise<Source> {
  const { major, version, debian } = await installedServer()
  const binaries = `/usr/lib/postgresql/${major}/bin`
  await access(join(binaries, 'postgres'))
  const folder = join(work, `postgresql-${major}-${version}`)
  if (!(await exists(join(folder, '.built')))) {
    if (!(await exists(join(folder, 'configure')))) {
      say(`fetching the source of postgresql-${major} ${debian}`)
      await fetchSource(work, `postgresql-${major}=${debian}`)
    }
    say('building src/test/regress, isolation and libpq_pipeline')
    await build(folder)
    await writeFile(join(folder, '.built'), '')
  }
  return { version, folder, binaries }
}

async function installedServer(): Promise<{ major: string; version: string; debian: string }> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders.
  const { stdout } = await run('dpkg-query', ['-W', '-f', '${Package} ${Version}\n', 'postgresql-*']).catch(() => {
    throw new Error('this needs Debian (or Ubuntu) with a PostgreSQL server package: dpkg-query knows none')
  })
  const [, major, debian] =
    stdout
      .split('\n')
      .map((line) => line.match(/^postgresql-(\d+) (\S+)$/))
      .findLast((match) => match !== null) ?? []
  const version = debian?.match(/^(\d+\.\d+)/)?.[1]
  if (major === undefined || debian === undefined || version === undefined)
    throw new Error('no PostgreSQL server package is installed: apt-get install postgresql')
  return { major, version, debian }
}

/** apt's own lists have no source packages unless deb-src is switched on; these lists of ours do, and touch nothing. */
async function fetchSource(work: string, name: string): Promise<void> {
  const apt = join(work, 'apt')
  const parts = join(apt, 'sources')
  for (const folder of ['sources', 'lists/partial', 'cache/archives/partial'])
    await mkdir(join(apt, folder), { recursive: true })
  // What else lies there apt does not read either.
  const extra = (await filesIn('/etc/apt/sources.list.d')).filter((file) => /\.(list|sources)$/.test(file))
  const lists = ['/etc/apt/sources.list', ...extra]
  for (const [index, file] of lists.entries()) {
    const text = await readFile(file, 'utf8').catch(() => '')
    const sources = text.replaceAll(/^Types:.*$/gm, 'Types: deb-src').replaceAll(/^deb(?=[\s[])/gm, 'deb-src')
    const extension = file.endsWith('.sources') ? 'sources' : 'list'
    if (sources.trim() !== '') await writeFile(join(parts, `${index}.${extension}`), sources)
  }
  const options = [
    ['Dir::Etc::SourceList', '/dev/null'],
    ['Dir::Etc::SourceParts', parts],
    ['Dir::State::lists', join(apt, 'lists')],
    ['Dir::Cache', join(apt, 'cache')],
    ['APT::Sandbox::User', 'root'],
  ].flatMap(([key, value]) => ['-o', `${key}=${value}`])
  // Archives of others may offer no sources: that is no reason to stop.
  await run('apt-get', [...options, 'update'], { cwd: work }).catch(() => undefined)
  await run('apt-get', [...options, 'source', name], { cwd: work, maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: unknown) => {
      throw new Error(`apt-get source ${name} failed: does it reach an archive, and is dpkg-dev installed?`, {
        cause: error,
      })
    },
  )
}

async function build(folder: string): Promise<void> {
  const log = join(folder, 'conformance-build.log')
  await shell(folder, log, './configure --without-readline --without-zlib --without-icu')
  await shell(folder, log, 'make -s -C src/backend generated-headers')
  for (const part of [
    'src/port',
    'src/common',
    'src/interfaces/libpq',
    'src/test/regress',
    'contrib/spi',
    'src/test/isolation',
    'src/test/modules/libpq_pipeline',
  ]) {
    await shell(folder, log, `make -s -C ${part}`)
  }
  for (const library of ['autoinc.so', 'refint.so'])
    await copyFile(join(folder, 'contrib/spi', library), join(folder, 'src/test/regress', library))
}

async function shell(folder: string, log: string, command: string): Promise<void> {
  const child = spawn('sh', ['-c', `${command} >>"${log}" 2>&1`], { cwd: folder, stdio: 'ignore' })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`"${command}" failed: see ${log}`)
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).map((name) => join(folder, name))
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
