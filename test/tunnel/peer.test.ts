import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { createPeerCheck, ownerIn } from '../../src/tunnel/peer.ts'

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:4342 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31001 1 0000000000000000 100 0 0 10 0
   1: 0100007F:4342 0100007F:D431 01 00000000:00000000 02:000AFC80 00000000  1000        0 31002 2 0000000000000000 20 4 30 10 -1
   2: 0100007F:D431 0100007F:4342 01 00000000:00000000 02:000AFC80 00000000  1001        0 31003 2 0000000000000000 20 4 30 10 -1
   3: 0100007F:D432 0100007F:4342 04 00000000:00000000 01:00000014 00000000     0        0 0 2 0000000000000000 20 4 30 10 -1
`

it("tells the owner of the client's end, not of our own", () => {
  expect(ownerIn(table, '0100007F:D431', '0100007F:4342')).toBe(1001)
})

it('knows no owner of a socket that no process holds any more, whatever uid is shown', () => {
  expect(ownerIn(table, '0100007F:D432', '0100007F:4342')).toBeUndefined()
})

it.each(['0100007F:D433', '0100007F:D43', '', '0100007F:4342 0100007F:D431'])('finds nothing for %j', (peer) => {
  expect(ownerIn(table, peer, '0100007F:4342')).toBeUndefined()
})

it.skipIf(process.platform !== 'linux')(
  'calls a client of this process its own, and foreign when it expects another user',
  async () => {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const client = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
    const [socket] = await once(server, 'connection')
    expect(await createPeerCheck().ownerOf(socket)).toBe('own')
    expect(await createPeerCheck((process.geteuid?.() ?? 0) + 1).ownerOf(socket)).toBe('foreign')
    client.destroy()
    await once(socket.resume(), 'end')
    expect(await createPeerCheck().ownerOf(socket)).toBe('unknown')
    socket.destroy()
    server.close()
  },
)
