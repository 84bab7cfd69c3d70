/** What is asked of files, as a command: the same for sftp and for scp's old protocol. Pure. */
import type { Action, Command, Kind, Parameter } from '../../../contract/command.ts'
import { kinds } from '../../../contract/command.ts'

export interface FileWish {
  readonly actions: readonly [FileAction, ...FileAction[]]
  readonly text: string
  /** Where it will happen cannot be known (the directory that a relative path begins in). */
  readonly dynamic: boolean
  readonly parameters?: readonly Parameter[]
}

export interface FileAction {
  /** `sftp read` */
  readonly verb: string
  readonly kind: Kind
  readonly paths: readonly string[]
}

export function fileCommand({ actions, text, dynamic, parameters = [] }: FileWish): Command {
  const asActions = actions.map(
    ({ verb, kind, paths }): Action => ({ verb, kind, objects: [...new Set(paths)], unbounded: false }),
  )
  return {
    protocol: 'ssh',
    verb: actions[0].verb,
    objects: [...new Set(actions.flatMap(({ paths }) => paths))],
    text,
    parameters: [...parameters],
    actions: asActions,
    facts: {
      kind: kinds.find((kind) => actions.some((action) => action.kind === kind)) ?? 'admin',
      unbounded: false,
      dynamic,
      parsed: true,
      functions: [],
      reaches: ['file'],
    },
  }
}

/** What the gateway does not understand: the worst class, and never forwarded. */
export function unknownFileCommand(text: string): Command {
  const command = fileCommand({ actions: [{ verb: 'sftp unknown', kind: 'admin', paths: [] }], text, dynamic: false })
  return { ...command, facts: { ...command.facts, parsed: false } }
}

/** A path in a command's text: quoted where it would otherwise not be plain where it ends. */
export function shownPath(path: string): string {
  return /^[\p{L}\p{N}/._~@%+=:,-]+$/u.test(path) ? path : JSON.stringify(path)
}

/** `a file (create, mode 0644)` */
export function withRemarks(text: string, remarks: readonly string[]): string {
  return remarks.length === 0 ? text : `${text} (${remarks.join(', ')})`
}
