/** Lines on the screen, each in exactly one row: they are fitted before Ink sees them, so that nothing ever wraps. */
import { Text } from 'ink'
import { createContext, useContext } from 'react'
import { fitted, type Line } from '../text/span.ts'
import { type Look, type Theme, type Tone, themeFor } from '../theme.ts'

export const ThemeContext = createContext<Theme>(themeFor({}))

interface RowsProps {
  readonly lines: readonly Line[]
  readonly width: number
  /** Rows to fill; what is missing is left empty, what is too much is left out. */
  readonly height: number
  /** Greyed: it may be out of date. */
  readonly stale?: boolean
}

export function Rows({ lines, width, height, stale = false }: RowsProps) {
  const theme = useContext(ThemeContext)
  return Array.from({ length: height }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen.
    <Text key={row} wrap="truncate">
      {fitted(lines[row] ?? [], width).map((span, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: spans have no other identity.
        <Text key={at} {...lookOf(theme, span.tone, stale)}>
          {span.text}
        </Text>
      ))}
    </Text>
  ))
}

/** Out of date, only what marks a place or a danger keeps its look. */
function lookOf(theme: Theme, tone: Tone | undefined, stale: boolean): Look {
  if (stale && tone !== 'selected' && tone !== 'hidden') return theme.quiet
  return tone === undefined ? {} : theme[tone]
}
