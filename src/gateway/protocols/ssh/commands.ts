/** What is asked, as commands. Pure. The files of sftp and scp are read in their own folders. */
import type { Action, Command } from '../../../contract/command.ts'
import type { ShellReader } from '../shell/reader.ts'
import type { LineCommands } from '../terminal/line-judge.ts'

/** `terminal`: it runs on one, or was typed at one. */
export function execCommand(line: string, reader: ShellReader, terminal = false): Command {
  const { actions, objects, facts } = reader.read(line, { terminal })
  return {
    protocol: 'ssh',
    verb: actions[0].verb,
    objects,
    text: line,
    parameters: [],
    actions,
    facts,
  }
}

/** `-L`, `-D` and `-W`: a connection that the target makes for the client. */
export function forwardCommand(host: string, port: number): Command {
  return reachCommand('forward', host, port)
}

/** `-R`: a port at the target whose connections come to the client. */
export function reverseForwardCommand(host: string, port: number): Command {
  return reachCommand('reverse-forward', host, port)
}

/** A shell to type in: what is typed there are commands of their own. */
export const shellCommand: Command = adminCommand('shell', [], ['program'])

/** What is typed in a shell, or comes to it from a script. */
export function lineCommands(reader: ShellReader): LineCommands {
  return {
    line: (text) => execCommand(text, reader, true),
    hidden: unknownCommand('hidden-input', 'typed where nothing is shown', true),
    unreadable: unknownCommand('shell', 'a line that cannot be read', false),
    unsendable,
  }
}

function unknownCommand(verb: string, text: string, parsed: boolean): Command {
  const command = adminCommand(verb, [], ['program'])
  return { ...command, text, facts: { ...command.facts, dynamic: true, parsed } }
}

/** Of anything but sftp. */
export function subsystemCommand(name: string): Command {
  return adminCommand('subsystem', [name], ['program'])
}

function reachCommand(verb: string, host: string, port: number): Command {
  // An address of IPv6 has colons of its own; an empty one means every address of the target.
  return adminCommand(verb, [`${host.includes(':') ? `[${host}]` : host || '*'}:${port}`], ['network'])
}

function adminCommand(verb: string, objects: string[], reaches: Command['facts']['reaches']): Command {
  const action: Action = { verb, kind: 'admin', objects, unbounded: false }
  return {
    protocol: 'ssh',
    verb,
    objects,
    text: [verb, ...objects].join(' '),
    parameters: [],
    actions: [action],
    facts: { kind: 'admin', unbounded: false, dynamic: false, parsed: true, functions: [], reaches },
  }
}

/**
 * Why a line cannot be forwarded as it was asked, if so. ssh2 hands it over as text: bytes that are not UTF-8 have been
 * replaced by then, and what would run is not what was asked. OpenSSH ends the connection at a NUL.
 */
export function unsendable(line: string): string | undefined {
  if (line.includes('\ufffd')) return 'the command line is not valid UTF-8, so it cannot be forwarded as it was written'
  if (line.includes('\0')) return 'the command line has a NUL character in it'
  return undefined
}
