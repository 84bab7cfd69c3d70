/** The tour's part about HTTP: what the other chapters do with SQL and command lines, with requests. */
import { type HttpClient, findHttpClient } from './http-client.ts'
import type { OpenDoor } from './door.ts'
import type { Member } from './member.ts'
import { type Claim, must, pendingApproval } from './promises.ts'
import { customers } from './shop.ts'
import type { World } from './world.ts'

export interface HttpTour {
  readonly world: World
  readonly door: OpenDoor
  readonly dba: Member
  readonly chapter: (title: string) => Promise<void>
  readonly claim: Claim
}

export async function tourHttp(tour: HttpTour): Promise<void> {
  const { door, chapter, claim } = tour
  const client = await findHttpClient()
  await chapter('An HTTP API, without a token')
  await claim(`api-demo is open at ${door.api.url} (${client.name})`)
  await tellMasking(tour, client)

  await chapter('A DELETE that waits for a human, and another that is denied')
  await tellHolds(tour, client)
}

async function tellMasking({ world, door, claim }: HttpTour, client: HttpClient): Promise<void> {
  const [first] = customers
  must(first !== undefined, 'the shop has no customers')
  const one = await client.ask('GET', `${door.api.url}/v1/customers/1`)
  const shown: unknown = JSON.parse(one.text)
  must(one.status === 200, `the answer is ${one.status}: ${one.text}`)
  must(isRecord(shown) && shown.name === first.name, `somebody else was answered: ${one.text}`)
  must(secretsIn(one.text).length === 0, `a masked value came through: ${secretsIn(one.text)[0]}`)
  await claim(`GET /v1/customers/1 → ${one.text.trim()}`)

  const list = await client.ask('GET', `${door.api.url}/v1/customers`)
  must(list.status === 200 && list.text.includes(first.name), `the answer is ${list.status}: ${list.text}`)
  must(secretsIn(list.text).length === 0, `a masked value came through: ${secretsIn(list.text)[0]}`)
  await claim('GET /v1/customers → names as they are, and no password, address or card at any depth')

  const mine = await client.ask('GET', `${door.api.url}/v1/customers/2`, { Authorization: 'Bearer of-my-own' })
  must(mine.status === 200, `a token of the client's own reached the API: ${mine.status}`)
  must(!`${one.text}${list.text}${mine.text}`.includes(world.api.token), 'the token came back')
  await claim('the gateway adds the token; one that the client sends in its place is dropped')
}

async function tellHolds(tour: HttpTour, client: HttpClient): Promise<void> {
  const { world, dba, claim } = tour
  const { answer, approval } = await removal(tour, client, 7)
  must(world.api.has(7), 'the customer is gone before anybody approved')
  await claim('DELETE /v1/customers/7 → the request waits; the customer is still there, asked of the API itself')
  await dba.client.decide(approval.id, { decision: 'approve', reason: 'asked us to', digest: approval.digest })
  const done = await answer
  must(done.status === 204, `the approved DELETE was answered with ${done.status}: ${done.text}`)
  must(!world.api.has(7), 'the approved DELETE did not happen')
  await claim(`approved by dba@demo: the API answered ${done.status}, and the customer is gone`)

  const second = await removal(tour, client, 8)
  await dba.client.decide(second.approval.id, {
    decision: 'deny',
    reason: 'still pays us',
    digest: second.approval.digest,
  })
  const denied = await second.answer
  const problem: unknown = JSON.parse(denied.text)
  must(denied.status === 403 && isRecord(problem), `a denied DELETE was answered with ${denied.status}: ${denied.text}`)
  must(problem.verdict === 'approval-denied', `the refusal says ${denied.text}`)
  must(world.api.has(8), 'the denied DELETE happened')
  must(!world.api.asked.includes('DELETE /v1/customers/8'), 'a denied request reached the API')
  await claim(`DELETE /v1/customers/8 → ${denied.status}, ${String(problem.detail)}`)
}

/** Asks for a customer to be removed; resolves when that waits. */
async function removal({ door, dba }: HttpTour, client: HttpClient, id: number) {
  const answer = client.ask('DELETE', `${door.api.url}/v1/customers/${id}`)
  // Its end is looked at later; a failure before that must not count as unhandled.
  answer.catch(() => {})
  const approval = await pendingApproval(dba, `DELETE /v1/customers/${id}`)
  return { answer, approval }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function secretsIn(text: string): readonly string[] {
  return customers
    .flatMap(({ email, card, passwordHash }) => [email, card, passwordHash])
    .filter((secret) => text.includes(secret))
}
