/** The rules that the attempts of corpus.ts are made against. */
import type { Command } from '../../../../../src/contract/command.ts'
import { compilePolicy, type Judgement, judgeFor } from '../../../../../src/gateway/policy/decide.ts'
import { config, person, target } from '../../../../support/commands.ts'

const forbidden = ['exec rm', 'exec dd', 'exec shred', 'exec mkfs', 'exec reboot']

const never = [
  { name: 'never', effect: 'deny', match: { verbs: forbidden } },
  { name: 'cannot-be-known', effect: 'deny', match: { dynamic: true } },
]

/** Reading is free, writing needs somebody's yes, the rest is closed. */
export const careful = [
  ...never,
  { name: 'reading', effect: 'allow', match: { kinds: ['read'] } },
  { name: 'writing', effect: 'hold', match: { kinds: ['write'] }, approvers: { groups: ['ops'] } },
]

/** Everything is free but what is named, and what nobody can know. */
export const trusting = [...never, { name: 'everything-else', effect: 'allow' }]

/** What these rules say of a command of somebody who may open the target. */
export function judgeUnder(rules: readonly unknown[]): (command: Command) => Judgement {
  const policy = compilePolicy(config({ rules: [...rules], targets: [target('ssh-prod')] }))
  return judgeFor(policy, { target: 'ssh-prod', person: person('dev', 'engineering'), agent: null })
}
