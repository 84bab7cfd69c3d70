/** Requests that name what they are about: each a command of its own, or a question that one covers already. */
import type { Command } from '../../../../contract/command.ts'
import type { Permit } from '../../../checkpoint.ts'
import { unknownFileCommand } from '../file-command.ts'
import { commandOf, modesOf, type Naming } from './commands.ts'
import type { Case, Desk } from './desk.ts'
import { Directory, File, type Handle } from './handles.ts'
import type { Known } from './known.ts'
import { withheld } from './refusals.ts'
import { readHandle, replyTypes } from './replies.ts'
import type { Question } from './requests.ts'

export interface Surroundings {
  readonly desk: Desk
  readonly known: Known
  /** The directory in which relative paths begin. */
  readonly start: string | undefined
}

export function takeNaming(around: Surroundings, on: Case, request: Naming) {
  const { desk, start } = around
  const { id, taken } = on
  const understood = commandOf(request, start)
  if ('why' in understood) return desk.forbid(id, unknownFileCommand(`sftp ${request.kind}`), understood.why)
  const { command } = understood
  const path = command.objects[0] ?? ''
  switch (request.kind) {
    case 'open': {
      const modes = modesOf(request.flags)
      return desk.clear(on, command, (permit) => {
        if (modes.reads && permit.masks.hasDetectors) return withheld(path)
        opens(around, on, path, command, permit, () => new File(modes))
        return undefined
      })
    }
    case 'opendir':
      return desk.clear(on, command, (permit) => {
        opens(around, on, path, command, permit, () => new Directory())
        return undefined
      })
    case 'ask':
      return takeQuestion(around, on, request.question, command, path)
    case 'names':
      taken.expects = replyTypes.extended
      return desk.clear(on, command)
    default:
      return desk.clear(on, command)
  }
}

function takeQuestion({ desk, known }: Surroundings, on: Case, question: Question, command: Command, path: string) {
  const { taken } = on
  taken.expects = replyOf(question)
  const covering = known.covers(question, path)
  // The record of it stands; the rules may have changed since.
  if (covering !== undefined && desk.wouldAllow(command)) return desk.pass(on, command.objects, covering)
  desk.clear(on, command, (permit) => {
    known.told(question, path, permit)
    return undefined
  })
}

/** A HANDLE as the answer makes the command one that lasts until its CLOSE. */
function opens(
  { desk, known }: Surroundings,
  { taken }: Case,
  path: string,
  command: Command,
  permit: Permit,
  contentOf: () => Handle['content'],
): void {
  taken.expects = replyTypes.handle
  const settled = taken.answered
  taken.answered = (reply, status) => {
    if (status !== undefined) return settled(reply, status)
    const content = contentOf()
    const { dynamic } = command.facts
    desk.ledger.open(readHandle(reply), { path, dynamic, permit, content, asked: 0, isClosed: false })
    if (content instanceof Directory) known.listed(path, permit)
    return reply.bytes
  }
}

function replyOf(question: Question): number {
  switch (question) {
    case 'stat':
    case 'lstat':
      return replyTypes.attrs
    case 'readlink':
    case 'realpath':
    case 'expand-path':
    case 'home-directory':
      return replyTypes.name
    case 'statvfs':
      return replyTypes.extended
    default:
      return question satisfies never
  }
}
