/** How long connections to a target are kept. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { createPools } from '../../../../../src/gateway/protocols/http/pools.ts'
import { listen, targetAt } from '../../../../support/http-listener.ts'

it('keeps connections while somebody holds the pool, and closes them some time after the last has let go', async () => {
  const sockets = new Set<Socket>()
  const server = createServer((_request, response) => response.end())
  // Only the gateway closes here.
  server.keepAliveTimeout = 0
  server.on('connection', (socket) => sockets.add(socket))
  const target = targetAt(await listen(server))
  const pools = createPools(1000, 100)
  const [one, two] = [pools.hold(target, undefined), pools.hold(target, undefined)]
  expect(two.requests).toBe(one.requests)
  expect(two.upgrades()).toBe(one.requests)
  await (await one.requests.request({ path: '/', method: 'GET' })).body.dump()

  one.release()
  // Twice is once.
  one.release()
  await new Promise((resolve) => setTimeout(resolve, 250))
  const [socket] = sockets
  expect([sockets.size, socket?.destroyed]).toEqual([1, false])

  two.release()
  const three = pools.hold(target, undefined)
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect([three.requests === one.requests, socket?.destroyed]).toEqual([true, false])
  three.release()
  if (socket !== undefined && !socket.destroyed) await once(socket, 'close')
  expect(pools.hold(target, undefined).requests).not.toBe(one.requests)
  server.close()
})
