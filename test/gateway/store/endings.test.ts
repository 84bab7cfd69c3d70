import { expect, test } from 'vitest'
import { endingsOf } from '../../../src/gateway/store/endings.ts'
import { command, connectionStart, outcome, sessionEnd, sessionStart } from '../../support/store-folder.ts'

const why = 'the audit could not be written'

test('what was refused although it was written is ended, each thing once', () => {
  const drafts = [sessionStart(), connectionStart(), command('cmd_1'), command('cmd_2'), outcome('cmd_2')]
  expect(endingsOf(drafts, why)).toMatchObject([
    { type: 'session.end', why },
    { type: 'connection.end', connection: 'con_1', why },
    { type: 'outcome', command: 'cmd_1', outcome: { status: 'refused' } },
  ])
})

test('a batch that was to be held ends its approval once', () => {
  const held = { verdict: 'hold', approval: 'apr_1' } as const
  expect(endingsOf([command('cmd_1', held), command('cmd_2', held)], why)).toMatchObject([
    { type: 'outcome', command: 'cmd_1' },
    { type: 'outcome', command: 'cmd_2' },
    { type: 'approval.end', approval: 'apr_1', end: 'cancelled', why },
  ])
})

test('ends begin nothing', () => {
  expect(endingsOf([sessionEnd(), outcome('cmd_1')], why)).toEqual([])
})
