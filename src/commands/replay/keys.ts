/** Keys while a recording plays: space, arrows, + and -, q. */
import type { Runtime } from '../../runtime.ts'
import type { Pace } from './pace.ts'

const jumpMs = 5000

export const keysHelp = 'space pauses, ← and → go 5 s, + and - change the speed, q ends'

const actions: Readonly<Record<string, (pace: Pace) => void>> = {
  ' ': (pace) => pace.pause(),
  '\u001b[C': (pace) => pace.jump(jumpMs),
  '\u001b[D': (pace) => pace.jump(-jumpMs),
  '\u001bOC': (pace) => pace.jump(jumpMs),
  '\u001bOD': (pace) => pace.jump(-jumpMs),
  '+': (pace) => pace.change(2),
  '-': (pace) => pace.change(0.5),
  q: (pace) => pace.stop(),
  // In raw mode Ctrl-C is a key like others.
  '\u0003': (pace) => pace.stop(),
}

/** Takes the keyboard until it is given back. */
export function listenToKeys({ stdin }: Runtime['io'], pace: Pace): () => void {
  const onData = (chunk: Buffer | string) => {
    for (const [key] of chunk.toString().matchAll(/\u001b[[O][A-D]|[\s\S]/g)) actions[key]?.(pace)
  }
  stdin.setRawMode(true)
  stdin.on('data', onData)
  stdin.resume()
  return () => {
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
