/** Announced files and directories → commands, in the words of sftp: rules need not know which way a file goes. Pure. */
import type { Command } from '../../../../contract/command.ts'
import { type FileAction, fileCommand, shownPath, withRemarks } from '../file-command.ts'
import { resolvePath } from '../sftp/paths.ts'
import type { ScpCall } from './call.ts'
import type { Announcement } from './messages.ts'
import { ScpBroken } from './wire.ts'

export type Named = Extract<Announcement, { kind: 'file' | 'directory' }>

/** `inside`: the directories that were announced around it. `start`: the login's home, where it is known. */
export function announcedCommand(
  call: ScpCall,
  named: Named,
  inside: readonly string[],
  start: string | undefined,
): Command {
  const sent = pathsOf(call, [...inside, named.name])
  const paths = sent.map((path) => resolvePath(path, start))
  const known = paths.filter((path) => path !== undefined)
  if (known.length < paths.length)
    throw new ScpBroken(`${call.path} climbs out of the home directory, and the target does not say which one that is`)
  const { verb, kind } = words[call.direction][named.kind]
  const remarks = [
    'scp',
    ...(named.kind === 'file' ? [`${named.size} bytes`] : []),
    ...(call.direction === 'upload' ? [`mode ${named.mode}`] : []),
  ]
  return fileCommand({
    actions: [{ verb, kind, paths: known }],
    text: withRemarks(`${verb} ${known.map(shownPath).join(' or ')}`, remarks),
    dynamic: known.some((path) => path.startsWith('~')),
  })
}

const words: Readonly<
  Record<ScpCall['direction'], Readonly<Record<Named['kind'], Pick<FileAction, 'verb' | 'kind'>>>>
> = {
  upload: { file: { verb: 'sftp write', kind: 'write' }, directory: { verb: 'sftp mkdir', kind: 'write' } },
  download: { file: { verb: 'sftp read', kind: 'read' }, directory: { verb: 'sftp list', kind: 'read' } },
}

/**
 * What is taken goes into the path where that is a directory, and otherwise becomes it: only the target knows, so both are
 * named. What is given is the path itself, or what is below it.
 */
function pathsOf({ direction, path, intoDirectory, hasPattern }: ScpCall, names: readonly string[]): readonly string[] {
  const below = [path, ...names].join('/')
  const [, ...deeper] = names
  const itself = [path, ...deeper].join('/')
  if (direction === 'upload') return intoDirectory ? [below] : [below, itself]
  if (!hasPattern) return [itself]
  return [[path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.', ...names].join('/')]
}

/** A target that is asked for one file and names another (CVE-2019-6111). */
export function isAskedFor({ path, hasPattern }: ScpCall, named: Named, inside: readonly string[]): boolean {
  if (hasPattern || inside.length > 0) return true
  const last = path.replace(/(?!^)\/+$/, '').replace(/^.*\//s, '')
  return last === named.name
}
