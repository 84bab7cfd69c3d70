/** A line for a shell that runs in a pod, as a command. Pure. */
import type { Action, Command } from '../../../../contract/command.ts'
import type { ShellReader } from '../../shell/reader.ts'
import type { LineCommands } from '../../terminal/line-judge.ts'

/** `opened`: the command that the shell was opened with; what a rule may ask of it, it may ask of each line. */
export function lineCommandsIn(opened: Command, shell: ShellReader): LineCommands {
  const where = { protocol: opened.protocol, parameters: [], ...(opened.fields && { fields: opened.fields }) }

  function unknown(verb: string, text: string, parsed: boolean): Command {
    const action: Action = { verb, kind: 'admin', objects: [], unbounded: false }
    const facts = {
      kind: 'admin',
      unbounded: false,
      dynamic: true,
      parsed,
      functions: [],
      reaches: ['program'],
    } as const
    return {
      ...where,
      verb,
      objects: [],
      text,
      actions: [action],
      facts: { ...facts, functions: [], reaches: ['program'] },
    }
  }
  return {
    line(text) {
      const { actions, objects, facts } = shell.read(text, { terminal: true })
      return { ...where, verb: actions[0].verb, objects, text, actions, facts }
    },
    hidden: unknown('hidden-input', 'typed where nothing is shown', true),
    unreadable: unknown('shell', 'a line that cannot be read', false),
    unsendable(text) {
      if (text.includes('\ufffd')) return 'the line is not valid UTF-8, so it cannot be judged as it was written'
      if (text.includes('\0')) return 'the line has a NUL character in it'
      return undefined
    },
  }
}
