import { describe, expect, it } from 'vitest'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import { openRawClient, openTestDoor, startRawTarget } from './door.ts'

const killed: Refusal = { code: 'killed', message: 'killed by ana: runaway agent', next: 'ask ana', session: 'ses_1' }

async function killedAfter(
  request: string,
  answer: string,
  until: (door: Awaited<ReturnType<typeof openTestDoor>>) => Promise<void>,
) {
  let ended = false
  const target = await startRawTarget((socket) => {
    socket.once('data', () => socket.write(answer))
    // Half-open, it notices only the end of what it hears.
    for (const event of ['end', 'close'])
      socket.once(event, () => {
        ended = true
      })
  })
  const door = await openTestDoor(target.port)
  const client = await openRawClient(door.port)
  client.say(request)
  await until(door)
  if (answer !== '') await client.hears('part')
  const before = Date.now()
  door.kill(killed)
  const heard = await client.ended
  client.socket.end()
  while (door.ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(Date.now() - before).toBeLessThan(1000)
  if (target.connections > 0) while (!ended) await new Promise((resolve) => setTimeout(resolve, 5))
  return { heard, outcomes: door.checkpoint.outcomes.map(({ outcome }) => outcome.status) }
}

const cleared = async (door: Awaited<ReturnType<typeof openTestDoor>>) => {
  while (door.checkpoint.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await new Promise((resolve) => setTimeout(resolve, 30))
}
const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('a kill', () => {
  it('before an answer has begun is told, and ends both sides', async () => {
    const { heard, outcomes } = await killedAfter(get, '', cleared)
    expect(heard).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*Connection: close\r\n/)
    expect(heard).toContain('killed by ana: runaway agent')
    expect(outcomes).toEqual(['unknown'])
  })

  it('in the middle of an answer cuts it off', async () => {
    const { heard, outcomes } = await killedAfter(get, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', cleared)
    expect(heard).toMatch(/part$/)
    expect(outcomes).toEqual(['unknown'])
  })

  it('while a body is read that has to be known is told', async () => {
    const { heard, outcomes } = await killedAfter(
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
      '',
      () => new Promise((resolve) => setTimeout(resolve, 50)),
    )
    expect(heard).toMatch(/^HTTP\/1\.1 503 /)
    expect(outcomes).toEqual([])
  })

  it('between two requests says nothing and ends the connection', async () => {
    const { heard } = await killedAfter('', '', () => new Promise((resolve) => setTimeout(resolve, 50)))
    expect(heard).toBe('')
  })

  it('ends a client that does not close, too', async () => {
    const target = await startRawTarget(() => undefined)
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(get)
    await cleared(door)
    door.kill(killed)
    await client.ended
    while (door.ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  })
})
