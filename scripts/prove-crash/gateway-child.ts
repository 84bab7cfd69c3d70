/** Started by gateway-subject.ts: the gateway out of the sources, so that no stale build is what gets proven. */
import { startGateway } from '../../src/gateway/gateway.ts'

await startGateway({ configFile: process.argv[2] ?? '', env: process.env })
