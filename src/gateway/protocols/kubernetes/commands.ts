/** A request → what is asked, as policy, reviewers and the audit see it. Pure. */
import { pointerOf } from '../../../base/json-pointer.ts'
import { type Action, type Command, type Facts, type Field, type Kind, kinds } from '../../../contract/command.ts'
import type { Request, RequestHead } from '../http/index.ts'
import type { ShellReader } from '../shell/reader.ts'
import { type ApiCall, type ResourceCall, readCall, type UrlCall } from './api-call.ts'
import { type Body, bodyType, protobufType, readBody } from './body.ts'
import { changeLines } from './change.ts'
import { attachLines, readExec, throughKubelet } from './exec.ts'
import { type Json, leavesOf, textAt } from './json.ts'
import { isSecret, isStream, isUnbounded, kindOf, objectOf, reachesOf, verbOf } from './meaning.ts'
import { powersIn } from './powers.ts'
import { withoutSecretValues } from './secret-values.ts'

/** Fields of a request's head that say what its body is and who made it. Their values are no secrets. */
const recorded: ReadonlySet<string> = new Set(['content-type', 'kubectl-command'])

/** Never throws: what is not understood has facts that say so. */
export function commandOf(request: Request, shell: ShellReader): Command {
  const call = readCall(request.head.method, request.head.target)
  try {
    return call.kind === 'resource' ? resourceCommand(call, request, shell) : otherCommand(call, request)
  } catch {
    // Fail closed: whatever it was that could not be read.
    return notUnderstood(request, 'it could not be read')
  }
}

function otherCommand(call: Exclude<ApiCall, ResourceCall>, request: Request): Command {
  return call.kind === 'url' ? urlCommand(call, request) : notUnderstood(request, call.doubt)
}

/** `/version`, `/apis`, `/openapi/v3`: read by every client; nothing of it is anybody's data. */
function urlCommand({ verb, path, query }: UrlCall, request: Request): Command {
  const isRead = ['get', 'head', 'options'].includes(verb)
  const action: Action = { verb, kind: isRead ? 'read' : 'admin', objects: [path], unbounded: false }
  return {
    ...commandFrom([action], request, isRead ? [] : [`a body of ${sizeOf(request)}`], undefined),
    fields: query.pairs.map(([name, value]) => ({ at: `query:${name}`, value })),
  }
}

function resourceCommand(call: ResourceCall, request: Request, shell: ShellReader): Command {
  const body = readBody(request)
  const value = body.kind === 'value' ? body.value : undefined
  const shown = shownValue(call, body)
  const powers =
    value === undefined || isSecret(call) ? [] : powersIn(value, body.kind === 'value' ? body.patch : undefined)
  const running = isStream(call) && call.subresource === 'exec' ? readExec(call, shell) : undefined
  const own = { ...ownAction(call, value), ...(powers.length > 0 ? { kind: 'admin' as const } : {}) }
  const main: Action = running === undefined ? own : { ...own, arguments: [...running.argv] }
  const behind = call.resource === 'nodes' && call.subresource === 'proxy' ? throughKubelet(call, shell) : []
  const lines = running?.lines ?? (call.subresource === 'attach' ? attachLines(call) : changeLines(call, body))
  const command = commandFrom(
    [main, ...(running?.reading.actions ?? []), ...behind],
    request,
    lines,
    writtenBody(body, shown, request),
  )
  const reading = running?.reading.facts
  const facts: Facts = {
    ...command.facts,
    dynamic: (reading?.dynamic ?? false) || call.subresource === 'attach' || behind.length > 0,
    // The path says what is touched; but who changes something in a way that nobody has read may change anything.
    parsed: body.kind !== 'unread' && (reading?.parsed ?? true),
    functions: reading?.functions ?? [],
    reaches: [
      ...new Set([...reachesOf(call), ...(reading?.reaches ?? []), ...(powers.length > 0 ? ['server' as const] : [])]),
    ],
  }
  return { ...command, facts, fields: fieldsOf(call, shown) }
}

function ownAction(call: ResourceCall, value: Json | undefined): Action {
  const prefix = textAt(value, 'metadata', 'generateName')
  const named = textAt(value, 'metadata', 'name') || (prefix === undefined ? undefined : `${prefix}*`)
  const object = objectOf(call, call.verb === 'create' ? named : undefined)
  return { verb: verbOf(call), kind: kindOf(call), objects: [object], unbounded: isUnbounded(call) }
}

function commandFrom(
  actions: readonly [Action, ...Action[]],
  { head }: Request,
  lines: readonly string[],
  body: string | undefined,
): Command {
  const [first] = actions
  return {
    protocol: 'kubernetes',
    verb: first.verb,
    objects: [...new Set(actions.flatMap(({ objects }) => objects))],
    text: textOf(head, lines, body),
    parameters: [],
    actions: [...actions],
    facts: {
      kind: worst(actions),
      unbounded: actions.some(({ unbounded }) => unbounded),
      dynamic: false,
      parsed: true,
      functions: [],
      reaches: [],
    },
  }
}

function notUnderstood(request: Request, doubt: string): Command {
  const verb = request.head.method.toLowerCase()
  const action: Action = { verb, kind: 'admin', objects: [], unbounded: true }
  const command = commandFrom([action], request, [doubt], undefined)
  return { ...command, facts: { ...command.facts, dynamic: true, parsed: false, reaches: ['server'] } }
}

function worst(actions: readonly Action[]): Kind {
  return kinds.find((kind) => actions.some((action) => action.kind === kind)) ?? 'admin'
}

/** An HTTP message, with lines of ours among its header fields: what it comes to. */
function textOf({ method, target, fields }: RequestHead, lines: readonly string[], body: string | undefined): string {
  const head = [
    `${method} ${target}`,
    ...lines.map((line) => `Hoop-Summary: ${line.replaceAll(/[\r\n]+/g, ' ')}`),
    ...fields.flatMap(([name, value]) => (recorded.has(name.toLowerCase()) ? [`${name}: ${value}`] : [])),
  ].join('\n')
  return body === undefined ? head : `${head}\n\n${body}`
}

/** What a request brings, as it may be written down and asked for by rules: without the values of Secrets, and tokens. */
function shownValue(call: ResourceCall, body: Body): Json | undefined {
  if (body.kind !== 'value') return undefined
  if (isSecret(call)) return withoutSecretValues(body.value, body.patch)
  return call.resource === 'tokenreviews' ? 'a token' : body.value
}

/** As it came, where nothing in it is hidden and it is text. */
function writtenBody(body: Body, shown: Json | undefined, request: Request): string | undefined {
  if (body.kind === 'none') return undefined
  if (body.kind === 'unread') return `(${sizeOf(request)} that were not read)`
  const asItCame = shown === body.value && request.body !== undefined && bodyType(request.head) !== protobufType
  return asItCame ? Buffer.from(request.body).toString('utf8') : JSON.stringify(shown)
}

function sizeOf({ head, body }: Request): string {
  if (body !== undefined) return `${body.length} bytes`
  return typeof head.body === 'object' ? `${head.body.bytes} bytes` : 'bytes'
}

/** For rules. */
function fieldsOf(call: ResourceCall, shown: Json | undefined): readonly Field[] {
  const { group, version, resource, subresource, namespace, name, query } = call
  const fields: Field[] = [
    ...Object.entries({ group, version, resource, subresource, namespace, name }).flatMap(([at, value]) =>
      value === '' && at !== 'group' ? [] : [{ at, value }],
    ),
    ...query.pairs.map(([at, value]) => ({ at: `query:${at}`, value })),
  ]
  if (shown === undefined) return fields
  for (const { path, value } of leavesOf(shown)) {
    fields.push({ at: `body:${pointerOf(path)}`, value: String(value) })
  }
  return fields
}
