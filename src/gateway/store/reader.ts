/** The reading thread as the main thread sees it: a question, a promise of its answer. */
import type { Worker } from 'node:worker_threads'
import { hoopError } from '../../contract/error-codes.ts'
import type { FromReader, QuestionName, Questions, ToReader } from './messages.ts'
import { startThread } from './thread.ts'

export interface Reader {
  ask<K extends QuestionName>(name: K, ask: Questions[K]['ask']): Promise<Questions[K]['answer']>
  close(): Promise<void>
}

interface Waiting {
  resolve(answer: Questions[QuestionName]['answer']): void
  reject(error: Error): void
}

/** The thread starts with the first question, and again after it died. */
export function createReader(path: string): Reader {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  let ended: Promise<void> = Promise.resolve()
  let closed = false
  let lastId = 0

  function start(): Worker {
    const started = startThread('reader-worker', { path })
    ended = new Promise((resolve) => {
      started.once('exit', () => {
        if (worker === started) worker = undefined
        failAll('the reading thread ended')
        resolve()
      })
    })
    started.on('error', (error) => failAll(error.message))
    started.on('message', (message: FromReader) => {
      const asked = waiting.get(message.id)
      waiting.delete(message.id)
      if ('failed' in message) asked?.reject(unreadable(message.failed))
      else asked?.resolve(message.answer)
    })
    return started
  }

  function failAll(reason: string): void {
    for (const asked of waiting.values()) asked.reject(unreadable(reason))
    waiting.clear()
  }

  return {
    ask(name, ask) {
      if (closed) return Promise.reject(unreadable('the gateway is stopping'))
      worker ??= start()
      const id = ++lastId
      const answered = new Promise<Questions[QuestionName]['answer']>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
      })
      // The union over names is lost to the compiler inside a generic; name and ask come from the same K.
      worker.postMessage({ id, name, ask } as ToReader)
      return answered as Promise<Questions[typeof name]['answer']>
    },
    async close() {
      closed = true
      worker?.postMessage('close')
      await ended
    },
  }
}

function unreadable(reason: string): Error {
  return hoopError('audit-unavailable', `the audit cannot be read: ${reason}`)
}
