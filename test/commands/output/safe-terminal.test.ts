import { expect, test } from 'vitest'
import { createPlainText } from '../../../src/commands/output/plain-text.ts'
import { createSafeTerminal } from '../../../src/commands/output/safe-terminal.ts'

const esc = '\u001b'

function passed(text: string): string {
  return createSafeTerminal().pass(text)
}

test.each([
  ['text in any language', 'grün 雪 👩🏽‍🚒'],
  ['lines, tabs, backspaces', 'a\tb\r\nc\b d\v\f'],
  ['colours', `${esc}[1;38;5;196mred${esc}[38:2::1:2:3m${esc}[0m`],
  ['cursor movements', `${esc}[3;4H${esc}[A${esc}[2K${esc}[1J${esc}7${esc}8${esc}[s${esc}[u`],
  ['the other screen and a hidden cursor', `${esc}[?1049h${esc}[?25l${esc}[?25h${esc}[?1049l`],
  ['scrolling, inserting, deleting', `${esc}[2;10r${esc}D${esc}M${esc}[3L${esc}[2M${esc}[4P${esc}[5@${esc}[4h`],
  ['line drawing', `${esc}(0lqk${esc}(B\u000e\u000f`],
  ['the shape of the cursor', `${esc}[5 q`],
])('lets through %s', (_what, text) => {
  expect(passed(text)).toBe(text)
})

test.each([
  ['a clipboard, OSC 52', `${esc}]52;c;cm0gLXJmIC8K\u0007`],
  ['a clipboard that is asked for', `${esc}]52;c;?${esc}\\`],
  ['a title', `${esc}]0;innocent\u0007`],
  ['a title as screen takes it', `${esc}ktitle${esc}\\`],
  ['a title that is asked for', `${esc}[21t`],
  ['a palette', `${esc}]4;1;rgb:00/00/00${esc}\\`],
  ['a link that is not what it says', `${esc}]8;;http://evil.example${esc}\\`],
  ['a question for the device', `${esc}[c${esc}[>c${esc}[=c${esc}Z${esc}[0c`],
  ['a question for the status or the cursor', `${esc}[5n${esc}[6n${esc}[?6n${esc}[?15n`],
  ['a question for a mode', `${esc}[?2026$p${esc}[4$p`],
  ['a question for a setting, DECRQSS', `${esc}P$q"p${esc}\\`],
  ['a question for a capability', `${esc}P+q544e${esc}\\`],
  ['a question for the version', `${esc}[>q${esc}[>0q`],
  ['an answerback', '\u0005'],
  ['a bell', '\u0007'],
  ['keys that are programmed', `${esc}P1;1|17/6c73${esc}\\`],
  ['an image', `${esc}Pq#0;2;0;0;0#0!8~-${esc}\\`],
  ['an application command', `${esc}_Gf=100;AAAA${esc}\\`],
  ['private messages and other strings', `${esc}^secret${esc}\\${esc}Xstring${esc}\\`],
  ['mouse and focus reports', `${esc}[?1000h${esc}[?1002h${esc}[?1003h${esc}[?1006h${esc}[?1004h`],
  ['keys that send something else', `${esc}[?1h${esc}=${esc}[>4;2m${esc}[>1u${esc}[?2004h`],
  ['a locked keyboard', `${esc}[2h`],
  ['a window that is resized', `${esc}[8;10;10t${esc}[?3h${esc}[?40h`],
  ['a printer', `${esc}[5i${esc}[?5i`],
  ['a screen that waits', `${esc}[?2026h`],
  ['the scrollback', `${esc}[3J${esc}[0;3J${esc}[03J`],
  ['another encoding', `${esc}%@`],
  ['numbers without a limit', `${esc}[999999999b${esc}[4294967295C`],
  ['a sequence without an end in sight', `${esc}[${'1;'.repeat(200)}m`],
  ['C1 as one character', '\u009d52;c;AAAA\u009c\u009b6n\u0090+q00\u009c\u0085'],
])('leaves out %s', (_what, text) => {
  expect(passed(`before${text}after`)).toBe('beforeafter')
  // However it is cut.
  const terminal = createSafeTerminal()
  expect([...`before${text}after`].map((character) => terminal.pass(character)).join('')).toBe('beforeafter')
})

test('keeps of several modes those that are good', () => {
  expect(passed(`${esc}[?1049;1000;25h`)).toBe(`${esc}[?1049;25h`)
})

test('a full reset does not take what the reader had on the screen before', () => {
  expect(passed(`a${esc}cb`)).toBe(`a${esc}[!p${esc}[H${esc}[2Jb`)
})

test('a string that never ends hides no more than its line', () => {
  expect(passed(`${esc}]0;hidden\r\nrm -rf /`)).toBe('\r\nrm -rf /')
  expect(passed(`${esc}P${'x'.repeat(70_000)}rm -rf /`)).toContain('rm -rf /')
})

test('a sequence that is interrupted begins anew, and controls inside one count', () => {
  expect(passed(`${esc}[3${esc}[1mx`)).toBe(`${esc}[1mx`)
  expect(passed(`${esc}]0;a${esc}[1mx`)).toBe(`${esc}[1mx`)
  expect(passed(`${esc}[1\u0018mx`)).toBe('mx')
  expect(passed(`${esc}[3\n1mx`)).toBe(`\n${esc}[31mx`)
})

test('gives back what was taken: the other screen, margins, the cursor', () => {
  const terminal = createSafeTerminal()
  terminal.pass(`${esc}[?1049h${esc}[2;5r${esc}[?25l${esc}[?5h${esc}[4h`)
  const given = terminal.restore()
  for (const part of ['?1049l', '[r', '?25h', '?5l', '[4l', '[0m', '?7h'])
    expect(given).toContain(`${esc}[${part.replace('[', '')}`)
  // Leaving a screen one is not on would move the cursor.
  expect(terminal.restore()).not.toContain('?1049l')
})

test.each([
  ['colours', `${esc}[31mred${esc}[0m\r\n`, 'red\n'],
  ['a line that is drawn over', '10%\r50%\r100%\r\n', '100%\n'],
  ['a line that was edited', `$ lss\b${esc}[K -l\r\n`, '$ ls -l\n'],
  ['a character that was put in between', `$ ac${esc}[D${esc}[1@b\r\n`, '$ abc\n'],
  ['titles and questions', `${esc}]0;title\u0007a${esc}[6n\r\n`, 'a\n'],
  ['a screen that is drawn all over', `${esc}[2J${esc}[1;1Hone${esc}[2;1Htwo`, 'one\ntwo\n'],
  ['a full-screen program', `$ vi${esc}[?1049h${esc}[31mtext${esc}[0m${esc}[?1049l$ `, '$ vi\ntext\n$\n'],
  ['text that reorders itself', 'a\u202eb\n', 'a<U+202E>b\n'],
  ['tabs', 'a\tb\n', 'a       b\n'],
  ['a line without an end', 'prompt$ ', 'prompt$\n'],
])('reads as plain text: %s', (_what, text, expected) => {
  const plain = createPlainText()
  expect(plain.pass(text) + plain.rest()).toBe(expected)
  const cut = createPlainText()
  expect([...text].map((character) => cut.pass(character)).join('') + cut.rest()).toBe(expected)
})
