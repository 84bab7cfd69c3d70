/** What a line was found to do, put together: actions in the order of the line, and facts about the whole of it. */
import { type Action, type Facts, type Kind, kinds } from '../../../contract/command.ts'
import type { Reach } from './programs/meaning.ts'
import type { Reading } from './reading.ts'

/** More than any line does: what goes beyond is not judged. */
const mostActions = 1000

export class Found {
  dynamic = false
  readonly actions: Action[] = []
  readonly programs = new Set<string>()
  readonly reaches = new Set<Reach>()

  add(action: Action, reaches: readonly Reach[] = [], at = this.actions.length): void {
    this.actions.splice(at, 0, action)
    for (const reach of reaches) this.reaches.add(reach)
  }

  reading(): Reading | undefined {
    const [first = nothing, ...others] = this.actions
    if (others.length >= mostActions) return undefined
    const actions: [Action, ...Action[]] = [first, ...others]
    const facts: Facts = {
      kind: kinds.find((kind: Kind) => actions.some((action) => action.kind === kind)) ?? 'admin',
      unbounded: actions.some(({ unbounded }) => unbounded),
      dynamic: this.dynamic,
      parsed: true,
      functions: [...this.programs],
      reaches: [...this.reaches],
    }
    return { actions, objects: [...new Set(actions.flatMap(({ objects }) => objects))], facts }
  }
}

/** An empty line, a comment. */
const nothing: Action = { verb: 'nothing', kind: 'read', objects: [], unbounded: false }

/** Nothing can be said of it but the worst. */
export function notUnderstood(): Reading {
  return {
    actions: [{ verb: 'exec', kind: 'admin', objects: [], unbounded: false }],
    objects: [],
    facts: { kind: 'admin', unbounded: false, dynamic: true, parsed: false, functions: [], reaches: ['program'] },
  }
}
