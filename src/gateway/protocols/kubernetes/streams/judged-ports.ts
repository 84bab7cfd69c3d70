/**
 * Which ports of a pod may be reached, once the port-forward itself was allowed. Over SPDY the ports come behind the upgrade, so
 * each is judged when it is first asked for, as a command that differs in `port` alone. What held the whole has been approved
 * with it; another hold cannot be waited for, because what else goes over the connection would stand still.
 */
import type { Command } from '../../../../contract/command.ts'
import type { Refusal } from '../../../../contract/refusal.ts'
import type { Checkpoint, Permit } from '../../../checkpoint.ts'

export interface JudgedPorts {
  /** undefined: it may be reached. */
  ask(port: number): Promise<Refusal | undefined>
  moved(port: number, from: 'client' | 'upstream', bytes: number): void
  /** It is over: settles what was permitted. */
  settle(): { readonly bytesIn: number; readonly bytesOut: number; readonly summary: string }
}

interface Reached {
  readonly permit: Permit | undefined
  bytesIn: number
  bytesOut: number
}

/** More than anybody forwards; each is a command. */
const mostPorts = 1000

export function createJudgedPorts(
  opened: Command,
  { preview, clear, refuse, settle }: Checkpoint,
  signal: AbortSignal,
): JudgedPorts {
  const answers = new Map<number, Promise<Refusal | undefined>>()
  const reached = new Map<number, Reached>()

  async function judge(port: number): Promise<Refusal | undefined> {
    const command = portCommand(opened, port)
    const decision = preview(command)
    const isHeld = decision.verdict === 'hold'
    if (isHeld && decision.rule !== preview(opened).rule) return await refuse([command], 'a port cannot be held alone')
    if (isHeld) {
      reached.set(port, { permit: undefined, bytesIn: 0, bytesOut: 0 })
      return undefined
    }
    // The rules may change between two questions.
    const held = new AbortController()
    const asking = { signal: AbortSignal.any([signal, held.signal]), onHold: () => held.abort() }
    const clearance = await clear([command], asking)
    if ('refusal' in clearance) return clearance.refusal
    const [permit] = clearance.permits
    reached.set(port, { permit, bytesIn: 0, bytesOut: 0 })
    return undefined
  }

  return {
    ask(port) {
      const known = answers.get(port)
      if (known !== undefined) return known
      if (answers.size >= mostPorts) return refuse([portCommand(opened, port)], `more than ${mostPorts} ports`)
      const answer = judge(port)
      answers.set(port, answer)
      return answer
    },
    moved(port, from, bytes) {
      const end = reached.get(port)
      if (end === undefined) return
      if (from === 'client') end.bytesIn += bytes
      else end.bytesOut += bytes
    },
    settle() {
      let [bytesIn, bytesOut] = [0, 0]
      for (const end of reached.values()) {
        bytesIn += end.bytesIn
        bytesOut += end.bytesOut
        const moved = { bytesIn: end.bytesIn, bytesOut: end.bytesOut }
        if (end.permit !== undefined) settle(end.permit, { status: 'done', ...moved })
      }
      const ports = [...reached.keys()]
      return { bytesIn, bytesOut, summary: ports.length === 0 ? 'no port was used' : `ports ${ports.join(', ')}` }
    },
  }
}

/** `port` stands among the fields for rules; the object stays the pod. */
function portCommand(opened: Command, port: number): Command {
  const [first] = opened.actions
  if (first === undefined) throw new Error('a command without an action')
  const actions = [{ ...first, arguments: [String(port)] }]
  const text = [first.verb, ...first.objects, `port ${port}`].join(' ')
  const fields = [...(opened.fields ?? []), { at: 'port', value: String(port) }]
  return { ...opened, actions, objects: [...first.objects], text, fields }
}
