/** A whole terminal: takes what is typed and pasted, and gives its children exactly the rows and columns there are. */
import { Box, useInput, usePaste, useStdout } from 'ink'
import { type ReactNode, useLayoutEffect } from 'react'
import { keysOf } from '../keys.ts'

interface ScreenProps {
  readonly columns: number
  readonly rows: number
  onKey(key: string): void
  onPaste(text: string): void
  readonly children: ReactNode
}

export function Screen({ columns, rows, onKey, onPaste, children }: ScreenProps) {
  const { stdout } = useStdout()
  useInput((input, key) => {
    for (const name of keysOf(input, key)) onKey(name)
  })
  // Pasted text never counts as keys: an "a" in it must not approve anything.
  usePaste(onPaste)
  useLayoutEffect(() => {
    // Terminals differ in how wide they draw rare characters. Without automatic wrapping the worst is a cut line.
    stdout.write('\x1b[?7l')
    return () => {
      stdout.write('\x1b[?7h')
    }
  }, [stdout])
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      {children}
    </Box>
  )
}
