/** Runs one screen on the terminal's alternate screen and gives the terminal back as it was, however it ends. */
import { type Instance, type RenderOptions, render } from 'ink'
import type { ReactNode } from 'react'
import { ThemeContext } from './parts/rows.tsx'
import type { TerminalIo } from './source.ts'
import { themeFor } from './theme.ts'

interface FullScreenOptions {
  readonly io: TerminalIo
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted from outside: the screen is left. */
  readonly signal: AbortSignal
  /** Brings what is shown, until its signal is aborted. If it ends or rejects before, the screen is left. */
  feed(signal: AbortSignal): Promise<void>
  onResize(size: { readonly columns: number; readonly rows: number }): void
}

/** Resolves when the screen was left (Ctrl-C, an abort, the feed's end); rejects when drawing or the feed fails. */
export async function runFullScreen(node: ReactNode, options: FullScreenOptions): Promise<void> {
  const { io, env, signal, feed, onResize } = options
  if (signal.aborted) return
  const left = new AbortController()
  const resized = (): void => onResize(sizeOf(io))
  io.stdout.on('resize', resized)
  const instance = start(<ThemeContext value={themeFor(env)}>{node}</ThemeContext>, {
    ...{ stdin: io.stdin, stdout: io.stdout, stderr: io.stderr },
    // Whoever starts a screen has made sure of a terminal; a CI variable in the environment changes nothing about it.
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    maxFps: 20,
    // Nothing of ours writes to the console; what a defect writes shall not be drawn into the frame by Ink either.
    patchConsole: false,
  })
  const leave = (): void => instance.unmount()
  signal.addEventListener('abort', leave)
  const drawing = instance.waitUntilExit()
  try {
    await Promise.race([drawing, feed(AbortSignal.any([signal, left.signal]))])
  } catch (error) {
    // What a feed rejects with because it was told to end is no failure.
    if (!signal.aborted) throw error
  } finally {
    left.abort()
    signal.removeEventListener('abort', leave)
    io.stdout.off('resize', resized)
    instance.unmount()
    // The terminal is whole again before anybody hears of a failure; the race above has reported drawing's own.
    await drawing.catch(() => undefined)
    instance.cleanup()
  }
}

/** Ink has switched the screen before it can fail to start. */
function start(node: ReactNode, options: RenderOptions & Pick<TerminalIo, 'stdout'>): Instance {
  try {
    return render(node, options)
  } catch (error) {
    options.stdout.write('\x1b[?1049l\x1b[?25h')
    throw error
  }
}

/** A terminal that does not know its size is taken for the classic one. */
export function sizeOf({ stdout }: Pick<TerminalIo, 'stdout'>): { readonly columns: number; readonly rows: number } {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 }
}
