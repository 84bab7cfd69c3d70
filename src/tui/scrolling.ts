/** How far each movement goes, in a list or a text. */

export const movements = ['up', 'down', 'pageUp', 'pageDown', 'top', 'bottom'] as const
export type Movement = (typeof movements)[number]

/** The place after moving in `count` things of which `page` are seen at once. */
export function move(at: number, movement: Movement, count: number, page: number): number {
  const steps: Record<Movement, number> = {
    up: -1,
    down: 1,
    pageUp: -Math.max(1, page - 1),
    pageDown: Math.max(1, page - 1),
    top: -count,
    bottom: count,
  }
  return Math.max(0, Math.min(count - 1, at + steps[movement]))
}

/** Where a list of `count` has to start for `selected` to be seen, moving as little as possible. */
export function reveal(from: number, selected: number, count: number, page: number): number {
  const least = Math.max(0, selected - page + 1)
  return Math.max(0, Math.min(Math.max(least, Math.min(from, selected)), Math.max(0, count - page)))
}
