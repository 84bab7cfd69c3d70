import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  createTypedLineReader,
  type TypedLine,
  type TypedLineReader,
} from '../../../../src/gateway/protocols/terminal/typed-line.ts'
import { installed, openPty, type Pty, type PtyOptions } from '../../../support/pty.ts'

const folder = mkdtempSync(join(tmpdir(), 'hoop-typed-line-'))
const opened: (() => void)[] = []
afterAll(() => {
  for (const close of opened) close()
  rmSync(folder, { recursive: true })
})
// Bash takes no prompt from the environment of root.
const bashrc = join(folder, 'bashrc')
writeFileSync(bashrc, 'PS1=$PROMPT\n')

interface Shell {
  readonly pty: Pty
  readonly reader: TypedLineReader
  /** Keys, as they come from a person: one after the other, each once the last has had its effect. */
  keys(...keys: readonly string[]): Promise<void>
  /** All at once, without waiting. */
  burst(keys: string): void
  line(): Promise<TypedLine>
  /** What an Enter would send; undefined where that is not known. */
  text(): Promise<string | undefined>
  enter(): Promise<void>
}

const shells: Readonly<Record<string, readonly string[]>> = {
  bash: ['bash', '--noprofile', '--rcfile', bashrc, '-i'],
  dash: ['dash', '-i'],
  zsh: ['zsh', '-f', '-i'],
  fish: ['fish', '-i'],
}

async function open(program: string, options: PtyOptions = {}): Promise<Shell> {
  const { columns = 80, rows = 24 } = options
  const env = { PS1: '$ ', PROMPT: '$ ', HOME: '/nonexistent', HISTFILE: '/dev/null', ...options.env }
  const pty = openPty(shells[program] ?? [program], { cwd: '/', ...options, env, opened })
  const reader = createTypedLineReader({ columns, rows })
  pty.onOutput((bytes) => reader.shown(bytes))
  const type = (keys: string) => {
    reader.typed(Buffer.from(keys))
    pty.write(keys)
  }
  const shell: Shell = {
    pty,
    reader,
    async keys(...keys) {
      for (const key of keys) {
        type(key)
        await pty.quiet()
      }
    },
    burst: type,
    line: () => reader.line(),
    async text() {
      const line = await reader.line()
      return line.kind === 'line' ? line.text : undefined
    },
    async enter() {
      type('\r')
      await pty.quiet(250)
    },
  }
  await pty.until((shown) => shown.length > 0)
  await pty.quiet(program === 'fish' ? 1000 : 300)
  return shell
}

const left = '\x1b[D'
const up = '\x1b[A'
const home = '\x01'

describe.concurrent.each(installed('bash', 'dash', 'zsh', 'fish'))('in %s', (program) => {
  const canEdit = program !== 'dash'
  /** Fish draws suggestions and lists around the line; then it may be unreadable, but never anything else. */
  const readable = (text: string) => (program === 'fish' ? [text, undefined] : [text])

  test('what was typed is read, sign by sign, at once, and corrected', async () => {
    const shell = await open(program)
    await shell.keys('l', 's', ' ', '-', 'l')
    expect(await shell.line()).toEqual({ kind: 'line', text: 'ls -l', certain: true })
    await shell.keys('\x7f', 'a')
    expect(await shell.line()).toEqual({ kind: 'line', text: 'ls -a', certain: true })
    await shell.keys('\x15')
    expect(await shell.text()).toBe('')
    await shell.keys('echo one; echo "two words" | cat')
    expect(await shell.text()).toBe('echo one; echo "two words" | cat')
    await shell.enter()
    expect(shell.pty.shown).toContain('two words\r\n')
    expect(await shell.text()).toBe('')
  })

  test('a line that is longer than the screen is wide', async () => {
    const shell = await open(program, { columns: 40 })
    const line = `echo ${'0123456789 '.repeat(9)}end`
    await shell.keys(line.slice(0, 38), line.slice(38, 45), line.slice(45))
    expect(await shell.line()).toEqual({ kind: 'line', text: line, certain: true })
  })

  test('wide characters', async () => {
    const shell = await open(program, { columns: 41 })
    const line = 'echo 日本語 größe ☃ 漢字漢字漢字漢字漢字漢字漢字漢字'
    await shell.keys(line)
    expect(await shell.text()).toBeOneOf(readable(line))
  })

  test('a password is not read', async () => {
    const shell = await open(program)
    await shell.keys(`sh -c 'stty -echo; printf Password:; read x; stty echo; echo; echo got it'`)
    await shell.enter()
    await shell.keys('s', 'ecret')
    expect(await shell.line()).toEqual({ kind: 'hidden' })
    await shell.enter()
    await shell.pty.until((shown) => shown.includes('got it\r\n'))
    await shell.pty.quiet(program === 'fish' ? 500 : 200)
    await shell.keys('ls')
    expect(await shell.text()).toBe('ls')
  })

  test('what was typed ahead is read when it stands at the prompt', async () => {
    const shell = await open(program)
    await shell.keys('sleep 0.6; echo over')
    await shell.enter()
    await shell.keys('l', 's /')
    await shell.pty.until((shown) => shown.split('over').length > 2)
    await shell.pty.quiet(600)
    expect(await shell.text()).toBeOneOf(readable('ls /'))
  })

  test('a line that was given up is gone', async () => {
    const shell = await open(program)
    await shell.keys('rm -rf x', '\x03')
    await shell.pty.quiet(200)
    expect(await shell.text()).toBe('')
    await shell.keys('ls')
    expect(await shell.text()).toBe('ls')
  })

  test('a program has the whole screen', async () => {
    const shell = await open(program)
    await shell.keys(`printf '\\033[?1049h'; sleep 0.5; printf '\\033[?1049l'`)
    shell.burst('\r')
    await shell.pty.until((shown) => shown.includes('\x1b[?1049h'))
    expect(await shell.line()).toEqual({ kind: 'screen' })
    await shell.pty.until((shown) => shown.includes('\x1b[?1049l'))
    await shell.pty.quiet(300)
    await shell.keys('ls')
    expect(await shell.text()).toBe('ls')
  })

  test('keys that a program took are none of the line', async () => {
    const shell = await open(program)
    await shell.keys(`sh -c 'stty -echo -icanon; printf more:; head -c 1 >/dev/null; stty sane; echo'`)
    await shell.enter()
    await shell.keys('q')
    await shell.pty.quiet(300)
    await shell.keys('l', 's')
    expect(await shell.text()).toBe('ls')
  })

  // Dash leaves editing to the kernel, which knows no cursor keys.
  if (!canEdit) return

  test('cursor keys, history and words taken back', async () => {
    const shell = await open(program)
    await shell.keys('echo first')
    await shell.enter()
    await shell.keys('echo second')
    await shell.enter()
    await shell.keys(up)
    expect(await shell.text()).toBe('echo second')
    await shell.keys(up, '!')
    expect(await shell.text()).toBe('echo first!')
    await shell.keys('\x17')
    expect((await shell.text())?.trimEnd()).toBe('echo')
    await shell.keys(home, 'x', left, 'y')
    expect((await shell.text())?.trimEnd()).toBe('yxecho')
  })

  test('completion', async () => {
    const shell = await open(program)
    await shell.keys('ls /usr/sha', '\t')
    await shell.pty.quiet(500)
    expect((await shell.text())?.trimEnd()).toBeOneOf(readable('ls /usr/share/'))
    await shell.keys('doc')
    expect((await shell.text())?.trimEnd()).toBeOneOf(readable('ls /usr/share/doc'))
  })

  test('what is found in the history', async () => {
    const shell = await open(program)
    await shell.keys('echo needle')
    await shell.enter()
    await shell.keys('echo hay')
    await shell.enter()
    await shell.keys('\x12', 'need')
    await shell.pty.quiet(300)
    expect(await shell.text()).toBe(program === 'fish' ? undefined : 'echo needle')
    if (program !== 'fish') return
    // It shows a list below, and takes the choice with the first Enter.
    expect((await shell.line()).kind).toBe('unreadable')
  })
})

describe.concurrent('in bash', () => {
  test.each([
    ['with colours', '\\[\\e[1;32m\\]ana@db\\[\\e[0m\\]:\\[\\e[34m\\]\\w\\[\\e[0m\\]\\$ '],
    ['with a title', '\\[\\e]0;ana: \\w\\a\\]\\$ '],
    ['on two lines', '┌─[\\w]\\n└─\\$ '],
    ['with a clock at the right edge', '\\[\\e7\\e[70C12:30\\e8\\]\\$ '],
  ])('behind a prompt %s', async (_how, PS1) => {
    const shell = await open('bash', { env: { PROMPT: PS1 } })
    expect(shell.pty.shown).not.toContain('bash-')
    await shell.keys('echo x')
    expect(await shell.text()).toBe('echo x')
    await shell.enter()
    await shell.keys(up)
    expect(await shell.text()).toBe('echo x')
    await shell.keys(home, '# ')
    expect(await shell.text()).toBe('# echo x')
  })

  test('without a prompt, only what was typed', async () => {
    const shell = await open('bash', { env: { PROMPT: '' } })
    await shell.keys('echo x')
    expect(await shell.text()).toBe('echo x')
    await shell.enter()
    await shell.keys(up)
    expect((await shell.line()).kind).toBe('unreadable')
  })

  test('what was typed before the prompt stood there', async () => {
    const shell = await open('bash')
    await shell.keys('sleep 0.5')
    await shell.enter()
    shell.burst('rm x')
    await shell.pty.quiet(900)
    expect(await shell.line()).toEqual({ kind: 'line', text: 'rm x', certain: true })
    await shell.keys('\x15sleep 0.5')
    await shell.enter()
    shell.burst(up)
    await shell.pty.quiet(900)
    expect((await shell.line()).kind).toBe('unreadable')
  })

  test('a prompt that is part of the command', async () => {
    const shell = await open('bash')
    await shell.keys('echo "$ ls"; rm -rf "$ x"')
    await shell.enter()
    await shell.keys(up, left, 'y')
    expect(await shell.text()).toBe('echo "$ ls"; rm -rf "$ xy"')
  })

  test('continued lines, one by one', async () => {
    const shell = await open('bash', { env: { PS2: '> ' } })
    await shell.keys('cat <<EOF')
    await shell.enter()
    await shell.keys('some text')
    expect(await shell.text()).toBe('some text')
    await shell.enter()
    await shell.keys('EOF')
    expect(await shell.text()).toBe('EOF')
    await shell.enter()
    expect(shell.pty.shown).toMatch(/some text\r\n[\s\S]*some text\r\n/)
  })

  test('a long line from the history, edited in its middle', async () => {
    const shell = await open('bash', { columns: 30 })
    const line = `echo ${'0123456789 '.repeat(7)}end`
    await shell.keys(line)
    await shell.enter()
    await shell.keys(up)
    expect(await shell.text()).toBe(line)
    await shell.keys(home, '\x1b[C', '\x1b[C', 'XY')
    expect(await shell.text()).toBe(line.replace('echo', 'ecXYho'))
  })

  test('lines whose length is the width of the screen', async () => {
    for (const length of [27, 28, 29, 30, 58]) {
      const shell = await open('bash', { columns: 30 })
      const line = `echo ${'x'.repeat(length - 5)}`
      await shell.keys(line.slice(0, -1), line.slice(-1))
      expect(await shell.text()).toBe(line)
      await shell.enter()
      await shell.keys(up)
      expect(await shell.text()).toBe(line)
    }
  })

  test('after the window has changed', async () => {
    const shell = await open('bash', { columns: 60 })
    await shell.keys('echo a line of some length that will be broken')
    await shell.enter()
    for (const columns of [30, 100, 41]) {
      await shell.keys(up, home, 'x')
      shell.reader.resize(columns, 24)
      shell.pty.resize(columns, 24)
      await shell.pty.quiet(200)
      await shell.keys('y')
      expect(await shell.text()).toBe('xyecho a line of some length that will be broken')
      await shell.keys('\x03')
    }
  })

  test('while something else is printed', async () => {
    const shell = await open('bash', { env: {} })
    await shell.keys('set +m; (sleep 0.5; echo; echo noise) &')
    await shell.enter()
    await shell.keys('ls')
    await shell.pty.until((shown) => shown.includes('noise\r\n'))
    await shell.keys(' -l')
    expect(await shell.text()).toBe('ls -l')
    // The keys tell nothing more, and the screen not yet.
    await shell.keys(left)
    expect((await shell.line()).kind).toBe('unreadable')
    await shell.keys('\x0c')
    expect((await shell.text())?.trimEnd()).toBe('ls -l')
  })

  test('a line that was pasted, in brackets', async () => {
    const shell = await open('bash', { env: { TERM: 'xterm-256color' } })
    expect(shell.reader.bracketsPastes).toBe(true)
    await shell.keys('\x1b[200~echo pasted\x1b[201~')
    expect(await shell.text()).toBe('echo pasted')
  })

  test('a line longer than the screen cannot be read', async () => {
    const shell = await open('bash', { columns: 20, rows: 5 })
    shell.reader.resize(20, 5)
    await shell.keys(`echo ${'x'.repeat(6000)}`)
    await shell.pty.until((shown) => shown.length > 6000)
    expect((await shell.line()).kind).toBe('unreadable')
  })

  test('with its echo turned off, nothing is taken for an empty line', async () => {
    const shell = await open('bash')
    await shell.keys('stty -echo; bind "set enable-bracketed-paste off"')
    await shell.enter()
    await shell.keys('touch /tmp/x')
    expect((await shell.line()).kind).toBe('unreadable')
    await shell.keys(left, 'y')
    expect((await shell.line()).kind).toBe('unreadable')
  })

  test('a line that survives ^C is not taken for an empty one', async () => {
    const shell = await open('bash')
    await shell.keys("trap '' INT")
    await shell.enter()
    await shell.keys('rm -rf x', '\x03')
    expect(shell.pty.shown).toMatch(/rm -rf x[^\n]*$/)
    expect((await shell.line()).kind).toBe('unreadable')
  })

  test('text that a command has printed is none of the line', async () => {
    const shell = await open('bash')
    await shell.keys(`rm -rf /nothing; printf '$ ls\\r\\n$ ls'`)
    await shell.enter()
    await shell.keys('echo x')
    expect(await shell.text()).toBe('echo x')
    await shell.enter()
    // Moves the cursor up and prints a line there that looks harmless.
    await shell.keys(`printf '\\033[2A$ ls       \\033[2B\\r'`)
    await shell.enter()
    await shell.keys(up, up)
    expect(await shell.text()).toBe('echo x')
  })
})
