/**
 * What a request would do, in lines for people: whoever reviews a held one should not have to read a manifest to see which
 * image, how many replicas, and whose rights. Pure.
 */
import { pointerOf, stepsOf } from '../../../base/json-pointer.ts'
import type { ResourceCall } from './api-call.ts'
import type { Body, PatchForm } from './body.ts'
import { at, isObject, type Json, leavesOf, listAt, textAt } from './json.ts'
import { isSecret } from './meaning.ts'
import { powersIn } from './powers.ts'

/** More lines than anybody reads. */
const mostLines = 40

export function changeLines(call: ResourceCall, body: Body): readonly string[] {
  const lines = [...bodyLines(call, body), ...(isDryRun(call, body) ? ['a dry run: nothing of it is kept'] : [])]
  if (lines.length <= mostLines) return lines
  return [...lines.slice(0, mostLines), `and ${lines.length - mostLines} lines more`]
}

export function isDryRun({ query }: ResourceCall, body: Body): boolean {
  const asked = body.kind === 'value' && body.patch === undefined ? listAt(body.value, 'dryRun') : []
  return query.all('dryRun').includes('All') || asked.includes('All')
}

function bodyLines(call: ResourceCall, body: Body): readonly string[] {
  if (body.kind === 'unread') return [body.why]
  if (call.verb === 'delete' || call.verb === 'deletecollection') return deleteLines(call, body)
  if (body.kind === 'none') return []
  const { value, patch } = body
  // What moves a Secret's values is told by where it goes, never by what it is.
  if (patch === 'json-patch') return [...operationLines(value, isSecret(call)), ...powersIn(value, patch)]
  return [
    ...formLines(call, patch),
    ...kindLines(value, isSecret(call)),
    ...leafLines(value, isSecret(call)),
    ...powersIn(value, patch),
  ]
}

function deleteLines({ query, verb }: ResourceCall, body: Body): readonly string[] {
  const options = body.kind === 'value' ? body.value : null
  const propagation = textAt(options, 'propagationPolicy') ?? query.first('propagationPolicy')
  const grace = at(options, 'gracePeriodSeconds') ?? query.first('gracePeriodSeconds')
  const selector = query.first('labelSelector') ?? query.first('fieldSelector')
  return [
    ...(verb === 'deletecollection' ? [selector === undefined ? 'all of them' : `those with ${selector}`] : []),
    ...(propagation === 'Orphan' ? ['what depends on it stays'] : []),
    ...(propagation === 'Foreground' ? ['what depends on it goes first'] : []),
    ...(propagation === 'Background' ? ['what depends on it goes too'] : []),
    ...(String(grace) === '0' ? ['at once, without its grace period'] : []),
  ]
}

function formLines({ query }: ResourceCall, patch: PatchForm | undefined): readonly string[] {
  const forced = /^(?:true|1)$/i.test(query.first('force') ?? '')
  if (patch === 'apply') return [forced ? 'applied, taking over what others manage' : 'applied']
  return []
}

/** What matters of some kinds, and is more than one value. */
function kindLines(value: Json, secret: boolean): readonly string[] {
  const role = at(value, 'roleRef')
  const keys = secret ? keysOf(value) : []
  return [
    ...(role === undefined ? [] : [`grants ${textAt(role, 'kind') ?? 'a role'} ${textAt(role, 'name') ?? ''}`]),
    ...listAt(value, 'subjects').map((subject) => `to ${subjectOf(subject)}`),
    ...listAt(value, 'rules').map(ruleLine),
    ...(keys.length === 0 ? [] : [`values of ${keys.join(', ')}`]),
    ...listAt(value, 'spec', 'ports').map(portLine),
  ]
}

function keysOf(value: Json): readonly string[] {
  return ['data', 'stringData'].flatMap((name) => {
    const values = at(value, name)
    return isObject(values) ? Object.keys(values) : []
  })
}

function subjectOf(subject: Json): string {
  const namespace = textAt(subject, 'namespace')
  const name = textAt(subject, 'name') ?? ''
  return `${textAt(subject, 'kind') ?? 'somebody'} ${namespace === undefined ? name : `${namespace}/${name}`}`
}

function ruleLine(rule: Json): string {
  const texts = (name: string) => listAt(rule, name).map(String).join(', ')
  const what = texts('resources') || texts('nonResourceURLs')
  return `lets them ${texts('verbs')} ${what}`
}

function portLine(port: Json): string {
  const target = at(port, 'targetPort')
  const aim = target === undefined || target === null || typeof target === 'object' ? '' : ` to ${String(target)}`
  return `port ${String(at(port, 'port'))}${aim}`
}

const told: ReadonlySet<string> = new Set(['image', 'replicas', 'serviceAccountName', 'schedule', 'suspend', 'paused'])

/** Values that say what runs, wherever they stand. */
function leafLines(value: Json, secret: boolean): readonly string[] {
  if (secret) return []
  const lines: string[] = []
  for (const leaf of leavesOf(value)) {
    const name = leaf.path.at(-1) ?? ''
    if (told.has(name) && leaf.path.includes('spec')) lines.push(`${name} ${String(leaf.value)}`)
    if (name === 'type' && leaf.path.length === 2 && leaf.path[0] === 'spec') lines.push(`type ${String(leaf.value)}`)
  }
  for (const command of commandsIn(value)) lines.push(`runs ${command}`)
  return [...new Set(lines)]
}

/** The `command` and `args` of containers. */
function commandsIn(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((inner: Json) => commandsIn(inner))
  if (!isObject(value)) return []
  const words = [...listAt(value, 'command'), ...listAt(value, 'args')].filter((word) => typeof word === 'string')
  const own = words.length > 0 && textAt(value, 'name') !== undefined ? [words.map(quoted).join(' ')] : []
  return [...own, ...Object.values(value).flatMap(commandsIn)]
}

/** `add /spec/replicas 3`. */
function operationLines(value: Json, secret: boolean): readonly string[] {
  if (!Array.isArray(value)) return []
  return value.map((operation: Json) => {
    const name = textAt(operation, 'op') ?? '?'
    const path = pointerOf(stepsOf(textAt(operation, 'path') ?? ''))
    const from = textAt(operation, 'from')
    const brought = at(operation, 'value')
    const said = brought === undefined || secret ? '' : ` ${shortened(JSON.stringify(brought))}`
    return `${name} ${from === undefined ? '' : `${from} → `}${path}${said}`
  })
}

/** A word as a shell would want it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}
