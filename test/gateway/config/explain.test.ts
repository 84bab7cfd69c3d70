import { expect, it } from 'vitest'
import { explainConfig, explanationLines } from '../../../src/gateway/config/explain.ts'
import { config, target } from '../../support/commands.ts'

it('says for each target who may open it and what applies there, in the order in which it counts', () => {
  const explained = explainConfig({
    config: config({
      targets: [
        target('pg-prod', { env: 'prod' }, { secret: 'exec:///bin/vault?arg=hunter2' }),
        target('closed', {}, { access: { groups: ['dba'] } }),
      ],
      rules: [
        { name: 'work', effect: 'allow', match: { targets: ['pg-*'], kinds: ['read', 'write'] } },
        {
          name: 'ask',
          effect: 'hold',
          match: { labels: { env: 'prod' }, unbounded: true, agents: ['*'] },
          when: 'facts.dynamic',
          approvers: { groups: ['dba', 'ciso'], count: 2 },
          expires: '90m',
        },
        { name: 'no', effect: 'deny', match: { reaches: ['file'] }, message: 'x' },
      ],
      masks: [
        { name: 'mail', columns: ['*.*.email'], detectors: ['card'], style: 'hash', except: { groups: ['dba'] } },
      ],
    }),
  })
  expect(explanationLines(explained)).toEqual([
    'pg-prod: postgres at 127.0.0.1:5432 as app, TLS verify-full, secret from exec:///bin/vault',
    '  may be opened by: engineering, dba',
    '  no    denies reaching file',
    '  ask   holds unbounded of agents *, when facts.dynamic: asks 2 of dba or ciso, for 90 min',
    '  work  allows kinds read, write',
    '  mail  masks *.*.email, anything like card (hash), except for dba',
    '',
    'closed: postgres at 127.0.0.1:5432 as app, TLS verify-full, without a secret',
    '  may be opened by: dba',
    '  no    denies reaching file',
    '  mail  masks *.*.email, anything like card (hash), except for dba',
    '  closed: no rule allows anything',
    '',
  ])
})
