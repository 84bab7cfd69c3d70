/** Whatever somebody types: an answer, in time, and the worst one where it is not understood. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createShellReader, type ShellReader } from '../../../../src/gateway/protocols/shell/reader.ts'
import { lines } from './lines.ts'

let reader: ShellReader

beforeAll(async () => {
  reader = await createShellReader({ maxBytes: 16 * 1024 * 1024 })
})

/** The same numbers every time: a failure can be looked at again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pieces =
  `rm|ls|x|-rf|/|*|$|$(|)|\`|"|'|\\|{|}|[|]|[[|]]|((|))|<|>|<<|<<<|>>|&|&&|||;|;;| |\n|\t|#|!|=|a=|~|if|then|fi|for|in|do|done|case|esac|f()|\${|:-|@P|<(|é|\u0000|\ufffd|sh -c|find . -exec|xargs|sudo|eval|-c|E`
    .split('|')
    .concat('|')

describe('whatever is typed', () => {
  it('gets an answer that is consistent', () => {
    const random = createRandom(4)
    for (let round = 0; round < 4000; round += 1) {
      const line = Array.from({ length: 1 + random(14) }, () => pieces[random(pieces.length)]).join('')
      const { actions, facts } = reader.read(line)
      expect(actions.length).toBeGreaterThan(0)
      if (!facts.parsed)
        expect({ line, kind: facts.kind, dynamic: facts.dynamic }).toEqual({ line, kind: 'admin', dynamic: true })
      if (facts.unbounded) expect(actions.some(({ unbounded }) => unbounded)).toBe(true)
    }
  })

  it('never hides a program by a cut: a known line that is broken anywhere still shows what runs, or is not understood', () => {
    for (const { line } of lines)
      for (let at = 0; at <= line.length; at += 1) {
        const { actions, facts } = reader.read(`${line.slice(0, at)}\nrm x\n${line.slice(at)}`)
        const seen = actions.some(({ verb }) => verb === 'exec rm')
        // Within quotes, a comment or a here-document, or behind a backslash, it is text, and nothing runs.
        const text = /['"\\#]|<</.test(line)
        expect({ line, at, safe: seen || text || facts.dynamic || !facts.parsed }).toEqual({ line, at, safe: true })
      }
  })

  it.each([
    ['brackets', '$('.repeat(20_000)],
    ['closed brackets', `${'$('.repeat(5000)}ls${')'.repeat(5000)}`],
    ['backquotes', '`'.repeat(30_001)],
    ['groups', '{ '.repeat(30_000)],
    ['arithmetic', '(('.repeat(20_000)],
    ['statements', 'a;'.repeat(60_000)],
    ['pipes', `${'a|'.repeat(60_000)}b`],
    ['here-documents', '<<a '.repeat(20_000)],
    ['negations', `${'! '.repeat(60_000)}a`],
    ['parameters', '${a'.repeat(40_000)],
    ['functions', `${'f()'.repeat(30_000)}{ a; }`],
    ['quotes', `${'"$('.repeat(10_000)}`],
    ['tests', '[[ '.repeat(20_000)],
    ['shells', 'sh -c '.repeat(10_000)],
    ['wrappers', `${'sudo '.repeat(20_000)}ls`],
    ['finds', 'find . -exec '.repeat(8000)],
    ['globs', '*?[a]{b,c}'.repeat(10_000)],
    ['evals', `eval ${'"'.repeat(100)}`],
    ['scripts', `${"sh -c '".repeat(5)}rm${"'".repeat(5)}`],
    ['megabytes', 'x'.repeat(8 * 1024 * 1024)],
  ])('takes its time within a bound: %s', (_, line) => {
    const began = performance.now()
    const { facts } = reader.read(line)
    expect(performance.now() - began).toBeLessThan(5000)
    // And is as good as new afterwards.
    expect(reader.read('ls -l').facts).toMatchObject({ parsed: true, kind: 'read' })
    expect(facts.kind).toBe('admin')
  })
})
