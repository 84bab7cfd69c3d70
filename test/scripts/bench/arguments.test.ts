import { expect, test } from 'vitest'
import { parseArguments, sectionNames, usage, usualSections } from '../../../scripts/bench/arguments.ts'

test('without words everything is measured', () => {
  expect(parseArguments([])).toEqual({
    kind: 'run',
    sections: usualSections,
    quick: false,
    rounds: undefined,
    json: false,
    writeDocs: false,
    from: undefined,
  })
})

test('names of sections choose them, in their own order', () => {
  expect(parseArguments(['latency', 'reads', '--json', '--quick'])).toMatchObject({
    sections: ['reads', 'latency'],
    json: true,
    quick: true,
  })
})

test.each([
  [['speed'], 'there is no section "speed"'],
  [['--fast'], "Unknown option '--fast'"],
  [['--quick', '--write-docs'], '--write-docs needs all sections'],
  [['reads', '--write-docs'], '--write-docs needs all sections'],
  [['reads', '--from', 'x.json'], '--from shows a run as it was'],
  [['ssh', 'reads'], 'ssh is measured by itself'],
  [['http', 'ssh'], 'is measured by itself'],
  [['--rounds', '0'], '--rounds takes a whole number from 1 on'],
  [['--quick', '--rounds', '4', '--write-docs'], '--write-docs needs all sections in at least 5 rounds'],
  [['--from'], "Option '--from <value>' argument missing"],
])('%j is a mistake, said in one sentence', (words, expected) => {
  const parsed = parseArguments(words)
  expect(parsed.kind).toBe('mistake')
  const sentence = parsed.kind === 'mistake' ? parsed.sentence : ''
  expect(sentence).toContain(expected)
  expect(sentence).not.toContain('\n')
})

test('figures of an earlier run can be written into the docs', () => {
  expect(parseArguments(['--from', 'x.json', '--write-docs'])).toMatchObject({ from: 'x.json', writeDocs: true })
})

test.each(['ssh', 'http'])('%s has a run and a table of its own', (name) => {
  expect(parseArguments([name, '--write-docs'])).toMatchObject({ kind: 'run', sections: [name], writeDocs: true })
})

test('--help wins', () => {
  expect(parseArguments(['--help', '--quick'])).toEqual({ kind: 'help' })
})

test('the usage names every section', () => {
  for (const name of sectionNames) expect(usage).toContain(name)
})
