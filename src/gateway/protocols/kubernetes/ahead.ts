/**
 * kubectl says nothing while a request waits for people. But before most of what it does it reads the object, and says in
 * a header what for; a warning in that answer it prints at once. So whoever is about to wait is told beforehand. A
 * courtesy: what the header says is the client's own word, and nothing is decided by it. Pure.
 */
import type { Action, Command } from '../../../contract/command.ts'
import type { Decision } from '../../../contract/record.ts'
import { field, type RequestHead } from '../http/index.ts'
import type { ResourceCall } from './api-call.ts'
import { isUnbounded, kindOf, objectOf, reachesOf, verbOf } from './meaning.ts'

/** Of a pod: the subresource that is asked for next. */
const streamsOf: Readonly<Record<string, string>> = {
  'kubectl exec': 'exec',
  'kubectl cp': 'exec',
  'kubectl attach': 'attach',
  'kubectl port-forward': 'portforward',
}
/** The verb that is used on the object next. */
const verbsOf: Readonly<Record<string, string>> = {
  'kubectl annotate': 'patch',
  'kubectl apply': 'patch',
  'kubectl edit': 'patch',
  'kubectl label': 'patch',
  'kubectl patch': 'patch',
  'kubectl replace': 'update',
  'kubectl rollout restart': 'patch',
  'kubectl set image': 'patch',
}

/** The command that will probably follow this request, as far as it can be known. */
export function commandAhead(call: ResourceCall, { fields }: Pick<RequestHead, 'fields'>): Command | undefined {
  if (call.verb !== 'get' || call.subresource !== '') return undefined
  const said = field(fields, 'kubectl-command') ?? ''
  const stream = call.resource === 'pods' && Object.hasOwn(streamsOf, said) ? streamsOf[said] : undefined
  const verb = Object.hasOwn(verbsOf, said) ? verbsOf[said] : undefined
  if (stream !== undefined) return commandOf({ ...call, verb: 'create', subresource: stream })
  return verb === undefined ? undefined : commandOf({ ...call, verb })
}

function commandOf(call: ResourceCall): Command {
  const action: Action = {
    verb: verbOf(call),
    kind: kindOf(call),
    objects: [objectOf(call, undefined)],
    unbounded: isUnbounded(call),
  }
  const { verb, kind, objects } = action
  return {
    protocol: 'kubernetes',
    verb,
    objects,
    text: [verb, ...objects].join(' '),
    parameters: [],
    actions: [action],
    facts: { kind, unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [...reachesOf(call)] },
  }
}

/** A field line of RFC 7234, 5.5, that kubectl prints as `Warning: …`; undefined where nobody will have to wait. */
export function waitWarning({ actions: [action] }: Command, { verdict, reason }: Decision): string | undefined {
  if (verdict !== 'hold' || action === undefined) return undefined
  const what = `${action.verb} ${action.objects.join(', ')}`
  const text = `hoop: ${what} waits for people: ${reason}. kubectl says nothing meanwhile; "hoop approve --list" does`
  return `299 hoop "${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`
}
