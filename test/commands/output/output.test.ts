import { expect, test } from 'vitest'
import { canOpenBrowser } from '../../../src/commands/output/browser.ts'
import { qrCode } from '../../../src/commands/output/qr-code.ts'
import { recordLine } from '../../../src/commands/output/records.ts'
import { coloured, cut, plain, styleFor, widthOf } from '../../../src/commands/output/style.ts'
import { table } from '../../../src/commands/output/table.ts'
import { clockTime, fromNow, inWords, parseDuration, parseMoment } from '../../../src/commands/output/time.ts'
import type { AuditRecord } from '../../../src/contract/record.ts'
import { createTerminal } from '../../support/terminal.ts'
import { command, outcome } from '../../support/store-folder.ts'

const now = Date.parse('2026-01-31T12:00:00Z')

test.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [false, { FORCE_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  [true, { TERM: 'dumb' }, false],
])('decides on colours: terminal %s, environment %o → %s', (isTty, env, expected) => {
  expect(styleFor(isTty, env) === coloured).toBe(expected)
})

test('aligns columns by cells, not by letters or escapes', () => {
  const text = table(
    ['A', 'B'],
    [
      [coloured('good', '你好'), 'x'],
      ['abcdef', 'y'],
    ],
    plain,
  )
  expect(text.split('\n').map((line) => widthOf(line.slice(0, line.search(/[Bxy]$/))))).toEqual([8, 8, 8, 0])
})

test('cuts to cells with an ellipsis', () => {
  expect(cut('abcdef', 4)).toBe('abc…')
  expect(cut('你好吗', 4)).toBe('你…')
  expect(cut('abcd', 4)).toBe('abcd')
})

test.each([
  ['10m', 600_000],
  ['500ms', 500],
  ['1.5h', 5_400_000],
  ['1w', 604_800_000],
  ['10', undefined],
  ['m', undefined],
])('reads the duration %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test('reads a moment as time ago, with a zone, or as local time', () => {
  expect(parseMoment('10m', now, '--since')).toBe('2026-01-31T11:50:00.000Z')
  expect(parseMoment('2026-01-31T09:00Z', now, '--since')).toBe('2026-01-31T09:00:00.000Z')
  expect(parseMoment('2026-01-31 09:00', now, '--since')).toBe(new Date(2026, 0, 31, 9).toISOString())
  expect(parseMoment('2026-01-31', now, '--since')).toBe(new Date(2026, 0, 31).toISOString())
  expect(() => parseMoment('yesterday', now, '--since')).toThrow('--since does not understand "yesterday"')
  expect(() => parseMoment('1', now, '--since')).toThrow()
})

test('says times and durations in words', () => {
  expect([0.4, 340, 4200, 42_000, 720_000, 11_100_000, 187_200_000].map(inWords)).toEqual([
    '0.4 ms',
    '340 ms',
    '4.2 s',
    '42 s',
    '12 min',
    '3 h 5 min',
    '2 d 4 h',
  ])
  expect(fromNow('2026-01-31T12:12:00Z', now)).toBe('in 12 min')
  expect(fromNow('2026-01-31T11:59:55.8Z', now)).toBe('4.2 s ago')
  expect(clockTime(new Date(2026, 0, 2, 3, 4, 5).toISOString(), new Date(2026, 0, 2).getTime())).toBe('03:04:05')
  expect(clockTime(new Date(2026, 0, 2, 3, 4, 5).toISOString(), new Date(2026, 0, 3).getTime())).toBe('01-02 03:04:05')
})

function recorded(draft: object): AuditRecord {
  return { v: 1, seq: 7, at: new Date(now).toISOString(), prev: '', hash: '', ...draft } as AuditRecord
}

test('shows a record in one line, with nothing in it that a terminal would obey', () => {
  const form = { style: plain, now, columns: undefined }
  const line = recordLine(recorded(command('cmd_1', { verdict: 'deny', text: 'SELECT\n\u001b[31m 1' })), form)
  expect(line).toContain('deny')
  expect(line).toContain('SELECT ↵ ␛[31m 1 (rule test)')
  expect(line).not.toMatch(/[\u001b\n]/)
})

test('cuts a record to the width of the terminal', () => {
  const long = recorded(command('cmd_1', { text: 'x'.repeat(500) }))
  expect(widthOf(recordLine(long, { style: coloured, now, columns: 100 }))).toBeLessThanOrEqual(100)
})

test('shows what became of a command', () => {
  expect(recordLine(recorded(outcome('cmd_1')), { style: plain, now, columns: undefined })).toMatch(/done +1 row$/)
})

test.each([
  ['linux', {}, false],
  ['linux', { DISPLAY: ':0' }, true],
  ['linux', { WAYLAND_DISPLAY: 'w' }, true],
  ['linux', { DISPLAY: ':0', SSH_CONNECTION: 'x' }, false],
  ['darwin', {}, true],
  ['darwin', { SSH_TTY: '/dev/ttys0' }, false],
] as const)('opens a browser only where somebody sits: %s %o → %s', (platform, env, expected) => {
  expect(canOpenBrowser(env, platform)).toBe(expected)
})

test('draws a QR code only where the terminal can show it', async () => {
  const utf8 = { LANG: 'en_US.UTF-8' }
  const { stderr } = createTerminal({ isTty: true }).runtime.io
  const { stderr: piped } = createTerminal().runtime.io
  expect(await qrCode('https://id.example.com/device?user_code=AB-CD', stderr, utf8)).toMatch(/[▀▄█]/)
  expect(await qrCode('https://id.example.com', stderr, { LANG: 'C' })).toBeUndefined()
  expect(await qrCode('https://id.example.com', stderr, { ...utf8, TERM: 'dumb' })).toBeUndefined()
  expect(await qrCode('https://id.example.com', piped, utf8)).toBeUndefined()
  expect(await qrCode(`https://id.example.com/${'x'.repeat(2000)}`, stderr, utf8)).toBeUndefined()
})
