/**
 * The demo's HTTP API: the shop's customers as JSON, with things in it that must not be seen. A real server over sample data
 * in memory; it wants a bearer token, which nobody but the gateway has.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { hoopError } from '../contract/error-codes.ts'
import { customers, type Customer } from './shop.ts'

export interface CustomersApi {
  readonly host: string
  readonly port: number
  /** What a caller has to bring. */
  readonly token: string
  /** What it was asked for and let in, in order: `GET /v1/customers/1`. */
  readonly asked: readonly string[]
  /** Whether this one is still there. */
  has(id: number): boolean
  stop(): Promise<void>
}

const pageSize = 20

export async function startCustomersApi(): Promise<CustomersApi> {
  const token = `demo_${randomBytes(18).toString('base64url')}`
  const kept = new Map(customers.map((customer) => [customer.id, customer]))
  const asked: string[] = []
  const server = createServer((request, response) => {
    request.resume()
    if (!isExpected(request.headers.authorization ?? '', `Bearer ${token}`)) {
      say(response, 401, { error: 'a token is needed' }, { 'www-authenticate': 'Bearer' })
      return
    }
    asked.push(`${request.method} ${request.url}`)
    answer(kept, request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw hoopError('internal', 'the customers API has no port')
  return {
    host: '127.0.0.1',
    port: address.port,
    token,
    asked,
    has: (id) => kept.has(id),
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function answer(kept: Map<number, Customer>, { method, url = '/' }: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, 'http://api')
  const id = pathname.match(/^\/v1\/customers\/(\d{1,9})$/)?.[1]
  if (pathname === '/v1/customers' && method === 'GET') list(kept, Number(searchParams.get('after') ?? 0), response)
  else if (id === undefined) say(response, 404, { error: 'there is /v1/customers and /v1/customers/{id}' })
  else one(kept, Number(id), method, response)
}

function list(kept: Map<number, Customer>, after: number, response: ServerResponse): void {
  const page = [...kept.values()].filter(({ id }) => id > after).slice(0, pageSize)
  const last = page.at(-1)?.id
  say(response, 200, {
    customers: page.map(shown),
    next: page.length < pageSize || last === undefined ? null : `/v1/customers?after=${last}`,
  })
}

function one(kept: Map<number, Customer>, id: number, method: string | undefined, response: ServerResponse): void {
  const customer = kept.get(id)
  if (customer === undefined) say(response, 404, { error: `there is no customer ${id}` })
  else if (method === 'GET') say(response, 200, shown(customer))
  else if (method === 'DELETE') {
    kept.delete(id)
    response.writeHead(204).end()
  } else say(response, 405, { error: `${method} is nothing that can be done here` }, { allow: 'GET, DELETE' })
}

/** Nobody should answer with passwords; many do. */
function shown({ id, name, email, card, passwordHash }: Customer) {
  return { id, name, email, card_number: card, password_hash: passwordHash }
}

function say(response: ServerResponse, status: number, body: unknown, fields: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...fields }).end(`${JSON.stringify(body)}\n`)
}

function isExpected(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
