/**
 * Questions that need no record of their own, because one says already that this was told: the same question again, and
 * the `lstat` of what a recorded listing has shown. Without it, a mounted directory writes a record for every glance.
 * Only as long as the rules would allow it anew: whoever asks here asks `preview` too.
 */
import type { Permit } from '../../../checkpoint.ts'
import { parentOf } from './paths.ts'
import type { Question } from './requests.ts'

const mostKept = 8192

export class Known {
  /** The oldest first. */
  readonly #told = new Map<string, Permit>()

  told(question: Question, path: string, permit: Permit): void {
    this.#keep(`${question} ${path}`, permit)
  }

  listed(path: string, permit: Permit): void {
    this.#keep(`list ${path}`, permit)
  }

  covers(question: Question, path: string): Permit | undefined {
    const listing = question === 'lstat' && path !== '/' ? this.#told.get(`list ${parentOf(path)}`) : undefined
    return listing ?? this.#told.get(`${question} ${path}`)
  }

  #keep(key: string, permit: Permit): void {
    this.#told.delete(key)
    this.#told.set(key, permit)
    if (this.#told.size <= mostKept) return
    const [oldest] = this.#told.keys()
    if (oldest !== undefined) this.#told.delete(oldest)
  }
}
