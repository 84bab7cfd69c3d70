/**
 * What a client asks, read out of its frames: SFTP version 3 (draft-ietf-secsh-filexfer-02, section 6) and the extensions
 * of OpenSSH (its PROTOCOL file, section 4; draft-ietf-secsh-filexfer-extensions-00 for copy-data and home-directory). Pure.
 */
import { type Attributes, readAttributes } from './attributes.ts'
import { Fields, type Frame } from './wire.ts'

export const requestTypes = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const

/** Bits of an open (6.3). */
export const openFlags = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const

export const extensions = {
  posixRename: 'posix-rename@openssh.com',
  statvfs: 'statvfs@openssh.com',
  fstatvfs: 'fstatvfs@openssh.com',
  hardlink: 'hardlink@openssh.com',
  fsync: 'fsync@openssh.com',
  lsetstat: 'lsetstat@openssh.com',
  limits: 'limits@openssh.com',
  expandPath: 'expand-path@openssh.com',
  copyData: 'copy-data',
  homeDirectory: 'home-directory',
  usersGroupsById: 'users-groups-by-id@openssh.com',
} as const

const understood: ReadonlySet<string> = new Set(Object.values(extensions))

export function isUnderstood(extension: string): boolean {
  return understood.has(extension)
}

/** A question about what is there, which changes nothing. */
export type Question = 'stat' | 'lstat' | 'readlink' | 'realpath' | 'statvfs' | 'expand-path' | 'home-directory'

export type Request =
  | { readonly kind: 'open'; readonly path: Buffer; readonly flags: number; readonly attributes: Attributes }
  | { readonly kind: 'close' | 'fstat' | 'readdir' | 'fstatvfs' | 'fsync'; readonly handle: Buffer }
  | { readonly kind: 'read'; readonly handle: Buffer; readonly offset: number; readonly length: number }
  | { readonly kind: 'write'; readonly handle: Buffer; readonly offset: number; readonly data: Buffer }
  | { readonly kind: 'ask'; readonly question: Question; readonly path: Buffer }
  | { readonly kind: 'setstat' | 'lsetstat'; readonly path: Buffer; readonly attributes: Attributes }
  | { readonly kind: 'fsetstat'; readonly handle: Buffer; readonly attributes: Attributes }
  | { readonly kind: 'opendir' | 'remove' | 'rmdir'; readonly path: Buffer }
  | { readonly kind: 'mkdir'; readonly path: Buffer; readonly attributes: Attributes }
  | { readonly kind: 'rename'; readonly from: Buffer; readonly to: Buffer; readonly replaces: boolean }
  /** `target` is what the link says, `link` is where it stands. */
  | { readonly kind: 'symlink' | 'hardlink'; readonly target: Buffer; readonly link: Buffer }
  | {
      readonly kind: 'copy'
      readonly from: Buffer
      readonly fromOffset: number
      /** 0: up to the end. */
      readonly length: number
      readonly to: Buffer
      readonly toOffset: number
    }
  | { readonly kind: 'names' }
  | { readonly kind: 'limits' }
  | { readonly kind: 'unknown'; readonly name: string }

export interface Asked {
  readonly id: number
  readonly request: Request
}

const client = 'the client'

/** Of a frame that is no INIT. Throws SftpBroken for one that is shorter than it says. */
export function readRequest(frame: Frame): Asked {
  const fields = new Fields(frame, client)
  const id = fields.uint32()
  return { id, request: requestOf(frame.type, fields) }
}

export function readInitVersion(frame: Frame): number {
  return new Fields(frame, client).uint32()
}

function requestOf(type: number, fields: Fields): Request {
  const path = () => fields.string()
  switch (type) {
    case requestTypes.open:
      return { kind: 'open', path: path(), flags: fields.uint32(), attributes: readAttributes(fields) }
    case requestTypes.close:
      return { kind: 'close', handle: fields.string() }
    case requestTypes.read:
      return { kind: 'read', handle: fields.string(), offset: fields.uint64(), length: fields.uint32() }
    case requestTypes.write:
      return { kind: 'write', handle: fields.string(), offset: fields.uint64(), data: fields.string() }
    case requestTypes.fstat:
      return { kind: 'fstat', handle: fields.string() }
    case requestTypes.readdir:
      return { kind: 'readdir', handle: fields.string() }
    case requestTypes.lstat:
      return { kind: 'ask', question: 'lstat', path: path() }
    case requestTypes.stat:
      return { kind: 'ask', question: 'stat', path: path() }
    case requestTypes.realpath:
      return { kind: 'ask', question: 'realpath', path: path() }
    case requestTypes.readlink:
      return { kind: 'ask', question: 'readlink', path: path() }
    case requestTypes.setstat:
      return { kind: 'setstat', path: path(), attributes: readAttributes(fields) }
    case requestTypes.fsetstat:
      return { kind: 'fsetstat', handle: fields.string(), attributes: readAttributes(fields) }
    case requestTypes.opendir:
      return { kind: 'opendir', path: path() }
    case requestTypes.remove:
      return { kind: 'remove', path: path() }
    case requestTypes.rmdir:
      return { kind: 'rmdir', path: path() }
    case requestTypes.mkdir:
      return { kind: 'mkdir', path: path(), attributes: readAttributes(fields) }
    case requestTypes.rename:
      return { kind: 'rename', from: path(), to: path(), replaces: false }
    case requestTypes.symlink:
      // OpenSSH has them in this order, against the draft, and everybody follows OpenSSH.
      return { kind: 'symlink', target: path(), link: path() }
    case requestTypes.extended:
      return extensionOf(fields.string().toString(), fields)
    default:
      return { kind: 'unknown', name: `request ${type}` }
  }
}

function extensionOf(name: string, fields: Fields): Request {
  switch (name) {
    case extensions.posixRename:
      return { kind: 'rename', from: fields.string(), to: fields.string(), replaces: true }
    case extensions.hardlink:
      return { kind: 'hardlink', target: fields.string(), link: fields.string() }
    case extensions.statvfs:
      return { kind: 'ask', question: 'statvfs', path: fields.string() }
    case extensions.fstatvfs:
      return { kind: 'fstatvfs', handle: fields.string() }
    case extensions.fsync:
      return { kind: 'fsync', handle: fields.string() }
    case extensions.lsetstat:
      return { kind: 'lsetstat', path: fields.string(), attributes: readAttributes(fields) }
    case extensions.limits:
      return { kind: 'limits' }
    case extensions.expandPath:
      return { kind: 'ask', question: 'expand-path', path: fields.string() }
    case extensions.homeDirectory:
      return { kind: 'ask', question: 'home-directory', path: fields.string() }
    case extensions.usersGroupsById:
      return { kind: 'names' }
    case extensions.copyData:
      return {
        kind: 'copy',
        from: fields.string(),
        fromOffset: fields.uint64(),
        length: fields.uint64(),
        to: fields.string(),
        toOffset: fields.uint64(),
      }
    default:
      return { kind: 'unknown', name: `extension ${name}` }
  }
}
