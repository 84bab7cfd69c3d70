/** The rules that the attempts of corpus.ts are made against. */
import type { Command } from '../../../../../src/contract/command.ts'
import { compilePolicy, type Judgement, judgeFor } from '../../../../../src/gateway/policy/decide.ts'
import { config, person, target } from '../../../../support/commands.ts'

/**
 * Reading is free but for one Secret; changes are free in `dev`, need somebody's yes in `prod`, and nothing is deleted there;
 * programs that only read may run in one pod.
 */
export const careful = [
  { name: 'one-secret', effect: 'deny', match: { verbs: ['* secrets'], objects: ['prod/db'] } },
  {
    name: 'nothing-goes',
    effect: 'deny',
    match: { verbs: ['delete', 'deletecollection'], objects: ['prod', 'prod/*'] },
  },
  { name: 'cannot-be-known', effect: 'deny', match: { dynamic: true } },
  { name: 'reading', effect: 'allow', match: { kinds: ['read'] } },
  { name: 'dev', effect: 'allow', match: { kinds: ['write'], objects: ['dev/*'] } },
  { name: 'prod', effect: 'hold', match: { kinds: ['write'], objects: ['prod/*'] }, approvers: { groups: ['ops'] } },
  { name: 'looking-around', effect: 'allow', match: { verbs: ['create pods/exec'], objects: ['prod/web'] } },
]

/** All that is understood is free: what is left is what the protocol sees to by itself. */
export const trusting = [{ name: 'everything', effect: 'allow' }]

/** What these rules say of a command of somebody who may open the target. */
export function judgeUnder(rules: readonly unknown[]): (command: Command) => Judgement {
  const policy = compilePolicy(config({ rules: [...rules], targets: [target('k8s-test')] }))
  return judgeFor(policy, { target: 'k8s-test', person: person('dev', 'engineering'), agent: null })
}
