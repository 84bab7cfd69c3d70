/** A programme for programs: one object for each scene and recording; of one command also what was shown and typed. */
import type { CastCode } from '../../contract/asciicast.ts'
import type { Output } from '../output/output.ts'
import type { LoadCast } from './cast.ts'
import type { Item } from './programme.ts'

const scenes: Readonly<Record<CastCode, string>> = { o: 'shown', i: 'typed', r: 'resized', m: 'marked', x: 'exited' }

export async function printItems(
  items: readonly Item[],
  output: Output,
  { load, withEvents }: { readonly load: LoadCast; readonly withEvents: boolean },
): Promise<void> {
  for (const item of items) {
    if (item.kind === 'scene') {
      await output.item(item.scene)
      continue
    }
    const { atMs, recording } = item
    const { started: at, ...about } = recording
    await output.item({ atMs, at, scene: 'recording', ...about })
    if (!withEvents) continue
    for (const event of (await load(recording)).events) {
      const { command } = recording
      await output.item({ atMs: atMs + event.atMs, scene: scenes[event.code], command, text: event.data })
    }
  }
}
