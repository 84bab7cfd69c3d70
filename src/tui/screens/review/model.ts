/** The review screen's state, what changes it, and what it asks to be done. */
import type { Approval, ApprovalEvent, Decide, Me } from '../../../contract/api.ts'
import type { Connection } from '../../source.ts'
import type { Tone } from '../../theme.ts'
import type { Item } from './items.ts'

interface Deciding {
  readonly id: string
  /** Of what was shown when the question was asked: this is what is sent. */
  readonly digest: string
  readonly input: string
}

export type Prompt =
  | ({ readonly kind: 'approve' /** The word to type, or null. */; readonly confirm: string | null } & Deciding)
  | ({ readonly kind: 'deny' } & Deciding)
  | { readonly kind: 'filter'; readonly input: string /** What Esc goes back to. */; readonly before: string }

export interface Notice {
  readonly tone: Tone
  readonly text: string
}

export interface ReviewState {
  readonly me: Me
  /** Milliseconds since 1970. */
  readonly now: number
  readonly size: { readonly columns: number; readonly rows: number }
  readonly connection: Connection
  /** A snapshot has arrived: an empty list means that nothing waits. */
  readonly loaded: boolean
  readonly items: readonly Item[]
  /** Id of the approval that is looked at. Only the reviewer changes it while there is one. */
  readonly selected: string | null
  readonly listFrom: number
  readonly scroll: number
  readonly helpScroll: number
  /** Rows of the selected one's text that have been on the screen, counted from its beginning. */
  readonly seen: number
  readonly view: 'list' | 'detail' | 'help'
  /** Where help goes back to. */
  readonly before: 'list' | 'detail'
  readonly filter: string
  readonly prompt: Prompt | null
  /** Id of the approval whose decision is on its way. */
  readonly sending: string | null
  readonly notice: Notice | null
}

export type ReviewEvent =
  | { readonly type: 'arrived'; readonly event: ApprovalEvent }
  | { readonly type: 'connection'; readonly connection: Connection }
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  /** The gateway's answer to a decision of ours. */
  | { readonly type: 'decided'; readonly decision: Decide['decision']; readonly approval: Approval }
  | { readonly type: 'failed'; readonly id: string; readonly message: string }

export type ReviewEffect =
  | { readonly effect: 'decide'; readonly id: string; readonly wish: Decide }
  | { readonly effect: 'leave' }
