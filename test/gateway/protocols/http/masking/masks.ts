/** Masks for tests of answers over HTTP, compiled as the gateway compiles them. */

import type { Masks } from '../../../../../src/gateway/checkpoint.ts'
import type { DetectorName, MaskRule } from '../../../../../src/gateway/config/schema.ts'
import type { MaskStyle } from '../../../../../src/gateway/policy/masking.ts'
import { compileMasks } from '../../../../../src/gateway/policy/masks.ts'
import type { Subject } from '../../../../../src/gateway/policy/rules.ts'
import type { Passage } from '../../../../../src/gateway/protocols/http/masking/passage.ts'
import { cuts } from '../../../../support/chunks.ts'

const subject = {
  target: { name: 'billing-api', protocol: 'http', labels: {} },
  person: { user: 'ana@acme', subject: '1', groups: [] },
  agent: null,
} satisfies Subject

export function masksFor(rule: {
  readonly fields?: string[]
  readonly detectors?: DetectorName[]
  readonly style?: MaskStyle
}): Masks {
  const rules: MaskRule[] = [{ name: 'of-the-test', match: {}, style: 'redact', ...rule }]
  return compileMasks(rules, subject, Buffer.from('a key of the test'))
}

export const noMasks = compileMasks([], subject, Buffer.from('a key of the test'))
export const passwords = masksFor({ fields: ['password'] })
export const emails = masksFor({ detectors: ['email', 'card'] })
export const both = masksFor({ fields: ['password'], detectors: ['email', 'card'] })

export function through(passage: Passage, pieces: readonly Buffer[]): string {
  return Buffer.concat([...pieces.map((piece) => passage.push(piece)), passage.end()]).toString()
}

/** Of everything at once; and then of every cut. */
export function shownBy(make: () => Passage, input: string | Buffer): string {
  const bytes = Buffer.from(input)
  const whole = outcomeOf(make, [bytes])
  for (const pieces of cuts(bytes)) {
    const shown = outcomeOf(make, pieces)
    if (shown !== whole) throw new Error(`cut at ${pieces[0]?.length}, it is shown as ${shown}, and not as ${whole}`)
  }
  return whole
}

function outcomeOf(make: () => Passage, pieces: readonly Buffer[]): string {
  try {
    return through(make(), pieces)
  } catch (error) {
    return `withheld: ${error instanceof Error ? error.message : String(error)}`
  }
}
