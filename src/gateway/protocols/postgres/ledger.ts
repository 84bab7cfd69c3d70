/**
 * What the server still owes an answer to, in the order it was asked: answers carry no number, so this order is all there
 * is to tell whose they are. Pure.
 */
import type { Refusal } from '../../../contract/refusal.ts'
import type { Statement } from './parts.ts'
import type { Portal, Prepared } from './prepared.ts'
import type { Run } from './run.ts'

interface Common {
  /** Which run of messages up to a Sync (or Query, or FunctionCall) it belongs to. */
  readonly group: number
  /** Once, when the server has accepted it (true), or has failed or skipped it (false). */
  readonly done?: (accepted: boolean) => void
}

export type Expected = Common &
  (
    | { readonly kind: 'parse' | 'close' | 'sync' }
    /** run: what its planning already runs. */
    | { readonly kind: 'bind'; readonly run: Run | undefined }
    /** Not shown: we asked, not the client. */
    | { readonly kind: 'describe-portal'; readonly portal: Portal | undefined; readonly shown: boolean }
    | { readonly kind: 'describe-statement'; readonly prepared: Prepared | undefined }
    /** portal undefined: a cursor that SQL declared, or nothing at all. */
    | { readonly kind: 'execute'; readonly run: Run | undefined; readonly portal: Portal | undefined }
    /** A whole Query: its commands, and which of them is being answered. */
    | { readonly kind: 'query'; readonly runs: readonly Run[]; at: number }
    | { readonly kind: 'call'; readonly run: Run }
    /** Stands where the server fails on purpose; the client is told the refusal instead. */
    | { readonly kind: 'refused'; readonly refusal: Refusal }
    /** The client's end of a COPY. Nothing answers it; it marks a place. */
    | { readonly kind: 'copy-end' }
  )

export class Ledger {
  #entries: Expected[] = []
  #first = 0
  #restless = 0
  #catalogChanged = false
  #waiting: { isOver: () => boolean; resume: () => void }[] = []

  push<E extends Expected>(entry: E): E {
    this.#entries.push(entry)
    if (isRestless(entry)) this.#restless += 1
    return entry
  }

  /** Something is on its way that may change what statements mean. */
  get isRestless(): boolean {
    return this.#restless > 0
  }

  /** Has anything been answered, or is being answered, that may have changed the catalog since this was told last? */
  catalogMayHaveChanged(): boolean {
    const head = this.head()
    const changed = this.#catalogChanged || (head !== undefined && changesCatalog(head))
    this.#catalogChanged = false
    return changed
  }

  #remove(entry: Expected, accepted: boolean): void {
    if (isRestless(entry)) this.#restless -= 1
    if (changesCatalog(entry)) this.#catalogChanged = true
    entry.done?.(accepted)
  }

  /** What the next answer belongs to. */
  head(): Expected | undefined {
    while (this.#entries[this.#first]?.kind === 'copy-end') this.#first += 1
    return this.#entries[this.#first]
  }

  /** The head has its last answer. */
  shift(accepted: boolean): void {
    const entry = this.head()
    if (entry === undefined) return
    this.#first += 1
    this.#remove(entry, accepted)
    this.#tidy()
  }

  /** The server skips everything up to the next Sync. `found`: that has been forwarded already. */
  skipToSync(): { readonly found: boolean; readonly skipped: readonly Expected[] } {
    const skipped: Expected[] = []
    for (let entry = this.head(); entry !== undefined && entry.kind !== 'sync'; entry = this.head()) {
      this.#first += 1
      this.#remove(entry, false)
      skipped.push(entry)
    }
    this.#tidy()
    return { found: this.head() !== undefined, skipped }
  }

  /** The head began a COPY from the client: the server ignores each Sync that comes before the end of the data. */
  ignoreSyncsOfCopy(): void {
    const end = this.#entries.findIndex((entry, index) => index > this.#first && entry.kind === 'copy-end')
    const stop = end < 0 ? this.#entries.length : end
    this.#entries = this.#entries.filter(
      (entry, index) => index <= this.#first || index > stop || entry.kind !== 'sync',
    )
  }

  /** Has the client ended its COPY data already, before the server asked for them? */
  hasCopyEnd(): boolean {
    return this.#entries.findIndex((entry, index) => index > this.#first && entry.kind === 'copy-end') >= 0
  }

  /** No answer will come any more. */
  abandon(): readonly Expected[] {
    const abandoned = [...this.pending()]
    this.#entries = []
    this.#first = 0
    for (const entry of abandoned) this.#remove(entry, false)
    this.#tidy()
    return abandoned
  }

  *pending(): Iterable<Expected> {
    for (let index = this.#first; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index]
      if (entry !== undefined) yield entry
    }
  }

  has(entry: Expected): boolean {
    return this.#entries.includes(entry, this.#first)
  }

  /** Is everything up to and including this group answered? */
  isAnswered(group: number): boolean {
    const head = this.head()
    return head === undefined || head.group > group
  }

  /** Resolves when it is so; looked at after every answer. */
  async until(isOver: () => boolean): Promise<void> {
    if (isOver()) return
    await new Promise<void>((resume) => this.#waiting.push({ isOver, resume }))
  }

  #tidy(): void {
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const wait of waiting) {
      if (wait.isOver()) wait.resume()
      else this.#waiting.push(wait)
    }
  }
}

function isRestless(entry: Expected): boolean {
  return runsOf(entry).some(({ statement }) => mayChangeMeaning(statement))
}

function runsOf(entry: Expected): readonly Run[] {
  if (entry.kind === 'query') return entry.runs
  return 'run' in entry && entry.run !== undefined ? [entry.run] : []
}

/** For everybody, once it is committed. Settings and names of this session alone (SET, PREPARE, DECLARE) do not. */
function changesCatalog(entry: Expected): boolean {
  return runsOf(entry).some(({ statement: { command, effects } }) => {
    const { kind, dynamic, parsed } = command.facts
    if (effects.some(({ type }) => type === 'ddl') || dynamic || !parsed) return true
    return kind === 'ddl' || (kind === 'admin' && effects.length === 0)
  })
}

/** Plain reads and writes change neither parameters nor the catalog; anything else may, until it is answered. */
export function mayChangeMeaning({ command, effects }: Statement): boolean {
  const { kind, dynamic, parsed } = command.facts
  return effects.length > 0 || dynamic || !parsed || kind === 'ddl' || kind === 'admin'
}
