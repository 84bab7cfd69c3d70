/** Where in a session somebody typed or was shown a text: without regard to case, colours and the cuts between events. */
import type { CastEvent } from '../../contract/asciicast.ts'
import { createTerminalReader } from '../output/terminal-sequences.ts'
import type { LoadCast } from './cast.ts'
import type { Item } from './programme.ts'

/** Milliseconds since the session's beginning; undefined: nowhere. */
export async function findIn(items: readonly Item[], wanted: string, load: LoadCast): Promise<number | undefined> {
  const text = wanted.toLowerCase()
  for (const item of items) {
    if (item.kind === 'scene') {
      if (item.scene.scene === 'asked' && item.scene.text.toLowerCase().includes(text)) return item.atMs
      continue
    }
    const at = findInEvents((await load(item.recording)).events, text)
    if (at !== undefined) return item.atMs + at
  }
  return undefined
}

/** When the text was there whole. */
export function findInEvents(events: readonly CastEvent[], text: string): number | undefined {
  const looks = { o: createLook(text), i: createLook(text) }
  return events.find(({ code, data }) => (code === 'o' || code === 'i') && looks[code](data))?.atMs
}

function createLook(wanted: string): (text: string) => boolean {
  let tail = ''
  const read = createTerminalReader({
    text(text) {
      tail += text.toLowerCase()
    },
    control(character) {
      if (character === '\n') tail += '\n'
    },
    escape() {},
    sequence() {},
  })
  return (text) => {
    read(text)
    const found = tail.includes(wanted)
    // What is left may be the beginning of it.
    tail = tail.slice(Math.max(0, tail.length - wanted.length + 1))
    return found
  }
}
