/** One scene of a replay, as text. Statements keep their lines; everything from outside is made safe to print. Pure. */
import { visible, visibleLine } from '../../base/visible.ts'
import type { Answer, ResultSample } from '../../contract/record.ts'
import { isCommandLine } from '../../contract/told.ts'
import type { Scene } from '../scenes.ts'
import { meaningOf, outcomeMeaning, outcomeText } from './records.ts'
import { cut, type Style } from './style.ts'
import { table } from './table.ts'
import { inWords } from './time.ts'

export interface SceneForm {
  readonly style: Style
  readonly columns: number | undefined
  /** All that is kept of an answer's body; otherwise its first lines. */
  readonly wholeAnswers?: boolean
}

/** Of the body of an answer among others. */
const mostLines = 8
const longestLine = 400

/** A value longer than this many cells is cut in a result's table. */
const widestCell = 40

export function sceneText(scene: Scene, form: SceneForm): string {
  const { style } = form
  const time = style('quiet', `+${inWords(scene.atMs)}`.padEnd(11))
  switch (scene.scene) {
    case 'start': {
      const who = scene.agent === null ? scene.user : `${scene.user} via ${scene.agent}`
      const reason = scene.reason === null ? '' : `: ${visibleLine(scene.reason)}`
      const where = visibleLine(scene.targets.join(' '))
      return `${time}${style('heading', visibleLine(scene.session))} ${style('name', visibleLine(who))} on ${where}${reason}\n`
    }
    case 'connect':
      return `${time}${style('quiet', `connects to ${visibleLine(scene.target ?? '-')}${detailOf(scene.detail)}`)}\n`
    case 'disconnect':
      return `${time}${style('quiet', `leaves ${visibleLine(scene.target ?? '-')}${detailOf(scene.detail)}`)}\n`
    case 'asked':
      return askedText(scene, time, style)
    case 'answered':
      return answeredText(scene, time, form)
    case 'decided': {
      const meaning = scene.decision === 'approve' ? 'good' : 'bad'
      const reason = scene.reason === null ? '' : `: ${visibleLine(scene.reason)}`
      const says = scene.decision === 'approve' ? 'approves' : 'denies'
      return `${time}${style('name', visibleLine(scene.by))} ${style(meaning, says)} ${visibleLine(scene.approval)}${reason}\n`
    }
    case 'ended':
      return `${time}${visibleLine(scene.approval)} is ${visibleLine(scene.end)}: ${visibleLine(scene.why)}\n`
    case 'note':
      return `${time}${style('name', visibleLine(scene.by))} ${visibleLine(scene.text)}\n`
    case 'end':
      return `${time}${style('heading', 'ends')}: ${visibleLine(scene.why)}\n`
    default: {
      const never: never = scene
      return never
    }
  }
}

function askedText(scene: Extract<Scene, { scene: 'asked' }>, time: string, style: Style): string {
  const { verdict, rule, reason } = scene.decision
  const target = style('name', visibleLine(scene.target ?? '-'))
  const statement = visible(scene.text.trim()).split('\n')
  const lines = [`${time}${target}${style('quiet', isCommandLine(scene) ? '$' : '>')} ${statement[0] ?? ''}`]
  for (const more of statement.slice(1)) lines.push(`${' '.repeat(11)}${more}`)
  for (const [index, { value }] of scene.parameters.entries())
    lines.push(`${' '.repeat(11)}${style('quiet', `$${index + 1} = ${value === null ? 'NULL' : visibleLine(value)}`)}`)
  if (verdict !== 'allow') {
    const label = verdict === 'deny' ? 'denied' : `held (${scene.approval ?? ''})`
    lines.push(
      `${' '.repeat(11)}${style(meaningOf[verdict], label)} by ${visibleLine(rule ?? 'no rule')}: ${visibleLine(reason)}`,
    )
  }
  return `${lines.join('\n')}\n`
}

function answeredText(
  scene: Extract<Scene, { scene: 'answered' }>,
  time: string,
  { style, columns, wholeAnswers = false }: SceneForm,
): string {
  const { outcome, text } = scene
  // A replay has just played it.
  const { recording: _, ...told } = outcome
  const about = text === null ? '' : style('quiet', `to ${cut(visibleLine(text), 40)}: `)
  const words = visibleLine(
    [outcome.status === 'done' ? '' : outcome.status, outcomeText(told)].filter(Boolean).join(': '),
  )
  const line = `${time}${about}${style(outcomeMeaning(outcome), words || outcome.status)}\n`
  const shown = outcome.answer?.body === undefined ? '' : bodyText(outcome.answer.body, style, wholeAnswers)
  return `${outcome.result === undefined ? '' : sampleText(outcome.result, style, columns)}${line}${shown}`
}

function sampleText(sample: ResultSample, style: Style, columns: number | undefined): string {
  const cell = (value: string | null) => (value === null ? style('quiet', 'NULL') : cut(visibleLine(value), widestCell))
  const text = table(
    sample.columns.map(visibleLine),
    sample.rows.map((row) => row.map(cell)),
    style,
  )
  const indent = ' '.repeat(11)
  const lines = text.trimEnd().split('\n')
  if (sample.truncated) lines.push(style('quiet', '… more rows were shown'))
  // Wider than the terminal wraps; a table is still readable that way, cut columns would not be there at all.
  return lines.map((line) => `${columns === undefined || columns > 60 ? indent : ''}${line}\n`).join('')
}

function bodyText({ text, base64, truncated }: NonNullable<Answer['body']>, style: Style, isWhole: boolean): string {
  const indent = ' '.repeat(11)
  if (base64 && !isWhole) return `${indent}${style('quiet', 'its body is no text')}\n`
  const all = visible(text.trimEnd()).split('\n')
  const lines = isWhole ? all : all.slice(0, mostLines).map((line) => cut(line, longestLine))
  if (truncated || lines.length < all.length) lines.push(style('quiet', '… there was more'))
  return lines.map((line) => `${indent}${line}\n`).join('')
}

function detailOf(detail: string | null): string {
  return detail === null || detail === '' ? '' : ` (${visibleLine(detail)})`
}
