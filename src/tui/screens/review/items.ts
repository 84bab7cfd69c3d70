/**
 * The approvals on the screen, newest first. One that ends leaves, except while it is looked at: then it stays, marked, so
 * that nothing else slips under the reviewer's finger.
 */
import type { Approval, ApprovalEvent } from '../../../contract/api.ts'

export interface Item {
  readonly approval: Approval
  /** It was pending, and is no longer there after a lost connection: how it ended was not heard. */
  readonly gone: boolean
}

export function isPending(item: Item): boolean {
  return item.approval.state === 'pending' && !item.gone
}

export function apply(items: readonly Item[], event: ApprovalEvent, lookedAt: string | null): readonly Item[] {
  switch (event.event) {
    case 'beat':
      return items
    case 'snapshot': {
      const fresh = event.approvals.map((approval) => ({ approval, gone: false }))
      const there = new Set(event.approvals.map(({ id }) => id))
      const missed = items.filter(({ approval }) => approval.id === lookedAt && !there.has(approval.id))
      return order([...fresh, ...missed.map((item) => ({ ...item, gone: item.approval.state === 'pending' }))])
    }
    case 'changed':
      return order([
        ...items.filter(({ approval }) => approval.id !== event.approval.id),
        { approval: event.approval, gone: false },
      ])
    default:
      return event satisfies never
  }
}

/** Without those that have ended and are not looked at. */
export function tidy(items: readonly Item[], lookedAt: string | null): readonly Item[] {
  const stays = (item: Item): boolean => isPending(item) || item.approval.id === lookedAt
  return items.every(stays) ? items : items.filter(stays)
}

/** All words have to appear somewhere in what a reviewer sees of it. */
export function matches({ approval }: Item, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const { id, user, agent, target, reason, session, commands, needs } = approval
  const text = [
    ...[id, user, agent ?? '', target, reason ?? '', session],
    ...needs.map(({ rule }) => rule),
    // The beginning is enough to find it by, and a statement may have megabytes.
    ...commands.flatMap(({ asked }) => [asked.verb, ...asked.objects, asked.text.slice(0, 65_536)]),
  ]
    .join('\n')
    .toLowerCase()
  return words.every((word) => text.includes(word))
}

function order(items: Item[]): readonly Item[] {
  return items.sort(
    (a, b) => b.approval.created.localeCompare(a.approval.created) || compare(b.approval.id, a.approval.id),
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
