/** One reviewer's decision by id, as `hoop approve ID` and `hoop deny ID` make it. */
import { createInterface } from 'node:readline/promises'
import { visible, visibleLine } from '../base/visible.ts'
import type { Approval } from '../contract/api.ts'
import { exitCodes, hoopError } from '../contract/error-codes.ts'
import { actionInWords, warningsOf } from '../contract/told.ts'
import type { Runtime } from '../runtime.ts'
import type { SharedFlags } from './flags.ts'
import type { Output } from './output/output.ts'
import { fromNow } from './output/time.ts'

export interface DecideOptions extends SharedFlags {
  readonly id: string
  readonly decision: 'approve' | 'deny'
  readonly reason?: string
  readonly confirm?: string
  readonly digest?: string
}

export async function decideOn(runtime: Runtime, output: Output, options: DecideOptions): Promise<void> {
  const { client } = await runtime.door(options.gateway)
  const approval = await client.approval(options.id)
  describe(output, approval)
  if (options.digest !== undefined && options.digest !== approval.digest)
    throw hoopError('conflict', `${approval.id} is not what that digest was made of`, {
      hint: `look again: "hoop approve --list"`,
    })
  if (approval.state === 'pending' && approval.whyNot !== null) throw hoopError('not-allowed', approval.whyNot)
  if (options.decision === 'approve') await confirm(runtime, output, approval, options)

  const decided = await client.decide(options.id, {
    decision: options.decision,
    reason: options.reason ?? null,
    digest: approval.digest,
  })
  if (output.json) await output.document(decided)
  else output.talk(endOf(decided, options.decision, output))
  if (decided.state === 'pending') runtime.exitWith(exitCodes.pending)
}

/** Shown before it is decided on: who, where, and every statement whole. */
function describe(output: Output, approval: Approval): void {
  const { talkStyle: style, now } = output
  const who = approval.agent === null ? approval.user : `${approval.user} via ${approval.agent}`
  output.talk(
    `${style('name', visibleLine(who))} on ${style('name', visibleLine(approval.target))}, ${fromNow(approval.created, now)}`,
  )
  if (approval.reason !== null) output.talk(`  reason  ${visibleLine(approval.reason)}`)
  for (const { asked, decision } of approval.commands) {
    output.talk(`  rule    ${visibleLine(decision.rule ?? 'none')}: ${visibleLine(decision.reason)}`)
    output.talk(visible(asked.text).replace(/^/gm, '  │ '))
    for (const line of asked.protocol === 'postgres' ? [] : asked.actions.map(actionInWords))
      output.talk(`  does    ${style('bad', visibleLine(line))}`)
    for (const warning of asked.protocol === 'postgres' ? [] : warningsOf(asked))
      output.talk(`  beware  ${style('waiting', visibleLine(warning))}`)
    for (const [index, parameter] of asked.parameters.entries())
      output.talk(`  $${index + 1} = ${parameter.value === null ? 'NULL' : visibleLine(parameter.value)}`)
  }
  for (const line of approval.impact?.lines ?? []) output.talk(`  impact  ${visibleLine(line)}`)
}

/**
 * A destructive approval asks to type the name of what goes. Where nobody can be asked, a flag has to say that it was
 * looked at: its name, or the digest of what was seen.
 */
async function confirm(runtime: Runtime, output: Output, approval: Approval, options: DecideOptions): Promise<void> {
  if (approval.confirm === null || approval.state !== 'pending') return
  const { stdin, stderr } = runtime.io
  const asks = options.confirm === undefined && stdin.isTTY && stderr.isTTY && !output.json
  const typed = asks ? await askFor(runtime, `Type ${visibleLine(approval.confirm)} to approve: `) : options.confirm
  if (typed === approval.confirm) return
  // It was compared already; an id alone may come from anywhere.
  if (typed === undefined && options.digest !== undefined) return
  if (typed === undefined)
    throw hoopError('usage', `${approval.id} is destructive: an id is not enough to approve it here`, {
      hint: `give --confirm ${shellWord(approval.confirm)}, or --digest SHA256 from "hoop approve --list --json"`,
    })
  throw hoopError('cancelled', `"${typed}" is not "${approval.confirm}": nothing was approved`, {
    hint: `type the name, or give --confirm ${shellWord(approval.confirm)}`,
  })
}

function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${visibleLine(text).replaceAll("'", `'\\''`)}'`
}

async function askFor(runtime: Runtime, question: string): Promise<string> {
  const terminal = createInterface({ input: runtime.io.stdin, output: runtime.io.stderr })
  // The terminal hands Ctrl-C to readline instead of the process.
  const stop = new AbortController()
  terminal.once('SIGINT', () => stop.abort(hoopError('cancelled', 'nothing was approved')))
  terminal.once('close', () => stop.abort(hoopError('cancelled', 'nothing was approved')))
  const signal = AbortSignal.any([stop.signal, runtime.signal])
  try {
    return (await terminal.question(question, { signal })).trim()
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    terminal.close()
  }
}

function endOf(approval: Approval, decision: 'approve' | 'deny', { talkStyle: style }: Output): string {
  const id = visibleLine(approval.id)
  if (approval.state === 'approved') return `${style('good', 'Approved')} ${id}`
  if (approval.state === 'denied') return `${style('bad', 'Denied')} ${id}`
  if (approval.state !== 'pending') return `${id} is ${approval.state}`
  const people = approval.needs.reduce((sum, { count }) => sum + count, 0)
  const agreed = approval.decisions.filter((made) => made.decision === 'approve').length
  return `${style('waiting', `Your ${decision === 'approve' ? 'approval' : 'no'} is recorded`)}: ${id} waits for more reviewers (${agreed} of ${people})`
}
