/** Kubernetes, among the protocols that are spoken over HTTP: made for one connection, and for whoever stands behind it. */
import type { Clock } from '../../../base/clock.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Checkpoint, Masks } from '../../checkpoint.ts'
import {
  type AnswerHead,
  areLookedAt,
  type Cleared,
  type Dialect,
  keeperUnder,
  mediaType,
  outwardUnder,
  type Request,
  type RequestHead,
  type Results,
  resultsUnder,
} from '../http/index.ts'
import type { Credential, Target } from '../protocol.ts'
import type { ShellReader } from '../shell/reader.ts'
import { askingForJson, takesJson } from './accept.ts'
import { commandAhead, waitWarning } from './ahead.ts'
import { type ApiCall, readCall } from './api-call.ts'
import { readBody } from './body.ts'
import { commandOf } from './commands.ts'
import { streamsAskedBy } from './exec.ts'
import { isSecret, isStream } from './meaning.ts'
import { impersonating, withoutIdentity } from './outward.ts'
import { inDiscovery, statusOf } from './refusals.ts'
import type { SecondTries } from './second-try.ts'
import { recordMasksFor, withSecretsMasked } from './secret-masks.ts'
import { guessesSecretValue, movesSecretValue, writesMaskedValue } from './secret-values.ts'
import type { StreamsAsked } from './streams/asked.ts'
import { followableOffer } from './streams/negotiation.ts'
import { relayStreams } from './streams/relay.ts'

export interface DialectParts {
  readonly shell: ShellReader
  readonly clock: Clock
  readonly secondTries: SecondTries
  readonly target: Target
  readonly bearer: Credential['bearer']
  readonly preview: Checkpoint['preview']
}

export function createDialect(parts: DialectParts): Dialect {
  const { shell, clock, secondTries, preview } = parts
  const keyOf = (head: RequestHead) => JSON.stringify([parts.bearer.session, parts.target.name, head.target])
  /** The answer to the second try that is being refused at the moment; requests of a connection come one by one. */
  let again: Refusal | undefined

  return {
    protocol: 'kubernetes',

    needsBody(head) {
      const call = callOf(head)
      // What goes through a proxy is another server's business, and may be of any size.
      return head.body !== 'none' && call.kind === 'resource' && call.subresource !== 'proxy' && !isStream(call)
    },

    command: (request) => commandOf(request, shell),

    unsendable(request, target) {
      const { head } = request
      const call = callOf(head)
      if (call.kind === 'doubtful') return call.doubt
      if (followable(withoutIdentity(head)) === undefined) return unfollowable
      again = isSecondTry(head) ? secondTries.take(keyOf(head), clock.elapsed()) : undefined
      if (again !== undefined) return again.message.replace(/^refused: /, '')
      if (call.kind === 'resource' && call.subresource !== 'proxy' && call.query.first('access_token') !== undefined)
        return 'its query has a token in it'
      return call.kind === 'resource' && isSecret(call) && areHidden(target) ? whyNotSecret(request) : undefined
    },

    outward(head, target, bearer, masks) {
      const bare = withoutIdentity(head)
      const plain = impersonating(followable(bare) ?? bare, target, bearer)
      const call = callOf(head)
      const needed = masksFor(call, masks, target)
      return outwardUnder(needed, areLookedAt(needed) && call.kind === 'resource' ? askingForJson(plain) : plain)
    },

    refusal(refusal, head, status) {
      const told = again ?? refusal
      again = undefined
      if (head?.upgrade === 'websocket' && isStreamHead(head) && followable(withoutIdentity(head)) !== undefined)
        secondTries.refused(keyOf(head), told, clock.elapsed())
      const answer = statusOf(told, status ?? (told.code === 'not-understood' ? statusOfForm(head) : undefined))
      return head !== undefined && isDiscovery(head) ? inDiscovery(answer, told) : answer
    },

    results(cleared, answer, target) {
      const { head } = cleared.request
      const call = callOf(head)
      const results = resultsFor(call, cleared, answer, target)
      if (call.kind !== 'resource' || results.kind === 'withheld') return results
      const ahead = commandAhead(call, head)
      const warning = ahead === undefined ? undefined : waitWarning(ahead, preview(ahead))
      return warning === undefined ? results : withWarning(results, answer, warning)
    },

    keeper({ permit, request }, answer) {
      const call = callOf(request.head)
      const masks = call.kind === 'resource' ? recordMasksFor(call, permit.recordMasks) : permit.recordMasks
      return keeperUnder(masks, permit.sampleBytes, answer)
    },

    unupgradable(cleared) {
      return isStreamHead(cleared.request.head) ? undefined : 'only exec, attach and port-forward change the protocol'
    },

    async upgraded(upgraded) {
      const asked = streamsOf(upgraded.cleared.request.head)
      // Such an upgrade is not sent (unupgradable).
      if (asked === undefined) throw new Error('an upgrade that is no stream')
      await relayStreams(upgraded, asked, { shell, clock })
    },
  }
}

function callOf(head: Pick<RequestHead, 'method' | 'target'>): ApiCall {
  return readCall(head.method, head.target)
}

function streamsOf(head: RequestHead): StreamsAsked | undefined {
  const call = callOf(head)
  return call.kind === 'resource' ? streamsAskedBy(call) : undefined
}

function isStreamHead(head: RequestHead): boolean {
  return streamsOf(head) !== undefined
}

/** Without what the gateway cannot follow; undefined: nothing of it could be followed. */
function followable(head: RequestHead): RequestHead | undefined {
  const asked = head.upgrade === undefined ? undefined : streamsOf(head)
  return asked === undefined ? head : followableOffer(head, asked.kind)
}

function areHidden({ kubernetes }: Target): boolean {
  return kubernetes?.secrets !== 'show'
}

/** Of a request about Secrets whose values this client is not shown. */
function whyNotSecret(request: Request): string | undefined {
  if (!takesJson(request.head)) return 'Secrets are shown as JSON only, because their values are masked'
  const body = readBody(request)
  if (body.kind !== 'value') return undefined
  if (writesMaskedValue(body.value))
    return 'it writes a masked value back, which would destroy the real one: leave out the values that you cannot see'
  if (movesSecretValue(body.value, body.patch))
    return 'it copies what may be a value of the Secret to where it would be seen'
  return guessesSecretValue(body.value, body.patch) ? 'it tests what may be a value of the Secret' : undefined
}

/** Of everything that says what the API is: nobody's data, and large. */
const schema = /^\/(?:api|apis|openapi|version|healthz|livez|readyz)(?:\/|$)/

function masksFor(call: ApiCall, masks: Masks, target: Target): Masks {
  return call.kind === 'resource' && isSecret(call) && areHidden(target) ? withSecretsMasked(masks) : masks
}

function resultsFor(call: ApiCall, { permit, request }: Cleared, answer: AnswerHead, target: Target): Results {
  if (call.kind === 'url' && schema.test(call.path)) return { kind: 'untouched' }
  const masks = masksFor(call, permit.masks, target)
  const hides = masks !== permit.masks || masks.hasFields
  const isFormless = mediaType(answer.fields) !== 'application/json' && mediaType(answer.fields) !== undefined
  // Members can be told apart in JSON only; a plain sentence about an error has none.
  if (hides && call.kind === 'resource' && call.subresource === '' && isFormless && answer.status < 300)
    return { kind: 'withheld', reason: `it is ${mediaType(answer.fields)}, and only JSON can be masked` }
  return resultsUnder(masks, request.head.method, answer)
}

function withWarning(results: Exclude<Results, { kind: 'withheld' }>, answer: AnswerHead, warning: string): Results {
  const line = ['Warning', warning] as const
  if (results.kind === 'through') return { ...results, fields: [...results.fields, line] }
  const fields = [...answer.fields, line]
  return {
    kind: 'through',
    fields,
    through: [],
    headWaits: false,
    trailers: (trailers) => trailers,
    masked: () => false,
  }
}

const unfollowable = 'it offers no protocol for its streams that can be followed here'

/** Where clients know what to make of it: the form of what they sent, or of what they want. */
function statusOfForm(head: RequestHead | undefined): number | undefined {
  if (head === undefined) return undefined
  if (/protobuf|cbor/.test(mediaType(head.fields) ?? '')) return 415
  return takesJson(head) ? undefined : 406
}

function isSecondTry(head: RequestHead): boolean {
  return head.method === 'POST' && head.upgrade === 'spdy/3.1' && isStreamHead(head)
}

/** What kubectl asks before anything else. */
function isDiscovery({ target }: RequestHead): boolean {
  return /^\/apis?(?:\?.*)?$/.test(target)
}
