/** Everything a reviewer should know about one approval, as rows that can be scrolled. What decides comes first. */
import { visibleLine } from '../../../base/visible.ts'
import type { Approval } from '../../../contract/api.ts'
import { entries, entry, heading, quiet } from '../../parts/labelled.ts'
import { statement, touchLines } from '../../parts/statement.ts'
import { type Block, linesBlock, stack } from '../../text/block.ts'
import { wrapSpans } from '../../text/paragraph.ts'
import type { Line, Span } from '../../text/span.ts'
import { timeOfDay } from '../../text/time.ts'
import { excerpt, visibleSpans } from '../../text/visible.ts'

export interface Detail {
  readonly block: Block
  /** Rows up to the end of the last statement and its parameters: who has not seen these has not seen what is asked. */
  readonly essential: number
}

const made = new WeakMap<Approval, { readonly width: number; readonly detail: Detail }>()

/** Made once for an approval and a width: laying out a statement of megabytes takes a noticeable time. */
export function detailOf(approval: Approval, width: number): Detail {
  const known = made.get(approval)
  if (known?.width === width) return known.detail
  const detail = layOut(approval, width)
  made.set(approval, { width, detail })
  return detail
}

function layOut(approval: Approval, width: number): Detail {
  const asked = stack([
    facts(approval, width),
    touches(approval, width),
    ...approval.commands.map(({ asked }, index) => statement(asked, index, approval.commands.length, width)),
  ])
  const rest = stack([reviewers(approval, width), earlier(approval, width)])
  return { block: stack([asked, rest]), essential: asked.rows }
}

function facts(approval: Approval, width: number): Block {
  const who: Span[] = [...visibleSpans(approval.user, 'strong')]
  if (approval.agent !== null) who.push({ text: ' through the agent ' }, ...visibleSpans(approval.agent, 'strong'))
  who.push({ text: ' on ' }, ...visibleSpans(approval.target, 'strong'))
  const rules = new Map(
    approval.commands
      .filter(({ decision }) => decision.verdict === 'hold')
      .map(({ decision }) => [decision.rule ?? 'no rule', decision.reason]),
  )
  const whyNot = approval.state === 'pending' ? approval.whyNot : null
  return linesBlock([
    ...(whyNot === null ? [] : entry('you', visibleSpans(`may not decide: ${whyNot}`, 'warning'), width)),
    ...entry('asks', who, width),
    ...entry('because', approval.reason === null ? [quiet('no reason given')] : visibleSpans(approval.reason), width),
    ...Array.from(rules, ([rule, why]) =>
      entry('held by', [...visibleSpans(rule, 'warning'), { text: ' · ' }, ...visibleSpans(why)], width),
    ).flat(),
  ])
}

function touches(approval: Approval, width: number): Block {
  const lines = approval.commands.flatMap(({ asked }) => touchLines(asked))
  return linesBlock([...entries('touches', lines, width), ...entries('impact', impact(approval), width)])
}

function impact({ impact, protocol }: Approval): readonly Line[] {
  // There is nothing that a shell or an API could be asked without running something.
  if (impact === null) return protocol !== 'postgres' ? [] : [[quiet('asking the target …')]]
  const lines: Line[] = impact.lines.map((line) => visibleSpans(line))
  if (impact.rows !== undefined && impact.lines.length === 0)
    lines.push([{ text: `about ${impact.rows.toLocaleString('en')} rows` }])
  if (impact.unknown !== undefined) {
    const what = lines.length === 0 ? 'not known: ' : 'more is not known: '
    lines.push([{ text: what, tone: 'warning' }, ...visibleSpans(impact.unknown, 'warning')])
  }
  return lines.length === 0 ? [[quiet('the target knows nothing of it')]] : lines
}

function reviewers(approval: Approval, width: number): Block {
  const needs = approval.needs.flatMap(({ count, groups, rule }) =>
    wrapSpans(
      [
        { text: `${count} ${count === 1 ? 'person' : 'people'} of `, tone: 'strong' },
        ...visibleSpans(groups.join(' or '), 'name'),
        { text: ' for ' },
        ...visibleSpans(rule, 'warning'),
      ],
      width,
    ),
  )
  const given = approval.decisions.flatMap(({ user, decision, reason, at }) =>
    wrapSpans(
      [
        quiet(`${timeOfDay(at)} `),
        ...visibleSpans(user, 'strong'),
        decision === 'approve' ? { text: ' approved', tone: 'good' } : { text: ' denied', tone: 'bad' },
        ...(reason === null ? [] : [{ text: ': ' }, ...visibleSpans(reason)]),
      ],
      width,
    ),
  )
  return linesBlock([
    ...heading('Needs'),
    ...needs,
    ...(given.length > 0 ? given : [[quiet('nobody has decided yet')]]),
  ])
}

function earlier({ earlier, session }: Approval, width: number): Block {
  const title = heading(`Earlier in session ${visibleLine(session)}`)
  if (earlier.length === 0) return linesBlock([...title, [quiet('nothing')]])
  const tone = { allow: 'good', deny: 'bad', hold: 'warning' } as const
  const lines = earlier.flatMap(({ at, text, verdict }) =>
    wrapSpans(
      [quiet(`${timeOfDay(at)} `), { text: verdict.padEnd(6), tone: tone[verdict] }, { text: excerpt(text, 2000) }],
      width,
    ),
  )
  return linesBlock([...title, ...lines])
}
