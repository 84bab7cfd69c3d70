/**
 * The writing thread: the only writer of the database, behind the journal, so that the main thread need not wait for it.
 * Every failure closes the trail; the main thread decides when to open it again.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { reasonOf } from '../../base/errors.ts'
import { makeJournal, readJournal, removeJournal } from './journal-files.ts'
import { lockStore } from './lock.ts'
import type { FromWriter, ToWriter, WriterData } from './messages.ts'
import { recoveryOf } from './recovery.ts'
import { seal } from './seal.ts'
import { storeReason } from './sqlite.ts'
import { openTrail, type Trail } from './trail.ts'

const port = parentPort
if (port === null) throw new Error('writer-worker.ts runs as a worker thread')
// Given by openWriter (writer.ts) and typed there.
const { path, flush } = workerData as WriterData

let lock: ReturnType<typeof lockStore> | undefined
let trail: Trail | undefined
/** Why there is no trail. */
let failure: FromWriter & { answer: 'failed' } = {
  answer: 'failed',
  reason: 'it was never opened',
  kind: 'unavailable',
}

function open(now: number, recover: boolean): FromWriter {
  lock ??= lockStore(path)
  // A handle that is open is not trusted either: the journal failed, and both are on one disk.
  trail?.abandon()
  trail = undefined
  trail = openTrail(path, flush)
  for (const batch of readJournal(path, trail.end())) trail.add(batch)
  const endings = recover ? recoveryOf(trail, now) : []
  if (endings.length > 0) trail.add(seal(endings, trail.end()))
  // Only now the journal may go: what it held is safe without it.
  trail.settle()
  makeJournal(path)
  return { answer: 'open', end: trail.end(), ended: endings.length }
}

function addAll(batches: (ToWriter & { ask: 'import' })['batches']): FromWriter {
  if (trail === undefined) return failure
  for (const batch of batches) trail.add(batch)
  return { answer: 'imported', head: trail.end().seq, settled: trail.settled() }
}

function close(): FromWriter {
  try {
    const closing = trail
    closing?.close()
    // Without a trail it holds what the next start has to take over.
    if (closing !== undefined) removeJournal(path)
    return { answer: 'closed' }
  } finally {
    trail = undefined
    // Before the answer: whoever waits for it may open the store again at once.
    lock?.release()
  }
}

function answer(message: ToWriter): FromWriter {
  switch (message.ask) {
    case 'open':
      return open(message.now, message.recover)
    case 'import':
      return addAll(message.batches)
    case 'close':
      return close()
  }
}

/** A handle that failed once is never used again: what it holds and what is on the disk may differ. */
function fail(thrown: unknown): typeof failure {
  try {
    trail?.abandon()
  } catch {
    // The file is being given up; the first failure is the one to tell.
  }
  trail = undefined
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'conflict') failure = { answer: 'failed', reason: reasonOf(thrown), kind: 'conflict' }
  else if (code === 'DAMAGED') failure = { answer: 'failed', reason: reasonOf(thrown), kind: 'damaged' }
  else failure = { answer: 'failed', reason: storeReason(thrown), kind: 'unavailable' }
  return failure
}

port.on('message', (message: ToWriter) => {
  let reply: FromWriter
  try {
    reply = answer(message)
  } catch (error) {
    reply = fail(error)
  }
  port.postMessage(reply)
  if (message.ask === 'close') {
    port.close()
    return
  }
  try {
    // After the answer: nobody waits for this.
    trail?.tidy()
  } catch (error) {
    fail(error)
  }
})
