/** A lot at once: one large answer, and COPY in. Nothing is kept of what arrives. */
import { now } from '../clock.ts'
import type { BulkResult, Jobs } from './jobs.ts'
import { type Connection, openConnection } from './connection.ts'
import { copyData, copyDone, query } from './wire.ts'

/** As psql sends it. */
const messageBytes = 8192
const writeBytes = 65_536

export async function runFetch({ reach, sql }: Jobs['fetch']['asked']): Promise<BulkResult> {
  const connection = await openConnection(reach)
  const before = connection.bytes()
  const from = now()
  await connection.ask(query(sql))
  const to = now()
  const bytes = connection.bytes() - before
  await connection.close()
  return { from, to, bytes }
}

export async function runCopyIn({ reach, sql, text, bytes }: Jobs['copyIn']['asked']): Promise<BulkResult> {
  const connection = await openConnection(reach)
  const block = blockOf(Buffer.from(text))
  const from = now()
  let sent = 0
  let failure: Error | undefined
  await new Promise<void>((resolve, reject) => {
    connection.onReady = resolve
    connection.onError = (error) => {
      failure = error
      reject(error)
    }
    connection.onCopyIn = () => {
      pour(connection, block, bytes, () => failure !== undefined).then((poured) => {
        sent = poured
        connection.send(copyDone)
      }, reject)
    }
    connection.send(query(sql))
  })
  const to = now()
  await connection.close()
  return { from, to, bytes: sent }
}

async function pour(connection: Connection, block: Block, bytes: number, isOver: () => boolean): Promise<number> {
  let sent = 0
  while (sent < bytes && !isOver()) {
    sent += block.payload
    if (!connection.send(block.bytes)) await connection.drained()
  }
  return sent
}

interface Block {
  readonly bytes: Buffer
  /** Without the messages' headers. */
  readonly payload: number
}

/** Whole lines, in messages of psql's size. */
function blockOf(text: Buffer): Block {
  const lines = Buffer.concat(Array.from({ length: Math.max(1, Math.floor(writeBytes / text.length)) }, () => text))
  const messages: Buffer[] = []
  for (let at = 0; at < lines.length; at += messageBytes) messages.push(copyData(lines.subarray(at, at + messageBytes)))
  return { bytes: Buffer.concat(messages), payload: lines.length }
}
