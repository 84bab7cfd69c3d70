/** What a replay shows, in order: a session's scenes, each recording where it began. Pure. */
import type { Recording } from '../../contract/api.ts'
import type { Scene } from '../scenes.ts'

export type Item =
  | { readonly kind: 'scene'; readonly atMs: number; readonly scene: Scene }
  | { readonly kind: 'recording'; readonly atMs: number; readonly recording: Recording }

/** Of the session's, or with `only` of this one command. */
export function programmeOf(
  scenes: readonly Scene[],
  recordings: readonly Recording[],
  only: string | undefined,
): readonly Item[] {
  const begun = Date.parse(scenes[0]?.at ?? recordings[0]?.started ?? '')
  const shown = scenes.filter((scene) => only === undefined || ('command' in scene && scene.command === only))
  const items = shown.map((scene): Item => ({ kind: 'scene', atMs: scene.atMs, scene }))
  for (const recording of recordings) {
    if (only !== undefined && recording.command !== only) continue
    const atMs = Math.max(0, Date.parse(recording.started) - begun)
    // Behind the question that it answers, whatever the clocks say; what happened while it went on comes after it.
    const asked = items.findIndex((item) => isOf(item, 'asked', recording.command))
    const later = items.findIndex(
      (item, at) => at > asked && (item.atMs > atMs || isOf(item, 'answered', recording.command)),
    )
    items.splice(later === -1 ? items.length : later, 0, { kind: 'recording', atMs, recording })
  }
  return items
}

function isOf(item: Item, scene: 'asked' | 'answered', command: string): boolean {
  return item.kind === 'scene' && item.scene.scene === scene && item.scene.command === command
}
