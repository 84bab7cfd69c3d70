/** The writing thread as the main thread sees it: one question at a time, and an answer even when the thread dies. */
import type { Worker } from 'node:worker_threads'
import type { FromWriter, ToWriter, WriterData } from './messages.ts'
import { startThread } from './thread.ts'

export interface Writer {
  /**
   * Never rejects; a thread that ended answers `failed`, and the next question starts another. The memory of what is
   * imported goes over to that thread.
   */
  ask(message: ToWriter): Promise<FromWriter>
}

export function createWriter(data: WriterData): Writer {
  let worker: Worker | undefined
  let answer: ((reply: FromWriter) => void) | undefined

  function reply(message: FromWriter): void {
    const told = answer
    answer = undefined
    told?.(message)
  }

  function start(): Worker {
    const started = startThread('writer-worker', data)
    let reason = 'the writing thread ended'
    started.on('message', reply)
    started.on('error', (error) => {
      reason = `the writing thread ended: ${error.message}`
    })
    started.once('exit', () => {
      if (worker === started) worker = undefined
      reply({ answer: 'failed', reason, kind: 'unavailable' })
    })
    return started
  }

  return {
    ask(message) {
      if (answer !== undefined) throw new Error('the writing thread was asked twice at once')
      return new Promise((resolve) => {
        answer = resolve
        worker ??= start()
        worker.postMessage(message, message.ask === 'import' ? message.batches.map(({ lines }) => lines.buffer) : [])
      })
    },
  }
}
