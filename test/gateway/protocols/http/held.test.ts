import { setTimeout as pause } from 'node:timers/promises'
import { onTestFinished, describe, expect, it } from 'vitest'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import type { Hold } from '../../../../src/gateway/checkpoint.ts'
import { createRecordingCheckpoint } from '../../../support/conversation.ts'
import { type Answering, pourBytes, startHttpApi } from '../../../support/http-api.ts'
import { openRawClient, openTestDoor } from './door.ts'

const hold: Hold = {
  approval: 'apr_1',
  session: 'ses_1',
  rule: 'ask-first',
  message: 'held: waits for dba',
  hint: 'hoop approve apr_1',
  groups: ['dba'],
  expires: 1_800_000_000_000,
}
const denied: Refusal = {
  code: 'approval-denied',
  message: 'refused: not today',
  next: 'talk to ana',
  approval: 'apr_1',
}
const gone: Refusal = { code: 'cancelled', message: 'not run: the client gave up', next: 'ask again' }

/** DELETE is held until the test decides. */
async function heldDoor(answer?: Answering) {
  const api = await startHttpApi(answer)
  onTestFinished(() => api.close())
  let decide: ((refusal: Refusal | undefined) => void) | undefined
  const seen: string[] = []
  const checkpoint = createRecordingCheckpoint(async ([command], asking) => {
    if (command?.verb !== 'DELETE') return undefined
    return await new Promise<Refusal | undefined>((resolve) => {
      asking?.onHold?.(hold)
      decide = resolve
      asking?.signal?.addEventListener('abort', () => {
        seen.push('aborted')
        resolve(gone)
      })
    })
  })
  const door = await openTestDoor(api.port, checkpoint)
  return {
    api,
    door,
    seen,
    async decided(refusal?: Refusal) {
      while (decide === undefined) await pause(5)
      decide(refusal)
    },
    async held() {
      while (decide === undefined) await pause(5)
    },
  }
}

const remove = (fields = '', body = '') => `DELETE /things/1 HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n${body}`
const poll = 'GET /.hoop/requests/apr_1 HTTP/1.1\r\nHost: localhost\r\n\r\n'

describe('a held request', () => {
  it('says nothing and waits, then is answered', async () => {
    const { door, held, decided } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(remove())
    await held()
    await pause(50)
    expect(client.heard()).toBe('')
    await decided()
    await client.hears('DELETE /things/1 ')
  })

  it('is refused as a problem, and the connection goes on', async () => {
    const { api, door, decided } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(remove())
    await decided(denied)
    await client.hears('"verdict":"approval-denied"')
    client.say('GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await client.hears('GET /next ')
    expect(api.seen).toEqual(['GET /next'])
  })

  it.each(['end', 'destroy'] as const)('is cancelled when its client goes away: %s', async (how) => {
    const { api, door, seen, held } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(remove())
    await held()
    client.socket[how]()
    while (seen.length === 0) await pause(5)
    while (door.ends.length === 0) await pause(5)
    expect(api.seen).toEqual([])
  })

  it('is told when its session is killed meanwhile', async () => {
    const { door, held, decided } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(remove())
    await held()
    const killed: Refusal = { code: 'killed', message: 'killed by ana', next: 'ask ana' }
    door.kill(killed)
    await decided(killed)
    expect(await client.ended).toMatch(/^HTTP\/1\.1 503 [\s\S]*Connection: close[\s\S]*"verdict":"killed"/)
  })
})

describe('Prefer: respond-async', () => {
  const preferring = 'Prefer: handling=strict, respond-async; wait=1\r\n'

  it('is answered with 202 and a place to ask, from any connection, for the answer once', async () => {
    const { door, decided } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(remove(`${preferring}Content-Type: image/png\r\nContent-Length: 3\r\n`, 'abc'))
    const heard = await client.hears('}')
    expect(heard).toMatch(/^HTTP\/1\.1 202 Accepted\r\n/)
    expect(heard).toContain('Location: /.hoop/requests/apr_1\r\n')
    expect(heard).toContain('Preference-Applied: respond-async\r\n')
    expect(JSON.parse(heard.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      v: 1,
      verdict: 'hold',
      approval: 'apr_1',
      rule: 'ask-first',
    })

    const other = await openRawClient(door.port)
    other.say(poll)
    expect(await other.hears('}')).toMatch(/^HTTP\/1\.1 202 [\s\S]*Retry-After: 2\r\n/)
    await decided()
    while (door.checkpoint.outcomes.length === 0) await pause(5)
    await pause(20)
    other.say(poll)
    expect(await other.hears('DELETE /things/1 abc')).toContain('HTTP/1.1 200 OK\r\n')
    other.say(poll)
    await other.hears('HTTP/1.1 404 ')
    expect(door.checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'done', bytesIn: 3 })
  })

  it('goes on when the client has gone, and the relay stays for it', async () => {
    const { api, door, decided } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(remove(preferring))
    await client.hears('}')
    client.socket.destroy()
    await pause(50)
    expect(door.ends).toEqual([])
    await decided()
    while (door.ends.length === 0) await pause(5)
    expect(api.seen).toEqual(['DELETE /things/1'])
  })

  it('hands out the refusal where people say no', async () => {
    const { api, door, decided } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(remove(preferring))
    await client.hears('}')
    await decided(denied)
    await pause(20)
    client.say(poll)
    expect(await client.hears('approval-denied')).toContain('HTTP/1.1 403 Forbidden\r\n')
    expect(api.seen).toEqual([])
  })

  it('changes nothing for what is not held', async () => {
    const { door } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say(`GET /now HTTP/1.1\r\nHost: localhost\r\n${preferring}\r\n`)
    expect(await client.hears('GET /now ')).toMatch(/^HTTP\/1\.1 200 OK/)
  })

  it('keeps no answer that is too long, and says so', async () => {
    const { door, decided } = await heldDoor((_request, response) => pourBytes(response, 5_000_000))
    const client = await openRawClient(door.port)
    client.say(remove(preferring))
    await client.hears('}')
    await decided()
    while (door.checkpoint.outcomes.length === 0) await pause(5)
    await pause(20)
    client.say(poll)
    await client.hears('longer than what is kept')
    expect(door.checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'done', error: { code: 'withheld' } })
  })

  it('is nobody else’s: another session, a guessed id, another method', async () => {
    const { api, door } = await heldDoor()
    const client = await openRawClient(door.port)
    client.say('GET /.hoop/requests/apr_2 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await client.hears('HTTP/1.1 404 ')
    client.say('DELETE /.hoop/requests/apr_1 HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await client.hears('HTTP/1.1 405 ')
    client.say('GET /.hoop/anything HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await client.hears(/404 [\s\S]*405 [\s\S]*404 /)
    expect(api.seen).toEqual([])
    expect(door.checkpoint.log).toEqual([])
  })
})
