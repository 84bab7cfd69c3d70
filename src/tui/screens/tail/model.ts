/** The tail screen's state, what changes it, and what it asks to be done. */
import type { AuditRecord } from '../../../contract/record.ts'
import type { Connection, TailFilter } from '../../source.ts'

export interface TailState {
  readonly size: { readonly columns: number; readonly rows: number }
  readonly connection: Connection
  /** The latest records, oldest first: bounded in number and in size. */
  readonly kept: readonly AuditRecord[]
  /** Those of them that fit the filter. */
  readonly shown: readonly AuditRecord[]
  /** Characters of text in `kept`. */
  readonly weight: number
  /** All that ever arrived. */
  readonly received: number
  readonly filter: TailFilter
  /** The newest is selected, whatever comes. */
  readonly following: boolean
  /** Number of the selected record. */
  readonly selected: number | null
  readonly listFrom: number
  /** Of those shown, how many came since following stopped. */
  readonly fresh: number
  readonly view: 'list' | 'record' | 'help'
  readonly before: 'list' | 'record'
  /** The record that is open: kept here, since the list may lose it meanwhile. */
  readonly opened: AuditRecord | null
  readonly scroll: number
  readonly helpScroll: number
  /** The filter being typed. */
  readonly prompt: string | null
  readonly notice: string | null
}

export type TailEvent =
  /** In one piece what came within a moment: each event is at most one frame. */
  | { readonly type: 'arrived'; readonly records: readonly AuditRecord[] }
  | { readonly type: 'connection'; readonly connection: Connection }
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }

export interface TailEffect {
  readonly effect: 'leave'
}
