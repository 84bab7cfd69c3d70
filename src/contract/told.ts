/** What was asked and what came of it, in words that are the same in every list and on every screen. Not yet safe to print. */
import { sizeInWords } from '../base/size.ts'
import type { Action, Command, ProtocolName } from './command.ts'
import type { Answer, Outcome } from './record.ts'
import { isRequest, readRequestText } from './request-text.ts'

/** A program that runs, be it asked for alone or typed into a shell. */
export function isCommandLine({ protocol, verb }: Pick<Command, 'protocol' | 'verb'>): boolean {
  return protocol === 'ssh' && /^exec\b/.test(verb)
}

/** `rm` of an action that runs a program. */
export function programOf({ verb }: Pick<Action, 'verb'>): string | undefined {
  return /^exec (.+)$/.exec(verb)?.[1]
}

/** A word as one would type it: in quotes where a shell would not leave it whole. */
export function quotedWord(word: string): string {
  return /^[\w@%+=:,./~*?-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** What should make a reviewer wary beyond what is listed as done. */
export function warningsOf({ protocol, facts, actions }: Command): readonly string[] {
  const found: string[] = []
  if (!facts.parsed) found.push(notUnderstood[protocol])
  if (facts.dynamic) found.push('runs code that is made while it runs: it may do more than is listed here')
  if (protocol === 'postgres') {
    if (facts.reaches.length > 0) found.push(`reaches outside the data: ${facts.reaches.join(', ')}`)
    return found
  }
  const listed = new Set(actions.map(programOf))
  const unlisted = facts.functions.filter((program) => !listed.has(program))
  if (unlisted.length > 0) found.push(`runs too: ${unlisted.join(', ')}`)
  // That programs run is what a command line is.
  const reaches = facts.reaches.filter((reach) => reach !== 'program')
  if (reaches.length > 0) found.push(`reaches: ${reaches.join(', ')}`)
  return found
}

const byGrammar = 'not understood by the grammar: it may do more than is listed here'
const notUnderstood: Readonly<Record<ProtocolName, string>> = {
  postgres: byGrammar,
  ssh: byGrammar,
  http: 'not understood, path or body: the API may read more in it than is listed here',
  kubernetes: 'not understood, path or object: the cluster may read more in it than is listed here',
}

/** `rm -rf /srv/app, without a bound`: one line for each thing that a command does beside what its text says. */
export function actionInWords(action: Action): string {
  const { verb, objects, unbounded, arguments: words = [] } = action
  const others = objects.filter((object) => !words.includes(object))
  const on = others.length === 0 ? [] : words.length === 0 ? others : ['on', others.join(', ')]
  return `${[programOf(action) ?? verb, ...words.map(quotedWord), ...on].join(' ')}${unbounded ? ', without a bound' : ''}`
}

/** `$ rm -rf /srv/app`, `sftp write /srv/app/a`, `DELETE /v1/customers/7`, or a statement as it is. */
export function askedInWords(asked: Pick<Command, 'protocol' | 'verb' | 'text' | 'objects'>): string {
  if (isRequest(asked)) return requestInWords(asked)
  return isCommandLine(asked) ? `$ ${asked.text}` : asked.text
}

/** A request without its header; of an API call what it means, and the path where that says nothing. */
function requestInWords({
  protocol,
  verb,
  text,
  objects,
}: Pick<Command, 'protocol' | 'verb' | 'text' | 'objects'>): string {
  const { method, target, summaries, body } = readRequestText(text)
  if (protocol === 'http') return [method, target, body].filter(Boolean).join(' ')
  return [[verb, objects.join(', ') || target].join(' '), ...summaries].join(', ')
}

/** `application/json of 1.2 KiB`: what is kept of an answer. */
export function answerInWords({ headers, body }: Answer): string {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? 'a body'
  if (body === undefined) return 'nothing of a body'
  return `${type}${body.truncated ? ', only its beginning' : ''}${body.base64 ? ', in base64' : ''}`
}

/** `upload of 1.2 MiB, SHA-256 9f86d081884c…`; `whole`: with all of the hash. */
export function transferInWords(
  { direction, bytes, sha256 }: NonNullable<Outcome['transfer']>,
  { whole = false } = {},
): string {
  const proof = sha256 === null ? 'with gaps, so without a SHA-256' : `SHA-256 ${hashInWords(sha256, whole)}`
  return `${direction} of ${sizeInWords(bytes)}, ${proof}`
}

/** `recording of 12 KiB`; `whole`: with its hash. */
export function recordingInWords({ bytes, sha256 }: NonNullable<Outcome['recording']>, { whole = false } = {}): string {
  return `recording of ${sizeInWords(bytes)}${whole ? `, SHA-256 ${sha256}` : ''}`
}

function hashInWords(sha256: string, whole: boolean): string {
  return whole ? sha256 : `${sha256.slice(0, 12)}…`
}
