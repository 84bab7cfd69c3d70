import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { variables } from '../src/commands/help.ts'
import { errorCodes, exitCodes } from '../src/contract/error-codes.ts'

const page = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8')

test('docs/errors.md lists every error code as the table has it, and no other', () => {
  const listed = page('errors.md')
    .split('\n')
    .filter((line) => /^\| `/.test(line))
  const expected = Object.entries(errorCodes).map(
    ([name, { exit, http, meaning }]) => `| \`${name}\` | ${exitCodes[exit]} | ${http} | ${meaning} |`,
  )
  expect(listed).toEqual(expected)
})

test('docs/errors.md lists every exit code', () => {
  const listed = [...page('errors.md').matchAll(/^\| (\d) \|/gm)].map(([, code]) => Number(code))
  expect(listed).toEqual(Object.values(exitCodes))
})

test('every HOOP_ variable that the guides name is one that hoop reads', () => {
  const named = new Set(`${page('cli.md')}${page('agents.md')}${page('ssh.md')}`.match(/\bHOOP_[A-Z_]+\b/g))
  // Given to programs by "hoop connect", not read.
  for (const given of ['HOOP_SSH_CONFIG', 'HOOP_URL_', 'HOOP_URL_PG_PROD']) named.delete(given)
  expect([...named].filter((name) => !(name in variables))).toEqual([])
})
