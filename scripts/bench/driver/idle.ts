/** Connections that are open and ask nothing, until the process ends. */
import { now } from '../clock.ts'
import type { Jobs } from './jobs.ts'
import { oneQuestion, openConnection } from './connection.ts'

/** At a time: a server's queue of connections that wait to be accepted is short. */
const atOnce = 16

export async function holdIdle({ reach, connections }: Jobs['idle']['asked']): Promise<Jobs['idle']['answered']> {
  const from = now()
  let opened = 0
  async function openSome(): Promise<void> {
    while (opened < connections) {
      opened++
      const connection = await openConnection(reach)
      await connection.ask(oneQuestion)
      connection.onError = endWithWords
    }
  }
  await Promise.all(Array.from({ length: atOnce }, openSome))
  return { from, to: now() }
}

/** A connection that is lost would make the others' figures too good. */
function endWithWords(error: Error): void {
  throw new Error(`an idle connection broke: ${error.message}`)
}
