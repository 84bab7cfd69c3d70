/** Keeps a virtual core from halting, with time that nobody else wants; ends with whoever started it, however that ended. */
import { setPriority } from 'node:os'

const parent = process.ppid
// Where `chrt -i` started us this changes nothing; elsewhere it is the next best.
setPriority(19)
while (process.ppid === parent) {
  const until = performance.now() + 50
  while (performance.now() < until);
}
