/**
 * Names whose meaning changes by messages that the server has not answered yet. A change counts from the moment it is
 * forwarded, is made real when the server accepts it, and is forgotten when the server skips it after an error: what runs
 * under a name must be what was judged under that name. Pure.
 */

interface Change<V> {
  /** undefined: every name. */
  readonly name: string | undefined
  /** undefined: the name means nothing any more. */
  readonly value: V | undefined
  /** Which run of messages up to a Sync it belongs to: the server accepts or skips within one, not across. */
  readonly group: number
}

export interface Meaning<V> {
  readonly value: V | undefined
  /** In doubt until this group is answered; undefined: certain. */
  readonly group: number | undefined
}

export class Names<V> {
  readonly #accepted = new Map<string, V>()
  readonly #pending: Change<V>[] = []

  /** Returns what to call when the server has accepted (true) or skipped (false) it. */
  change(name: string | undefined, value: V | undefined, group: number): (accepted: boolean) => void {
    const change = { name, value, group }
    this.#pending.push(change)
    return (accepted) => {
      this.#pending.splice(this.#pending.indexOf(change), 1)
      if (accepted) this.accept(name, value)
    }
  }

  /** A change that is real already. */
  accept(name: string | undefined, value: V | undefined): void {
    if (name === undefined) this.#accepted.clear()
    else if (value === undefined) this.#accepted.delete(name)
    else this.#accepted.set(name, value)
  }

  meaning(name: string): Meaning<V> {
    const change = this.#pending.findLast((change) => change.name === name || change.name === undefined)
    if (change === undefined) return { value: this.#accepted.get(name), group: undefined }
    return { value: change.name === undefined ? undefined : change.value, group: change.group }
  }

  /** Is there a change of a group before this one that the server has not answered? */
  doubtfulBefore(group: number): boolean {
    return this.#pending.some((change) => change.group < group && change.name !== '')
  }

  /** Every name and what it means with all changes applied. */
  view(): ReadonlyMap<string, V> {
    if (this.#pending.length === 0) return this.#accepted
    const all = new Map(this.#accepted)
    for (const { name, value } of this.#pending) {
      if (name === undefined) all.clear()
      else if (value === undefined) all.delete(name)
      else all.set(name, value)
    }
    return all
  }

  accepted(): ReadonlyMap<string, V> {
    return this.#accepted
  }

  /** Forgets accepted names, all or those that fit. */
  drop(fits: (value: V) => boolean): void {
    for (const [name, value] of this.#accepted) if (fits(value)) this.#accepted.delete(name)
  }
}
