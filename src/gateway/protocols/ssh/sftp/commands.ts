/**
 * Requests → commands. What changes, shows or tells something is a command; what only goes on with what an earlier command
 * has opened (READ, WRITE, READDIR, FSTAT, CLOSE …) belongs to that one. Pure.
 */
import { isUtf8 } from 'node:buffer'
import type { Command, Parameter } from '../../../../contract/command.ts'
import { type FileAction, fileCommand, shownPath, withRemarks } from '../file-command.ts'
import { attributeWords } from './attributes.ts'
import { parentOf, resolvePath } from './paths.ts'
import { openFlags, type Request } from './requests.ts'

/** Requests that are commands by what they say; those about a handle are given its path as well (`handleCommand`). */
export type Naming = Extract<
  Request,
  {
    readonly kind:
      | 'open'
      | 'ask'
      | 'setstat'
      | 'lsetstat'
      | 'opendir'
      | 'remove'
      | 'rmdir'
      | 'mkdir'
      | 'rename'
      | 'symlink'
      | 'hardlink'
      | 'names'
  }
>

/** The command, or a sentence that says why it cannot be one. */
export type Understood = { readonly command: Command } | { readonly why: string }

export interface Modes {
  readonly reads: boolean
  readonly writes: boolean
}

const flagWords = [
  [openFlags.append, 'append'],
  [openFlags.create, 'create'],
  [openFlags.truncate, 'truncate'],
  [openFlags.exclusive, 'only if new'],
] as const
const knownFlags = Object.values(openFlags).reduce((all, flag) => all | flag, 0)

/** As OpenSSH reads them: an open that says neither reads; CREATE and TRUNCATE take effect in any case. */
export function modesOf(flags: number): Modes {
  const has = (flag: number) => (flags & flag) !== 0
  const isForWriting = has(openFlags.write)
  return {
    reads: has(openFlags.read) || !isForWriting,
    writes: isForWriting || has(openFlags.append) || has(openFlags.create) || has(openFlags.truncate),
  }
}

export function commandOf(request: Naming, start: string | undefined): Understood {
  if (request.kind === 'open' && (request.flags & ~knownFlags) !== 0)
    return { why: `it opens a file in a way that is not known (flags ${request.flags})` }
  const said = rawPathsOf(request)
  if (said.some((path) => path.includes(0))) return { why: 'its path has a NUL character in it' }
  const paths = new Paths(start)
  const wish = wishOf(request, paths)
  if (paths.isLost)
    return { why: 'it climbs out of the directory it begins in, and the target does not say which one that is' }
  return {
    command: fileCommand({
      actions: wish.actions,
      text: withRemarks(wish.text, [...(wish.remarks ?? []), ...paths.remarks]),
      dynamic: paths.isDynamic,
      parameters: said.filter((path) => !isUtf8(path)).map(inHexadecimal),
    }),
  }
}

/** Of what is asked about handles; `paths` are those that they were opened with. */
export function setstatCommand(path: string, words: readonly string[], dynamic: boolean): Command {
  const text = withRemarks(`sftp setstat ${shownPath(path)}`, words)
  return fileCommand({ actions: [{ verb: 'sftp setstat', kind: 'write', paths: [path] }], text, dynamic })
}

/** The target copies by itself: what one may read goes where one may write. */
export function copyCommand(from: string, to: string, dynamic: boolean): Command {
  return fileCommand({
    actions: [
      { verb: 'sftp read', kind: 'read', paths: [from] },
      { verb: 'sftp write', kind: 'write', paths: [to] },
    ],
    text: `sftp copy ${shownPath(from)} to ${shownPath(to)}`,
    dynamic,
  })
}

interface Wish {
  readonly actions: readonly [FileAction, ...FileAction[]]
  readonly text: string
  readonly remarks?: readonly string[]
}

/** Paths of one request, and what of them is not as it was sent. */
class Paths {
  readonly remarks: string[] = []
  isDynamic = false
  isLost = false
  readonly #start: string | undefined

  constructor(start: string | undefined) {
    this.#start = start
  }

  resolve(sent: Buffer, start = this.#start): string {
    const said = sent.toString()
    const path = resolvePath(said, start)
    if (path === undefined) this.isLost = true
    if (path?.startsWith('~') === true) this.isDynamic = true
    // A slash at the end says nothing else.
    if (path !== (said === '/' ? said : said.replace(/\/$/, ''))) this.remarks.push(`asked as ${shownPath(said)}`)
    return path ?? said
  }
}

function wishOf(request: Naming, paths: Paths): Wish {
  switch (request.kind) {
    case 'open':
      return openWish(request, paths.resolve(request.path))
    case 'ask':
      return askWish(request, paths)
    case 'setstat':
    case 'lsetstat':
      return {
        ...one('sftp setstat', 'write', paths.resolve(request.path)),
        remarks: [...attributeWords(request.attributes), ...(request.kind === 'lsetstat' ? ['of a link itself'] : [])],
      }
    case 'opendir':
      return one('sftp list', 'read', paths.resolve(request.path))
    case 'remove':
      return one('sftp remove', 'write', paths.resolve(request.path))
    case 'rmdir':
      return one('sftp rmdir', 'write', paths.resolve(request.path))
    case 'mkdir':
      return {
        ...one('sftp mkdir', 'write', paths.resolve(request.path)),
        remarks: attributeWords(request.attributes),
      }
    case 'rename': {
      const [from, to] = [paths.resolve(request.from), paths.resolve(request.to)]
      const remarks = request.replaces ? ['replacing what is there'] : []
      return { ...two('sftp rename', [from, to], `${shownPath(from)} to ${shownPath(to)}`), remarks }
    }
    case 'symlink': {
      const link = paths.resolve(request.link)
      // A link's own text begins where the link stands.
      const target = paths.resolve(request.target, parentOf(link))
      return two('sftp symlink', [link, target], `${shownPath(link)} to ${shownPath(target)}`)
    }
    case 'hardlink': {
      const [link, target] = [paths.resolve(request.link), paths.resolve(request.target)]
      return two('sftp link', [link, target], `${shownPath(link)} to ${shownPath(target)}`)
    }
    case 'names':
      return {
        actions: [{ verb: 'sftp stat', kind: 'read', paths: [] }],
        text: 'sftp stat (names of users and groups)',
      }
    default:
      return request satisfies never
  }
}

function openWish({ flags, attributes }: Extract<Naming, { kind: 'open' }>, path: string): Wish {
  const { reads, writes } = modesOf(flags)
  const words = flagWords.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => word)
  const read: FileAction = { verb: 'sftp read', kind: 'read', paths: [path] }
  const write: FileAction = { verb: 'sftp write', kind: 'write', paths: [path] }
  if (!writes) return { actions: [read], text: `sftp read ${shownPath(path)}`, remarks: words }
  const how = reads ? 'read and write' : 'write'
  return {
    actions: reads ? [read, write] : [write],
    text: `sftp ${how} ${shownPath(path)}`,
    remarks: [...words, ...attributeWords(attributes)],
  }
}

function askWish({ question, path: sent }: Extract<Naming, { kind: 'ask' }>, paths: Paths): Wish {
  // A person's home: a name, not a path.
  const isHome = question === 'home-directory' || (question === 'expand-path' && sent.toString().startsWith('~'))
  const path = isHome ? `~${sent.toString().replace(/^~/, '')}` : paths.resolve(sent)
  return { ...one('sftp stat', 'read', path), ...(question !== 'stat' && { remarks: [question] }) }
}

function one(verb: string, kind: FileAction['kind'], path: string): Wish {
  return { actions: [{ verb, kind, paths: [path] }], text: `${verb} ${shownPath(path)}` }
}

function two(verb: string, paths: readonly string[], text: string): Wish {
  return { actions: [{ verb, kind: 'write', paths }], text: `${verb} ${text}` }
}

function rawPathsOf(request: Naming): readonly Buffer[] {
  switch (request.kind) {
    case 'rename':
      return [request.from, request.to]
    case 'symlink':
    case 'hardlink':
      return [request.target, request.link]
    case 'names':
      return []
    default:
      return [request.path]
  }
}

/** What stands in the text as � is told apart by this. */
function inHexadecimal(path: Buffer): Parameter {
  return { value: `\\x${path.toString('hex')}`, type: 'path' }
}
