import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Figure, Results } from '../../../scripts/bench/figures.ts'
import { begin, end, withFigures } from '../../../scripts/bench/report/docs.ts'
import { fileName, readResults, writeResults } from '../../../scripts/bench/report/json.ts'
import { written } from '../../../scripts/bench/report/rows.ts'
import { chart } from '../../../scripts/bench/report/svg.ts'
import { reportText } from '../../../scripts/bench/report/table.ts'
import { coloured, plain } from '../../../src/commands/output/style.ts'

const figure = (way: Figure['way'], measure: Figure['measure'], value: number, spread = 0): Figure => ({
  section: 'reads',
  what: 'prepared, 8 clients',
  way,
  tool: 'pgbench',
  measure,
  value,
  min: value - spread,
  max: value + spread,
  rounds: 5,
})

const results: Results = {
  date: '2026-03-01T10:20:30.456Z',
  commit: '4bcfda5c1e',
  machine: { cpu: 'Test CPU', cores: 2, memoryGb: 8, system: 'Linux 6.1' },
  versions: { hoop: '0.1.0', node: '24.0.0' },
  settings: { rounds: 5, quick: false, part: false },
  sections: ['reads'],
  notes: ['something to know'],
  seconds: 61,
  figures: [
    figure('direct', 'tps', 28_000),
    figure('cli', 'tps', 7000),
    figure('cli', 'ratio', 0.25),
    figure('gateway', 'ratio', 0.2, 0.05),
  ],
}

test('the table aligns its columns and puts targets beside their figures', () => {
  const lines = reportText(results, plain).split('\n')
  const heading = lines.find((line) => line.includes('tx/s')) ?? ''
  const cli = lines.find((line) => line.includes('CLI + gateway')) ?? ''
  expect(cli.indexOf('7000')).toBe(heading.indexOf('tx/s'))
  expect(cli.indexOf('0.25')).toBe(heading.indexOf('of direct'))
  expect(cli).toContain('of direct ≥ 0.22, aim 0.35 ✓')
  expect(lines.find((line) => line.includes('gateway only'))).toContain('of direct ≥ 0.3, aim 0.45 ✗')
  expect(lines.at(-2)).toBe('1 of 2 targets are met (✓), 0 as aimed at (✓✓); it took 61 s')
})

test('without colours there is no escape; with them a miss is red', () => {
  expect(reportText(results, plain)).not.toContain('\x1b')
  expect(reportText(results, coloured)).toContain('\x1b[31mof direct ≥ 0.3')
})

test('a spread is shown where it is wide', () => {
  expect(written({ value: 0.5, min: 0.49, max: 0.51, measure: 'ratio' })).toBe('0.50')
  expect(written({ value: 0.5, min: 0.4, max: 0.6, measure: 'ratio' })).toBe('0.50 (0.40–0.60)')
})

test('results are read as they were written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hoop-bench-results-'))
  try {
    expect(await readResults(await writeResults(folder, results))).toEqual(results)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a file’s name says when, of what, and how much of it', () => {
  expect(fileName(results)).toBe('2026-03-01T10-20-30Z-4bcfda5c1e.json')
  const settings = { quick: true, part: true }
  expect(fileName({ ...results, commit: 'abc+', settings })).toBe('2026-03-01T10-20-30Z-abc-changed-reads-quick.json')
})

test('figures go between the marks, again and again, and nothing else changes', () => {
  const page = `# Speed\n\n${begin}\n\nold\n\n${end}\n\nrest\n`
  const once = withFigures(page, results)
  expect(once).toContain('| reads, prepared, 8 clients | CLI + gateway | of direct | 0.25 | 0.22 | 0.35 | ✓ |')
  expect(once).not.toContain('old')
  expect(once.startsWith('# Speed\n')).toBe(true)
  expect(once.endsWith(`${end}\n\nrest\n`)).toBe(true)
  expect(withFigures(once, results)).toBe(once)
})

test.each([
  ['of some sections', { part: true }],
  ['of fewer rounds than five', { rounds: 4 }],
])('a run %s is not written into the docs', (_, how) => {
  const some = { ...results, settings: { ...results.settings, ...how } }
  expect(() => withFigures(`${begin}\n${end}`, some)).toThrow('all sections, in at least 5 rounds')
})

test('docs/performance.md has a place for them', async () => {
  const page = await readFile(new URL('../../../docs/performance.md', import.meta.url), 'utf8')
  for (const section of ['reads', 'ssh', 'http'] as const)
    expect(withFigures(page, { ...results, sections: [section] }), section).toContain('### Targets')
})

test('a page without the marks is left alone', () => {
  expect(() => withFigures('# Speed\n', results)).toThrow('no place for figures')
})

test('the chart shows each ratio, with its targets, on light and dark pages', () => {
  const svg = chart(results)
  expect(svg).toContain('CLI + gateway')
  expect(svg).toContain('>0.25<')
  expect(svg.match(/class="must" x1="\d+\.\d" x2/g)).toHaveLength(2)
  expect(svg).toContain('prefers-color-scheme: dark')
  expect(svg).not.toContain('NaN')
  expect(svg).not.toContain('undefined')
})

test('a longer bar is more', () => {
  const lengths = [...chart(results).matchAll(/<rect[^>]* width="([\d.]+)"/g)].map(([, length]) => Number(length))
  expect(lengths).toHaveLength(2)
  const [gateway = 0, cli = 0] = lengths
  expect(cli / gateway).toBeCloseTo(0.25 / 0.2, 2)
})

test('results without throughput have no chart', () => {
  expect(() => chart({ ...results, figures: [] })).toThrow('nothing that the chart shows')
})
