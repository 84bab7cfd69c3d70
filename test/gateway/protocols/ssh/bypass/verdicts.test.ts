/** Every attempt of the corpus, judged; and run in a shell as well, so that each is known to be what it is taken for. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { execCommand } from '../../../../../src/gateway/protocols/ssh/commands.ts'
import { createShellReader, type ShellReader } from '../../../../../src/gateway/protocols/shell/reader.ts'
import { type Attempt, attempts, honest, placed, type Verdict } from './corpus.ts'
import { careful, judgeUnder, trusting } from './rules.ts'

let reader: ShellReader

beforeAll(async () => {
  reader = await createShellReader({ maxBytes: 1024 * 1024 })
})

function verdict(rules: readonly unknown[], line: string): Verdict {
  return judgeUnder(rules)(execCommand(line, reader)).decision.verdict
}

const all = [...honest, ...attempts]
const titled = all.map((attempt) => ({ ...attempt, title: JSON.stringify(attempt.line) }))

describe('what is judged', () => {
  it.each(titled)('$title: $verdict where only reading is free', ({ line, verdict: expected }) => {
    expect(verdict(careful, placed(line, '/srv/data'))).toBe(expected)
  })

  it.each(titled)('$title: $trusting where all is free but some programs', ({ line, trusting: expected }) => {
    expect(verdict(trusting, placed(line, '/srv/data'))).toBe(expected)
  })

  it('holds at least sixty attempts', () => {
    expect(attempts.length).toBeGreaterThanOrEqual(60)
  })
})

function become(attempt: Attempt): Attempt['victim'] {
  const dir = mkdtempSync(join(tmpdir(), 'hoop-bypass-'))
  const victim = join(dir, 'victim')
  try {
    writeFileSync(victim, 'precious\n')
    // A shell that waits for more shall not wait for ever.
    spawnSync('bash', ['-c', placed(attempt.line, dir)], {
      cwd: dir,
      input: '',
      timeout: 5000,
      env: { PATH: process.env.PATH },
    })
    if (!existsSync(victim)) return 'vanishes'
    return readFileSync(victim, 'utf8') === 'precious\n' ? 'stays' : 'changes'
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

describe('what is run in bash', () => {
  it.each(titled.filter(({ shell }) => shell !== 'other'))('$title: the victim $victim', (attempt) => {
    expect(become(attempt)).toBe(attempt.victim)
  })
})
