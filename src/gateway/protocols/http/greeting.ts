/** HTTP has no greeting: a client says what it wants with its first request, and then again. */
import type { Duplex } from 'node:stream'
import { createIntake } from '../wire/intake.ts'
import { AnswerWriter } from './answer-writer.ts'
import { Incoming } from './incoming.ts'

export interface Client {
  readonly socket: Duplex
  readonly incoming: Incoming
  readonly writer: AnswerWriter
}

export function greet(socket: Duplex): Client {
  // From the first moment: without a listener an error would end the process.
  socket.on('error', isSeenAsClose)
  return { socket, incoming: new Incoming(createIntake(socket)), writer: new AnswerWriter(socket) }
}

/** Whoever waits for the socket hears of its close, which follows. */
function isSeenAsClose(): void {}
