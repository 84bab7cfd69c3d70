/** How meanings look. Screens name meanings; only here are they colours. */

export const tones = [
  'quiet',
  'strong',
  'title',
  'good',
  'warning',
  'bad',
  'selected',
  'keyword',
  'grave',
  'literal',
  'name',
  'comment',
  'hidden',
  'key',
] as const
export type Tone = (typeof tones)[number]

/** What Ink's Text is given. */
export interface Look {
  readonly color?: string
  readonly bold?: boolean
  readonly dimColor?: boolean
  readonly inverse?: boolean
  readonly underline?: boolean
}

export type Theme = Readonly<Record<Tone, Look>>

const coloured: Theme = {
  quiet: { dimColor: true },
  strong: { bold: true },
  title: { color: 'cyan', bold: true },
  good: { color: 'green' },
  warning: { color: 'yellow' },
  bad: { color: 'red', bold: true },
  selected: { inverse: true },
  keyword: { color: 'cyan' },
  grave: { color: 'red', bold: true },
  literal: { color: 'green' },
  name: { color: 'magenta' },
  comment: { dimColor: true },
  hidden: { color: 'red', inverse: true },
  key: { color: 'cyan' },
}

/** NO_COLOR forbids colour, not weight: https://no-color.org */
const plain: Theme = Object.fromEntries(
  Object.entries(coloured).map(([tone, { color: _, ...rest }]) => [tone, rest]),
) as Theme // fromEntries forgets the keys; they are coloured's

export function themeFor(env: Readonly<Record<string, string | undefined>>): Theme {
  return env.NO_COLOR !== undefined && env.NO_COLOR !== '' ? plain : coloured
}
