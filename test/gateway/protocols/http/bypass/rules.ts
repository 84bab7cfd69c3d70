/** The rules that the requests of corpus.ts are sent against. */
import type { Command } from '../../../../../src/contract/command.ts'
import { compilePolicy, type Judgement, judgeFor } from '../../../../../src/gateway/policy/decide.ts'
import { config, person, target } from '../../../../support/commands.ts'

const never = [
  { name: 'no-admin', effect: 'deny', match: { objects: ['{/app,}/admin{/*,}', '/private{/*,}'] } },
  { name: 'no-delete', effect: 'deny', match: { verbs: ['DELETE'] } },
  { name: 'no-role', effect: 'deny', match: { fields: ['body:/role=admin', 'query:role=admin'] } },
]

/** A few things are free. */
export const careful = [
  { name: 'public', effect: 'allow', match: { verbs: ['GET'], objects: ['/public/*'] } },
  {
    name: 'orders',
    effect: 'allow',
    match: { verbs: ['POST'], objects: ['/orders'], fields: ['body:/currency={eur,usd}'] },
  },
]

/** Everything is free but what is named. */
export const trusting = [...never, { name: 'everything-else', effect: 'allow' }]

/** What these rules say of a command of somebody who may open the target. */
export function judgeUnder(rules: readonly unknown[]): (command: Command) => Judgement {
  const policy = compilePolicy(config({ rules: [...rules], targets: [target('api', {}, { protocol: 'http' })] }))
  return judgeFor(policy, { target: 'api', person: person('dev', 'engineering'), agent: null })
}
