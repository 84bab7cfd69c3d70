/** The directory in which a login begins, asked by a short SFTP session of the gateway's own; undefined where nobody says. */
import type { Duplex } from 'node:stream'
import { createIntake } from '../../wire/intake.ts'
import { version } from './replies.ts'
import { requestTypes } from './requests.ts'
import { createStart } from './start.ts'
import { createFrameReader, message, SftpBroken } from './wire.ts'

export async function learnStart(channel: Duplex, signal: AbortSignal): Promise<string | undefined> {
  const intake = createIntake(channel, signal)
  const reader = createFrameReader('the target')
  const start = createStart(
    () => undefined,
    (bytes) => void channel.write(bytes),
  )
  try {
    start.fromClient({ type: requestTypes.init, bytes: message(requestTypes.init, version) })
    for (let chunk = await intake.next(); chunk !== undefined && !start.isOver; chunk = await intake.next()) {
      for (const frame of reader.push(chunk)) if (!start.isOver) start.fromTarget(frame)
      if (start.isOver) break
    }
    return start.directory
  } catch (error) {
    if (error instanceof SftpBroken) return undefined
    throw error
  }
}
