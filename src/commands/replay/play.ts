/** Plays a programme: scenes as text, recordings as they were shown. On a terminal in their time, elsewhere as plain text. */

import { sizeInWords } from '../../base/size.ts'
import { visibleLine } from '../../base/visible.ts'
import type { Recording } from '../../contract/api.ts'
import type { CastEvent } from '../../contract/asciicast.ts'
import type { Output } from '../output/output.ts'
import { createPlainText } from '../output/plain-text.ts'
import { createSafeTerminal } from '../output/safe-terminal.ts'
import { sceneText } from '../output/scene.ts'
import { inWords } from '../output/time.ts'
import type { LoadCast } from './cast.ts'
import type { Pace } from './pace.ts'
import type { Item } from './programme.ts'

export interface Stage {
  readonly load: LoadCast
  readonly pace: Pace
  readonly output: Output
  /** One command was asked for: all that is kept of its answer is shown. */
  readonly wholeAnswers: boolean
  /** Called with each recording that was fetched, before it is shown. */
  onLoaded(recording: Recording, sha256: string): void
}

type RecordingItem = Extract<Item, { kind: 'recording' }>

export async function play(items: readonly Item[], stage: Stage): Promise<void> {
  const { pace, output, wholeAnswers } = stage
  for (const item of items) {
    // There is no going back over lines that have been printed.
    do await pace.until(item.atMs)
    while (pace.takeRewind() !== undefined)
    if (pace.over) return
    if (item.kind === 'recording') await playRecording(item, stage)
    else await output.write(sceneText(item.scene, { style: output.style, columns: output.columns, wholeAnswers }))
    if (pace.over) return
  }
}

async function playRecording(item: RecordingItem, stage: Stage): Promise<void> {
  const { load, output, onLoaded, pace } = stage
  const cast = await load(item.recording)
  onLoaded(item.recording, cast.sha256)
  await output.write(titleOf(item, output))
  const last = cast.events.at(-1)
  // Over before the replay was asked to start.
  if (last !== undefined && pace.isPast(item.atMs + last.atMs)) return
  if (output.isTerminal) await onTerminal(item, cast.events, stage)
  else await asText(item, cast.events, stage)
  await output.write(endOf(item, output))
}

async function onTerminal(
  { atMs }: RecordingItem,
  events: readonly CastEvent[],
  { pace, output }: Stage,
): Promise<void> {
  let screen = createSafeTerminal()
  let atLineStart = true
  try {
    for (let index = 0; index < events.length && !pace.over; ) {
      const event = events[index]
      if (event === undefined) break
      await pace.until(atMs + event.atMs)
      const back = pace.takeRewind()
      if (back !== undefined) {
        await output.write(`${screen.restore()}\u001b[H\u001b[2J`)
        screen = createSafeTerminal()
        pace.restart(atMs, back)
        index = 0
        continue
      }
      if (pace.over) break
      index += 1
      if (event.code !== 'o') continue
      const text = screen.pass(event.data)
      if (text !== '') atLineStart = text.endsWith('\n')
      await output.write(text)
    }
  } finally {
    await output.write(`${screen.restore()}${atLineStart ? '' : '\n'}`)
  }
  // Written among what was shown they would tear its lines.
  for (const { atMs: at, code, data } of pace.over ? [] : events)
    if (code === 'm') await output.write(`${timeOf(atMs + at, output)}${output.style('waiting', visibleLine(data))}\n`)
}

async function asText({ atMs }: RecordingItem, events: readonly CastEvent[], { pace, output }: Stage): Promise<void> {
  const text = createPlainText()
  for (const event of events) {
    await pace.until(atMs + event.atMs)
    if (pace.over) return
    if (event.code === 'o') await output.write(text.pass(event.data))
    else if (event.code === 'm') await output.write(`${text.rest()}[${visibleLine(event.data)}]\n`)
  }
  await output.write(text.rest())
}

function titleOf({ atMs, recording }: RecordingItem, output: Output): string {
  const { title, command, width, height, bytes } = recording
  const fits = output.columns === undefined || output.columns >= width
  const size = `${width}x${height}${fits ? '' : ', wider than this terminal'}`
  const about = output.style('quiet', `(${command}, ${size}, ${sizeInWords(bytes)})`)
  return `${timeOf(atMs, output)}${output.style('heading', `recording of ${visibleLine(title)}`)} ${about}\n`
}

function endOf({ recording }: RecordingItem, output: Output): string {
  if (recording.state === 'ended') return ''
  const words =
    recording.state === 'live'
      ? 'goes on still: this is how far it is'
      : 'breaks off: the gateway stopped without warning'
  return `${' '.repeat(11)}${output.style('waiting', `the recording ${words}`)}\n`
}

function timeOf(atMs: number, output: Output): string {
  return output.style('quiet', `+${inWords(atMs)}`.padEnd(11))
}
