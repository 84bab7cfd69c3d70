import { expect, it } from 'vitest'
import { hoopError } from '../../../src/contract/error-codes.ts'
import type { RecordDraft } from '../../../src/contract/record.ts'
import { createTurnedAway } from '../../../src/gateway/server/turned-away.ts'
import { startDoor } from '../../support/door.ts'

const bad = hoopError('sign-in-needed', 'your sign-in has expired')

function watched() {
  const details: string[] = []
  let now = 0
  const note = (draft: RecordDraft) =>
    void details.push(draft.type === 'admin' ? `${draft.action} ${draft.detail}` : '')
  const turnedAway = createTurnedAway({ note }, { now: () => now, elapsed: () => now })
  return { details, turnedAway, pass: (ms: number) => (now += ms) }
}

it('records a token that is not good once for an address and minute, and then how many there were', () => {
  const { details, turnedAway, pass } = watched()
  for (let n = 0; n < 5; n += 1) turnedAway.note('10.0.0.1', 'x', bad)
  turnedAway.note('10.0.0.2', 'x', bad)
  pass(60_000)
  turnedAway.note('10.0.0.1', 'x', bad)
  expect(details).toEqual([
    'login.refused 10.0.0.1: your sign-in has expired',
    'login.refused 10.0.0.2: your sign-in has expired',
    'login.refused 10.0.0.1: your sign-in has expired (and 4 more before)',
  ])
})

it('is not filled by a flood from everywhere, nor by visitors without a token or trouble of our own', () => {
  const { details, turnedAway } = watched()
  turnedAway.note('10.0.0.1', undefined, bad)
  turnedAway.note('10.0.0.1', 'x', hoopError('identity-unavailable', 'no keys'))
  expect(details).toEqual([])
  for (let n = 0; n < 5000; n += 1) turnedAway.note(`10.0.${n}`, 'x', bad)
  expect(details).toHaveLength(101)
})

it('hears of the API', async () => {
  const details: unknown[] = []
  const door = await startDoor({ audit: { note: (draft) => void details.push(draft) } })
  await fetch(`${door.url}/v1/me`, { headers: { authorization: 'Bearer nonsense' } })
  await door.close()
  expect(details).toMatchObject([
    { action: 'login.refused', detail: expect.stringMatching(/^(::ffff:)?127\.0\.0\.1: .*signed JWT/) },
  ])
})
