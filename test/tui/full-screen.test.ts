import { createElement } from 'react'
import { expect, it } from 'vitest'
import { runFullScreen } from '../../src/tui/full-screen.tsx'
import { themeFor } from '../../src/tui/theme.ts'
import { createScreen } from '../support/screen.ts'

it('gives the terminal back and reports it when drawing fails', async () => {
  const screen = createScreen(80, 24)
  const Broken = (): never => {
    throw new Error('a defect')
  }
  const ended = runFullScreen(createElement(Broken), {
    ...{ io: screen.io, env: {}, signal: new AbortController().signal },
    feed: () => new Promise(() => undefined),
    onResize: () => undefined,
  })
  await expect(ended).rejects.toThrow('a defect')
  expect(screen.isAlternate()).toBe(false)
  expect(screen.isRaw()).toBe(false)
})

it('does not touch the terminal when it was told to end before it began', async () => {
  const screen = createScreen(80, 24)
  await runFullScreen(null, {
    ...{ io: screen.io, env: {}, signal: AbortSignal.abort() },
    feed: () => Promise.resolve(),
    onResize: () => undefined,
  })
  expect(screen.written()).toBe('')
})

it('has no colour under NO_COLOR, and still tells what is selected', () => {
  const looks = Object.values(themeFor({ NO_COLOR: '1' }))
  expect(looks.some((look) => look.color !== undefined)).toBe(false)
  expect(themeFor({ NO_COLOR: '1' }).selected.inverse).toBe(true)
  expect(themeFor({ NO_COLOR: '' }).bad.color).toBe('red')
})
