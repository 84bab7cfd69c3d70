/** Compares two runs of a suite, file by file and byte by byte. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Comparison {
  readonly same: readonly string[]
  readonly different: readonly string[]
}

export async function compareResults(direct: string, through: string): Promise<Comparison> {
  const names = new Set([...(await resultsIn(direct)), ...(await resultsIn(through))])
  const same: string[] = []
  const different: string[] = []
  for (const name of [...names].sort()) {
    const [one, other] = await Promise.all([read(join(direct, name)), read(join(through, name))])
    if (one !== undefined && other !== undefined && one.equals(other)) same.push(name)
    else different.push(name)
  }
  return { same, different }
}

async function resultsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => /\.(out|trace|exit)$/.test(name))
}

async function read(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined)
}
