/** A command on its way through the checkpoint, and what is said about it: to the audit, to reviewers, to whoever waits. Pure. */
import { createHash } from 'node:crypto'
import type { Command } from '../../contract/command.ts'
import type { Person, RecordDraft, RecordOf } from '../../contract/record.ts'
import type { Question } from '../approvals/approvals.ts'
import type { HoldRule, Judgement } from '../policy/decide.ts'
import type { Earlier } from './history.ts'
import type { Hold } from './hold.ts'

/** Who asks, from where: the same for every command of a connection. */
export interface Asker {
  readonly session: string
  readonly connection: string
  readonly target: string
  readonly person: Person
  readonly agent: string | null
  /** Why the session was opened. */
  readonly reason: string | null
}

export interface Asked {
  /** The command's id in the audit. */
  readonly id: string
  readonly command: Command
  /** The same as others may see it, with what masks hide left out. */
  readonly shown: Command
  readonly judgement: Judgement
}

/** The part of a record that says who and where: made once for a connection, so that its text is made once too. */
export type About = ReturnType<typeof about>

export function about({ session, connection, target, person, agent }: Asker) {
  const { user, subject, groups } = person
  return { session, connection, target, user, subject, groups: [...groups], agent }
}

/** `bodyBytes`: how much of the body of a request is kept. What people decide about is kept whole. */
export function commandRecord(who: About, asked: Asked, approval: string | null, bodyBytes: number): RecordDraft {
  const { id, shown, judgement } = asked
  // They stand in its text.
  const { fields: _, ...kept } = shown
  const text = approval === null && isRequest(shown) ? withBodyCut(shown.text, bodyBytes) : shown.text
  return { ...who, type: 'command', command: id, asked: { ...kept, text }, decision: judgement.decision, approval }
}

function isRequest({ protocol }: Command): boolean {
  return protocol === 'http' || protocol === 'kubernetes'
}

/** The text is an HTTP message; its body goes on behind an empty line. What is cut off can be proven by its digest. */
function withBodyCut(text: string, most: number): string {
  const end = text.indexOf('\n\n')
  // No character has more bytes than three for each of its units.
  if (end < 0 || (text.length - end) * 3 <= most) return text
  const body = Buffer.from(text.slice(end + 2))
  if (body.length <= most) return text
  const shown = new TextDecoder().decode(body.subarray(0, most), { stream: true })
  const sha256 = createHash('sha256').update(body).digest('hex')
  return `${text.slice(0, end)}\n\n${shown}\n(cut off: it has ${body.length} bytes, SHA-256 ${sha256})`
}

export function outcomeRecord(who: About, id: string, outcome: RecordOf<'outcome'>['outcome']): RecordDraft {
  return { ...who, type: 'outcome', command: id, outcome }
}

export function questionOf(asker: Asker, id: string, batch: readonly Asked[], earlier: readonly Earlier[]): Question {
  const rules = distinct(batch.flatMap(({ judgement }) => judgement.holds))
  const { session, target, person, agent, reason } = asker
  return {
    id,
    digest: digestOf(asker, batch),
    session,
    ...person,
    agent,
    reason,
    target,
    protocol: batch[0]?.command.protocol ?? 'postgres',
    commands: batch.map(({ id, shown, judgement }) => ({ id, asked: shown, decision: judgement.decision })),
    needs: rules.map(({ name, approvers }) => ({ rule: name, ...approvers })),
    earlier: [...earlier],
    confirm: confirmWord(batch),
    // The shortest time of the rules that apply: none of them agreed to wait longer.
    expiresIn: Math.min(...rules.map(({ expires }) => expires)),
  }
}

/** What the person who waits is told. */
export function holdOf(question: Question, now: number): Hold {
  const { id, session, needs, expiresIn } = question
  const expires = now + expiresIn
  const who = needs.map(({ groups, count }) => `${count} of ${groups.join(' or ')}`).join(' and ')
  const rules = needs.map(({ rule }) => `"${rule}"`).join(', ')
  return {
    approval: id,
    session,
    rule: needs[0]?.rule ?? '',
    message: `held by rule ${rules} as ${id}: waits for ${who} until ${new Date(expires).toISOString()}`,
    hint: `a reviewer types: hoop approve ${id}. To give up, cancel the command.`,
    groups: [...new Set(needs.flatMap(({ groups }) => groups))],
    expires,
  }
}

/**
 * SHA-256 over everything that an approval is bound to, as it was asked and not as it is shown. JSON, because its quoting
 * keeps apart what plain joining would mix up.
 */
export function digestOf({ session, target }: Asker, batch: readonly { readonly command: Command }[]): string {
  const bound = [session, target, batch.map(({ command }) => [command.text, command.parameters])]
  return createHash('sha256').update(JSON.stringify(bound)).digest('hex')
}

/** Same rules asked of the same people: an approval given for one holds for the other. */
export function asksTheSame(before: readonly HoldRule[], after: readonly HoldRule[]): boolean {
  const keys = (rules: readonly HoldRule[]) => rules.map(({ name, approvers }) => JSON.stringify([name, approvers]))
  const given = new Set(keys(before))
  return keys(after).every((key) => given.has(key))
}

/** Verbs after which something is gone; what is unbounded is so, whatever its verb. */
const destructive = /^(?:exec |sftp )?(?:drop|truncate|alter|delete|remove|rm|rmdir|shred|mkfs|dd)\b/i

/** The object's name, to be typed by the reviewer: a hand that goes to `a` by habit stops there. */
function confirmWord(batch: readonly Asked[]): string | null {
  const actions = batch
    .filter(({ judgement }) => judgement.decision.verdict === 'hold')
    .flatMap(({ shown }) => shown.actions)
  const worst = actions.find(({ verb, unbounded }) => unbounded || destructive.test(verb))
  return worst?.objects[0] ?? null
}

function distinct(rules: readonly HoldRule[]): readonly HoldRule[] {
  return [...new Map(rules.map((rule) => [rule.name, rule])).values()]
}
