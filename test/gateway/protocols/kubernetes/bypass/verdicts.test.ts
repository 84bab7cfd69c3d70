/** Every attempt of the corpus, judged. */
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../../src/base/clock.ts'
import { createDialect } from '../../../../../src/gateway/protocols/kubernetes/dialect.ts'
import { createSecondTries } from '../../../../../src/gateway/protocols/kubernetes/second-try.ts'
import { createShellReader, type ShellReader } from '../../../../../src/gateway/protocols/shell/reader.ts'
import { credentialOf } from '../../../../support/credentials.ts'
import { permitFor } from '../../../../support/permits.ts'
import { targetAt } from '../door.ts'
import { requestFor } from '../requests.ts'
import { type Attempt, attempts, honest, type Verdict } from './corpus.ts'
import { careful, judgeUnder, trusting } from './rules.ts'

let shell: ShellReader
beforeAll(async () => {
  shell = await createShellReader({ maxBytes: 1024 * 1024 })
})

const target = targetAt(1)

function verdict(rules: readonly unknown[], { line, body, type, fields, upgrade }: Attempt): Verdict {
  const dialect = createDialect({
    shell,
    clock: systemClock,
    secondTries: createSecondTries(),
    target,
    bearer: credentialOf(undefined).bearer,
    preview: () => ({ verdict: 'allow', rule: null, reason: '', config: '' }),
  })
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  const request = requestFor(line, bytes, {
    ...(type === undefined ? {} : { type }),
    ...(fields === undefined ? {} : { fields }),
    ...(upgrade === undefined ? {} : { upgrade }),
  })
  if (dialect.unsendable(request, target) !== undefined) return 'deny'
  const command = dialect.command(request, target)
  const said = judgeUnder(rules)(command).decision.verdict
  const isForbidden = upgrade !== undefined && dialect.unupgradable({ request, command, permit: permitFor('cmd') })
  return said === 'allow' && isForbidden ? 'deny' : said
}

const titled = [...honest, ...attempts].map((attempt) => {
  const { line, type = '', fields = [] } = attempt
  return { ...attempt, title: `${line} ${type} ${fields.flat().join(' ')}`.trim() }
})

describe('what is judged', () => {
  it.each(titled)('$title: $verdict', (attempt) => {
    expect(verdict(careful, attempt)).toBe(attempt.verdict)
  })

  it.each(titled)('$title: where all is free', (attempt) => {
    expect(verdict(trusting, attempt)).toBe(attempt.trusting ?? 'allow')
  })

  it('holds at least sixty attempts', () => {
    expect(attempts.length).toBeGreaterThanOrEqual(60)
  })
})
