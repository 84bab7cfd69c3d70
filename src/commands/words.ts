/** Which words of a command line are ours, and which another program's. */

export interface Words {
  readonly own: readonly string[]
  readonly rest: readonly string[]
}

/** Options before the target of `hoop ssh` that take a value. */
const valued: readonly string[] = ['--gateway', '--reason', '--agent']

/**
 * What comes after `--` is another program's business, and what comes after the target of `hoop ssh` is ssh's: their options
 * are not ours.
 */
export function splitWords(argv: readonly string[]): Words {
  const [command, target] = operandsOf(argv)
  if (command !== undefined && argv[command] === 'ssh')
    return target === undefined ? { own: argv, rest: [] } : splitAt(argv, target + 1, target + 1)
  const dashes = argv.indexOf('--')
  return dashes === -1 ? { own: argv, rest: [] } : splitAt(argv, dashes, dashes + 1)
}

function splitAt(argv: readonly string[], end: number, begin: number): Words {
  return { own: argv.slice(0, end), rest: argv.slice(begin) }
}

/** Where the words are that are neither options nor their values. */
function operandsOf(argv: readonly string[]): readonly number[] {
  const found: number[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (valued.includes(word)) at += 1
    else if (!word.startsWith('-')) found.push(at)
  }
  return found
}
