/**
 * Recordings in a process of its own, for tests that kill it. It shows a numbered line every few milliseconds, and says on
 * stdout which, and when it had been shown.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { createRecordings } from '../../src/gateway/audit/recordings.ts'
import { permitFor } from './permits.ts'

const [store = '', session = '', command = ''] = process.argv.slice(2)
const recordings = createRecordings({ store, flush: true, limit: () => 64 << 20, clock: systemClock })
const recorder = await recordings
  .of({ session })
  .start(permitFor(command), { width: 80, height: 24, title: 'a shell', term: 'xterm' }, (reason) => {
    throw reason
  })
console.log('ready')
for (let line = 1; ; line += 1) {
  recorder.output(Buffer.from(`line ${line} ä${'.'.repeat(line % 50)}\r\n`))
  console.log(`${line} ${Date.now()}`)
  await sleep(3)
}
