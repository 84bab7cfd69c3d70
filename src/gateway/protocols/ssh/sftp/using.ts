/** Requests about what is open: they belong to the permit that it was opened with, or are commands about its path. */
import { type Attributes, attributeWords } from './attributes.ts'
import { copyCommand, setstatCommand } from './commands.ts'
import type { Case, Desk } from './desk.ts'
import { Directory, File } from './handles.ts'
import type { Taken } from './ledger.ts'
import { readData, readNameCount, replyTypes, type Status, statusCodes } from './replies.ts'
import type { Request } from './requests.ts'
import { type Frame, SftpBroken } from './wire.ts'

type About<Kind extends Request['kind']> = Extract<Request, { kind: Kind }>
export type Using = Extract<Request, { readonly handle: Buffer }>

export function takeUsing(desk: Desk, on: Case, request: Using) {
  const { id, taken } = on
  const handle = desk.ledger.find(request.handle)
  if (handle === undefined) return desk.reply(id, noHandle)
  const { content, permit } = handle
  const paths = [handle.path]
  const resize = request.kind === 'fsetstat' ? sizeAlone(request.attributes) : undefined
  if (request.kind === 'fsetstat' && (resize === undefined || !(content instanceof File && content.modes.writes))) {
    const command = setstatCommand(handle.path, attributeWords(request.attributes), handle.dynamic)
    return desk.clear(on, command)
  }
  handle.asked += 1
  const note = (answered: Taken['answered']) => {
    taken.answered = (reply, status) => {
      handle.asked -= 1
      const shown = answered(reply, status)
      desk.ledger.settleIfDone(handle)
      return shown
    }
  }
  note(({ bytes }) => bytes)
  switch (request.kind) {
    case 'close':
      desk.ledger.forget(request.handle)
      note(({ bytes }, status) => {
        handle.isClosed = true
        if (content instanceof File && status !== undefined && status.code !== statusCodes.ok) content.failed(status)
        return bytes
      })
      return desk.pass(on, paths, permit)
    case 'read': {
      if (!(content instanceof File && content.modes.reads)) break
      taken.expects = replyTypes.data
      const { offset, length } = request
      note((reply, status) => {
        if (status === undefined) content.read(offset, dataOf(reply, length))
        else if (status.code === statusCodes.endOfFile) content.readToEnd()
        return reply.bytes
      })
      return desk.pass(on, paths, permit)
    }
    case 'write': {
      if (!(content instanceof File && content.modes.writes)) break
      const { offset, data } = request
      note(({ bytes }, status) => {
        if (status !== undefined && status.code !== statusCodes.ok) content.failed(status)
        return bytes
      })
      return desk.pass(on, paths, permit, () => content.write(offset, data))
    }
    case 'fsetstat':
      // Of a file that is being written: belongs to the writing.
      return desk.pass(on, paths, permit, () => {
        if (content instanceof File && resize !== undefined) content.resized(resize)
      })
    case 'readdir':
      if (!(content instanceof Directory)) break
      taken.expects = replyTypes.name
      note((reply, status) => {
        if (status === undefined) content.listed(readNameCount(reply))
        return reply.bytes
      })
      return desk.pass(on, paths, permit)
    case 'fstat':
      taken.expects = replyTypes.attrs
      return desk.pass(on, paths, permit)
    case 'fstatvfs':
      taken.expects = replyTypes.extended
      return desk.pass(on, paths, permit)
    case 'fsync':
      return desk.pass(on, paths, permit)
    default:
      return request satisfies never
  }
  handle.asked -= 1
  desk.reply(id, notOpenFor(request.kind))
}

export function takeCopy(desk: Desk, on: Case, request: About<'copy'>) {
  const { id } = on
  const [from, to] = [desk.ledger.find(request.from), desk.ledger.find(request.to)]
  if (from === undefined || to === undefined) return desk.reply(id, noHandle)
  if (!(from.content instanceof File && from.content.modes.reads)) return desk.reply(id, notOpenFor('read'))
  const target = to.content
  if (!(target instanceof File && target.modes.writes)) return desk.reply(id, notOpenFor('write'))
  desk.clear(on, copyCommand(from.path, to.path, from.dynamic || to.dynamic), () => {
    target.wasChanged()
    return undefined
  })
}

function sizeAlone({ size, ...others }: Attributes): number | undefined {
  return Object.keys(others).length === 0 ? size : undefined
}

const noHandle: Status = { code: statusCodes.failure, message: 'there is no such handle' }

function notOpenFor(kind: string): Status {
  return { code: statusCodes.permissionDenied, message: `it is not open for this (${kind})` }
}

function dataOf(reply: Frame, asked: number): Buffer {
  const data = readData(reply)
  if (data.length > asked) throw new SftpBroken('the target gives more than it was asked for')
  return data
}
