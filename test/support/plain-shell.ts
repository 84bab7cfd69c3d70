/** A reader of command lines for tests of what is not about their grammar: the first word is the program. */
import type { ShellReader } from '../../src/gateway/protocols/shell/reader.ts'

export const plainShell: ShellReader = {
  read: (line) => readWords(line.trim().split(/\s+/)),
  readArguments: readWords,
}

function readWords([program = '', ...words]: readonly string[]): ReturnType<ShellReader['read']> {
  const action = { verb: `exec ${program}`, kind: 'write' as const, objects: [], unbounded: false, arguments: words }
  return {
    actions: [action],
    objects: [],
    facts: {
      kind: 'write',
      unbounded: false,
      dynamic: false,
      parsed: true,
      functions: [program],
      reaches: ['program'],
    },
  }
}
