/** A lost gateway, told: as lines on stderr, or to a screen. */
import { visibleLine } from '../../base/visible.ts'
import type { Connection } from '../../gateway-client/steady.ts'
import type { Output } from './output.ts'

type Listener = (connection: Connection) => void

/** Says once that the gateway is lost, and once that it is back. */
export function sayConnection(output: Output, gateway: string): Listener {
  let lost = false
  return (connection) => {
    if (connection.state === 'lost' && !lost) {
      lost = true
      output.talk(
        output.talkStyle('waiting', `lost ${gateway} (${visibleLine(connection.reason)}); trying to get back`),
      )
    } else if (connection.state === 'connected' && lost) {
      lost = false
      output.talk(output.talkStyle('good', `${gateway} is back`))
    }
  }
}

/** One listener towards the client, any number towards screens; each hears the present state at once. */
export function screenConnection(): { listener: Listener; onConnection: (listener: Listener) => () => void } {
  const listeners = new Set<Listener>()
  let present: Connection = { state: 'connecting' }
  return {
    listener(connection) {
      present = connection
      for (const listener of listeners) listener(connection)
    },
    onConnection(listener) {
      listeners.add(listener)
      listener(present)
      return () => listeners.delete(listener)
    },
  }
}
