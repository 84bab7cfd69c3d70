/**
 * What a target answers, read out of its frames, and the answers that the gateway gives itself
 * (draft-ietf-secsh-filexfer-02, section 7). Pure.
 */
import { isUnderstood } from './requests.ts'
import { Fields, type Frame, longestFrame, message, SftpBroken } from './wire.ts'

export const replyTypes = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 201,
} as const

export const statusCodes = {
  ok: 0,
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const

/** The codes' own words, for servers that give none. */
const statusWords = [
  'ok',
  'end of file',
  'no such file',
  'permission denied',
  'failure',
  'bad message',
  'no connection',
  'connection lost',
  'not supported',
]

/** The version that sshd speaks, to whoever offers more. */
export const version = 3

export interface Status {
  readonly code: number
  readonly message: string
}

const target = 'the target'

export function readReplyId(frame: Frame): number {
  return new Fields(frame, target).uint32()
}

/** Behind the id. */
function bodyOf(frame: Frame): Fields {
  const fields = new Fields(frame, target)
  fields.uint32()
  return fields
}

export function readStatus(frame: Frame): Status {
  const fields = bodyOf(frame)
  const code = fields.uint32()
  // Some servers leave the words out.
  const given = fields.left > 0 ? fields.string().toString() : ''
  return { code, message: given === '' ? (statusWords[code] ?? `status ${code}`) : given }
}

/** A view, as the data is. */
export function readHandle(frame: Frame): Buffer {
  return bodyOf(frame).string()
}

export function readData(frame: Frame): Buffer {
  return bodyOf(frame).string()
}

export function readNameCount(frame: Frame): number {
  return bodyOf(frame).uint32()
}

/** The one name that a REALPATH is answered with. */
export function readFirstName(frame: Frame): Buffer | undefined {
  const fields = bodyOf(frame)
  return fields.uint32() > 0 ? fields.string() : undefined
}

export function statusReply(id: number, code: number, sentence: string): Buffer {
  return message(replyTypes.status, id, code, sentence, '')
}

/**
 * The target's VERSION as the client shall see it: without the extensions that the gateway does not understand, so that
 * nobody uses what would be refused. The very same bytes where there are none.
 */
export function shownVersion(frame: Frame): Buffer {
  const fields = new Fields(frame, target)
  const spoken = fields.uint32()
  if (spoken !== version)
    throw new SftpBroken(`the target speaks SFTP version ${spoken}; the gateway understands version ${version}`)
  const shown: Buffer[] = []
  let isWhole = true
  while (fields.left > 0) {
    const [name, data] = [fields.string(), fields.string()]
    if (isUnderstood(name.toString())) shown.push(name, data)
    else isWhole = false
  }
  return isWhole ? frame.bytes : message(replyTypes.version, version, ...shown)
}

/** The target's limits, none of them above what the gateway takes: longest packet, read, write; number of handles. */
export function shownLimits(frame: Frame): Buffer {
  const limits = Buffer.from(frame.bytes)
  const longest = BigInt(longestFrame)
  // Behind a READ's or WRITE's data stand a handle, an offset and lengths.
  const longestData = longest - 1024n
  const body = 4 + 1 + 4
  for (const [at, most] of [longest, longestData, longestData].entries()) {
    if (limits.length < body + at * 8 + 8) break
    const given = limits.readBigUInt64BE(body + at * 8)
    if (given === 0n || given > most) limits.writeBigUInt64BE(most, body + at * 8)
  }
  return limits
}
