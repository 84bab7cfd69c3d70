/** Compares two runs of a suite, file by file and byte by byte. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Comparison {
  readonly same: readonly string[]
  readonly different: readonly Difference[]
}

export interface Difference {
  readonly name: string
  /** The first lines that are not the same. */
  readonly diff: readonly string[]
}

const shownLines = 12

export async function compareResults(direct: string, through: string): Promise<Comparison> {
  const names = new Set([...(await resultsIn(direct)), ...(await resultsIn(through))])
  const same: string[] = []
  const different: Difference[] = []
  for (const name of [...names].sort()) {
    const paths = [join(direct, name), join(through, name)] as const
    const [one, other] = await Promise.all(paths.map(read))
    if (one !== undefined && other !== undefined && one.equals(other)) same.push(name)
    else if (one === undefined) different.push({ name, diff: ['only there through the door'] })
    else if (other === undefined) different.push({ name, diff: ['not there through the door'] })
    else different.push({ name, diff: await firstLines(...paths) })
  }
  return { same, different }
}

async function resultsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.out'))
}

async function read(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

async function firstLines(direct: string, through: string): Promise<string[]> {
  // diff ends with 1 when there is a difference, which here there always is.
  const text = await new Promise<string>((resolve) =>
    execFile('diff', ['-a', direct, through], { maxBuffer: 1 << 30 }, (_error, stdout) => resolve(stdout)),
  )
  const lines = text.trimEnd().split('\n')
  return lines.length <= shownLines
    ? lines
    : [...lines.slice(0, shownLines), `… ${lines.length - shownLines} lines more`]
}
