/**
 * What the conversation knows of its server session: reported parameters, the transaction, and what names of statements,
 * portals, cursors and settings mean. The statement reader looks at it through `SqlSession`.
 */
import type { Ledger } from './ledger.ts'
import type { TransactionStatus } from './messages.ts'
import { Names } from './names.ts'
import type { Effect, SqlSession, Statement } from './parts.ts'
import type { Portal, Prepared } from './prepared.ts'
import type { Catalog } from './sql/catalog.ts'

export class Session implements SqlSession {
  parameters: ReadonlyMap<string, string> = new Map()
  transaction: TransactionStatus = 'I'
  readonly statements = new Names<Prepared>()
  readonly portals = new Names<Portal>()
  readonly cursors = new Map<string, Statement>()
  readonly catalog: Catalog
  readonly #ledger: Ledger
  #settings = new Map<string, string | null>()
  /** Settings as they were when the transaction began, while one is open that changed some. */
  #before: Map<string, string | null> | undefined
  readonly #local = new Set<string>()
  #undone = false
  #mixed = false

  constructor(catalog: Catalog, ledger: Ledger) {
    this.catalog = catalog
    this.#ledger = ledger
  }

  get prepared(): ReadonlyMap<string, readonly Statement[]> {
    return new Map([...this.statements.view()].map(([name, prepared]) => [name, prepared.statements]))
  }

  get settings(): ReadonlyMap<string, string | null> {
    return this.#settings
  }

  get certain(): boolean {
    return !this.#ledger.isRestless
  }

  reported(name: string, value: string): void {
    this.parameters = new Map(this.parameters).set(name, value)
  }

  /** The server has done the statement. */
  apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'prepare':
          this.statements.accept(effect.name, { statements: effect.statements, types: [] })
          break
        case 'deallocate':
          this.statements.accept(effect.name, undefined)
          break
        case 'declare':
          this.cursors.set(effect.name, effect.statement)
          break
        case 'close':
          if (effect.name === undefined) this.cursors.clear()
          else this.cursors.delete(effect.name)
          // CLOSE ALL closes portals of the protocol too.
          this.#closePortals(effect.name)
          break
        case 'set':
          this.#set(effect)
          break
        case 'ddl':
          this.catalog.invalidate()
          break
        default:
          effect satisfies never
      }
    }
  }

  /** A command tag. `alone`: its Query holds no other command. */
  tagged(tag: string, alone: boolean): void {
    if (tag === 'ROLLBACK') this.#undone = true
    if (!alone && /^(BEGIN|START TRANSACTION|COMMIT|ROLLBACK|PREPARE TRANSACTION)$/.test(tag)) this.#mixed = true
  }

  /** An error: what the transaction has set so far will be undone. */
  failed(): void {
    this.#undone = true
  }

  /** ReadyForQuery: settings follow the transaction, portals end with it. */
  ready(status: TransactionStatus): void {
    this.transaction = status
    const before = this.#before
    if (before !== undefined && (this.#mixed || (this.#undone && status === 'T'))) this.#doubtSettings(before)
    if (status !== 'T') this.#mixed = false
    if (status === 'T') this.#undone = false
    if (status !== 'I') return
    // Only now others can see it: what they have learnt until now may be from before.
    if (this.#ledger.catalogMayHaveChanged()) this.catalog.invalidate()
    if (before !== undefined && this.#before !== undefined) {
      if (this.#undone) this.#settings = before
      else for (const name of this.#local) this.#restore(name, before)
      this.catalog.invalidate()
    }
    this.#before = undefined
    this.#undone = false
    this.#local.clear()
    this.#endPortals()
  }

  /** The conversation is over. */
  end(): void {
    // Whether the server still commits it, nobody hears any more.
    if (this.#ledger.catalogMayHaveChanged()) this.catalog.distrust()
    this.#endPortals()
  }

  #endPortals(): void {
    this.portals.drop((portal) => {
      portal.run?.settle({ status: 'done' })
      return true
    })
  }

  /** Several transactions in one Query, or back to a savepoint: what is set now, only the server knows. */
  #doubtSettings(before: ReadonlyMap<string, string | null>): void {
    for (const [name, value] of this.#settings) if (before.get(name) !== value) this.#settings.set(name, null)
    this.#before = undefined
  }

  #restore(name: string, before: ReadonlyMap<string, string | null>): void {
    const value = before.get(name)
    if (value === undefined) this.#settings.delete(name)
    else this.#settings.set(name, value)
  }

  #set({ name, value, local }: Extract<Effect, { type: 'set' }>): void {
    this.#before ??= new Map(this.#settings)
    if (name === undefined) {
      for (const known of this.#settings.keys()) this.#settings.set(known, null)
      // The empty name stands for every setting that is not named.
      this.#settings.set('', null)
      return
    }
    this.#settings.set(name, value)
    if (local) this.#local.add(name)
    else this.#local.delete(name)
  }

  #closePortals(name: string | undefined): void {
    this.portals.drop((portal) => {
      if (name !== undefined && portal.name.toString() !== name) return false
      portal.run?.settle({ status: 'done' })
      return true
    })
  }
}
