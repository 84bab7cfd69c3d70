/** The results file: written whole or not at all, read with its schema. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Results, resultsSchema } from '../figures.ts'

/** Gives back where it is. */
export async function writeResults(folder: string, results: Results): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, fileName(results))
  await writeFile(`${path}.tmp`, jsonOf(results))
  await rename(`${path}.tmp`, path)
  return path
}

export function jsonOf(results: Results): string {
  return `${JSON.stringify(results, null, 2)}\n`
}

export async function readResults(path: string): Promise<Results> {
  return resultsSchema.parse(JSON.parse(await readFile(path, 'utf8')))
}

/** When, what, and how much of it: `2026-03-01T10-20-30Z-4bcfda5c1e.json`, `…-quick.json`, `…-reads-latency.json`. */
export function fileName({ date, commit, settings, sections }: Results): string {
  const when = date.replace(/\.\d+Z$/, 'Z').replaceAll(':', '-')
  const some = settings.part === true ? sections : []
  const extent = [...some, ...(settings.quick === true ? ['quick'] : [])]
  return `${[when, commit?.replace('+', '-changed') ?? 'no-commit', ...extent].join('-')}.json`
}
