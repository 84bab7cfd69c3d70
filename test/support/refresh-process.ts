/** A hoop process that needs a token: prints the one it gets. Started several at once by tokens.test.ts. */
import { systemClock } from '../../src/base/clock.ts'
import { refresh } from '../../src/gateway-client/sign-in.ts'
import { createTokenKeeper } from '../../src/gateway-client/tokens.ts'

const [folder = '', gateway = ''] = process.argv.slice(2)
const stores = { wish: 'file', folder, platform: 'linux', env: {} } as const
const keeper = createTokenKeeper({ stores, clock: systemClock, refresh })
// Everyone starts at the same word, so that they really meet.
process.stdout.write('ready\n')
process.stdin.once('data', async () => {
  process.stdout.write(`${await keeper.source(gateway).token()}\n`)
  process.stdin.destroy()
})
