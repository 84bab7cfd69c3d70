/** What wrk says, read; and the bench's own clients against a real server. */
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { runLoad, runPaced } from '../../../scripts/bench/http/client.ts'
import { readWrk } from '../../../scripts/bench/http/wrk.ts'
import { listen } from '../../support/http-listener.ts'

const said = `Running 3s test @ http://127.0.0.1:4711/v1/orders
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   412.05us    1.02ms  24.80ms   97.61%
    Req/Sec    52.61k     5.12k   60.99k    80.00%
  Latency Distribution
     50%  296.00us
     75%  402.00us
     90%    1.20ms
     99%    1.77s 
  157012 requests in 3.00s, 186.37MB read
Requests/sec:  52334.18
Transfer/sec:     62.12MB
`

test('reads requests per second and percentiles, in whatever unit they come', () => {
  expect(readWrk(said)).toEqual({ perSecond: 52_334.18, p50Ms: 0.296, p99Ms: 1770 })
})

test.each([
  ['  Non-2xx or 3xx responses: 44', 'Non-2xx or 3xx responses: 44'],
  ['  Socket errors: connect 0, read 3, write 0, timeout 0', 'Socket errors: connect 0, read 3'],
])('does not take for speed what is no answer: %s', (line, words) => {
  expect(() => readWrk(said.replace('Requests/sec', `${line}\nRequests/sec`))).toThrow(words)
})

test('does not make up what wrk did not say', () => {
  expect(() => readWrk('wrk 4.1.0')).toThrow('wrk said something else')
})

async function serve(status: number, framing: Record<string, string>): Promise<number> {
  const server = createServer((_request, response) => response.writeHead(status, framing).end('hello'))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return await listen(server)
}

test.each([{ 'Content-Length': '5' }, { 'Transfer-Encoding': 'chunked' }])(
  'asks again and again: %j',
  async (framing) => {
    const port = await serve(200, framing)
    const load = { port, path: '/', connections: 3, seconds: 0.2 }
    const loaded = await runLoad(load)
    expect(loaded.perSecond).toBeGreaterThan(10)
    expect(loaded.p99Ms).toBeGreaterThanOrEqual(loaded.p50Ms)
    const paced = await runPaced({ ...load, rate: 100 })
    expect(paced.p50Ms).toBeGreaterThan(0)
  },
)

test('ends at an answer that is not the one hoped for', async () => {
  const port = await serve(403, {})
  await expect(runLoad({ port, path: '/', connections: 1, seconds: 0.2 })).rejects.toThrow('HTTP/1.1 403')
})
