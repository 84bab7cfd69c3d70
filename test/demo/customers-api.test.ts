/** The API that the demo puts behind the door is a real one: it answers, refuses and forgets by itself. */
import { expect, onTestFinished, test } from 'vitest'
import { startCustomersApi } from '../../src/demo/customers-api.ts'
import { findHttpClient } from '../../src/demo/http-client.ts'
import { customers } from '../../src/demo/shop.ts'

async function start() {
  const api = await startCustomersApi()
  onTestFinished(() => api.stop())
  const { ask } = await findHttpClient()
  const url = `http://${api.host}:${api.port}/v1/customers`
  const fields = { Authorization: `Bearer ${api.token}` }
  return { api, ask: (method: string, path = '') => ask(method, url + path, fields), bare: () => ask('GET', url) }
}

test('wants its token, and remembers only whom it let in', async () => {
  const { api, ask, bare } = await start()
  expect((await bare()).status).toBe(401)
  expect((await ask('GET', '/1')).status).toBe(200)
  expect(api.asked).toEqual(['GET /v1/customers/1'])
})

test('gives out all customers page by page, passwords and all', async () => {
  const { ask } = await start()
  const names: string[] = []
  for (let next: string | null = ''; next !== null; ) {
    const page: { customers: { name: string; password_hash: string }[]; next: string | null } = JSON.parse(
      (await ask('GET', next)).text,
    )
    expect(page.customers.every(({ password_hash }) => password_hash.startsWith('sha256$'))).toBe(true)
    names.push(...page.customers.map(({ name }) => name))
    next = page.next?.replace('/v1/customers', '') ?? null
  }
  expect(names).toEqual(customers.map(({ name }) => name))
})

test('forgets a customer for good, and says what it cannot do', async () => {
  const { api, ask } = await start()
  expect((await ask('DELETE', '/7')).status).toBe(204)
  expect([api.has(7), (await ask('GET', '/7')).status, (await ask('DELETE', '/7')).status]).toEqual([false, 404, 404])
  expect((await ask('POST', '/8')).status).toBe(405)
  expect((await ask('GET', '/eight')).status).toBe(404)
})
