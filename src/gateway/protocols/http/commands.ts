/** A request → what is asked, as policy, reviewers and the audit see it (facts/ reads its parts). Pure. */
import { compileTemplate, type PathTemplate } from '../../../base/path-template.ts'
import { createRecent } from '../../../base/recent.ts'
import { type Action, type Command, type Facts, type Field, type Kind, kinds } from '../../../contract/command.ts'
import type { Target } from '../protocol.ts'
import type { Request, RequestHead } from './exchange.ts'
import { readBody } from './facts/body.ts'
import { headText, recordedFields } from './facts/head-text.ts'
import { mediaOf } from './facts/media.ts'
import { methodsNamed, pathsNamed } from './facts/overrides.ts'
import { pathFields, queryFields } from './facts/parameters.ts'
import { type PathReadings, readingsOf } from './facts/path-readings.ts'

/** Everything that is text, or holds named values. What does not say what it is may be either. */
export function needsBody(head: RequestHead): boolean {
  return head.body !== 'none' && mediaOf(head).kind !== 'other'
}

/** Never throws: what is not understood has facts that say so. */
export function commandOf(request: Request, target: Target): Command {
  const { head } = request
  const recorded = recordedFields(head)
  const text = headText(head, recorded)
  const known = knownOf(target)
  if (head.body !== 'none') return read(request, recorded, text, known)
  // Clients ask the same again and again; and the same command is judged, and made ready for the audit, once.
  const before = known.commands.get(text)
  if (before !== undefined) return before
  const command = read(request, recorded, text, known)
  known.commands.set(text, command, text.length)
  return command
}

function read(request: Request, recorded: RequestHead['fields'], text: string, known: Known): Command {
  const { head } = request
  const line = lineOf(head, known)
  const body = readBody(request, mediaOf(head))
  const fields: readonly Field[] = [
    ...line.fields,
    ...recorded.map(([name, value]) => ({ at: `header:${name.toLowerCase()}`, value })),
    ...body.fields,
  ]
  const methods = methodsNamed(head, fields)
  const paths = pathsNamed(head).map(readingsOf)
  const doubt = body.doubt ?? [line.path, ...paths].find(({ doubt }) => doubt !== undefined)?.doubt ?? doubtOf(methods)
  const isPlain = doubt === undefined && methods?.length === 0 && paths.length === 0
  const command = isPlain ? line.command : unlike(line, methods ?? [], paths, doubt)
  return { ...command, text: written(text, doubt, body.text), parameters: [], fields }
}

function doubtOf(methods: readonly string[] | undefined): string | undefined {
  return methods === undefined ? 'it names another method in a way that is not clear' : undefined
}

/** A message as HTTP writes it, with a line of ours for whoever wants to know why it was not understood. */
function written(head: string, doubt: string | undefined, body: string | undefined): string {
  const whole = doubt === undefined ? head : `${head}\nHoop-Doubt: ${doubt}`
  return body === undefined ? whole : `${whole}\n\n${body}`
}

type Judged = Pick<Command, 'protocol' | 'verb' | 'objects' | 'actions' | 'facts'>

/** What a request line comes to by itself. */
interface Line {
  readonly method: string
  readonly path: PathReadings
  readonly fields: readonly Field[]
  readonly command: Judged
}

/** What was found out for one target. */
interface Known {
  readonly templates: readonly PathTemplate[]
  readonly lines: ReturnType<typeof createRecent<Line>>
  readonly commands: ReturnType<typeof createRecent<Command>>
}

const knownByTemplates = new WeakMap<readonly string[], Known>()
const noTemplates: readonly string[] = []

function knownOf({ http }: Target): Known {
  const texts = http?.paths ?? noTemplates
  const before = knownByTemplates.get(texts)
  if (before !== undefined) return before
  const known: Known = {
    templates: texts.map(compileTemplate),
    lines: createRecent(1000, 1024 * 1024, 4096),
    commands: createRecent(1000, 1024 * 1024, 4096),
  }
  knownByTemplates.set(texts, known)
  return known
}

function lineOf({ method, target }: RequestHead, { templates, lines }: Known): Line {
  const key = `${method} ${target}`
  const before = lines.get(key)
  if (before !== undefined) return before
  const mark = target.indexOf('?')
  const path = readingsOf(mark < 0 ? target : target.slice(0, mark))
  const fields = [...pathFields(path.readings, templates), ...queryFields(mark < 0 ? '' : target.slice(mark + 1))]
  const line = { method, path, fields, command: judged([actionOf(method, path.readings)], false) }
  lines.set(key, line, key.length)
  return line
}

/** A request that may come to something other than its line says, or that is not understood. */
function unlike(
  { method, path }: Line,
  methods: readonly string[],
  paths: readonly PathReadings[],
  doubt: string | undefined,
): Judged {
  const actions = [method, ...methods].flatMap((method) =>
    [path, ...paths].map(({ readings }) => actionOf(method, readings)),
  )
  return judged(actions, doubt !== undefined)
}

function judged(given: readonly Action[], isDoubted: boolean): Judged {
  // Fail closed: of what is not understood nobody knows that it only reads.
  const actions = isDoubted ? given.map((action) => ({ ...action, kind: 'admin' as const })) : [...given]
  const facts: Facts = {
    kind: kinds.find((kind) => actions.some((action) => action.kind === kind)) ?? 'admin',
    unbounded: false,
    dynamic: false,
    parsed: !isDoubted,
    functions: [],
    reaches: [],
  }
  const objects = [...new Set(actions.flatMap(({ objects }) => objects))]
  return { protocol: 'http', verb: actions[0]?.verb ?? '', objects, actions, facts }
}

function actionOf(method: string, readings: readonly string[]): Action {
  return { verb: method, kind: kindOf.get(method) ?? 'admin', objects: [...readings], unbounded: false }
}

/** By the names as RFC 9110 writes them: `get` is another method, and nobody knows which. */
const kindOf: ReadonlyMap<string, Kind> = new Map([
  ['GET', 'read'],
  ['HEAD', 'read'],
  ['OPTIONS', 'read'],
  ['POST', 'write'],
  ['PUT', 'write'],
  ['PATCH', 'write'],
  ['DELETE', 'write'],
])
