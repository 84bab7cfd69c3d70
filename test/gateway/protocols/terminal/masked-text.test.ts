import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type DetectorName, detectorNames } from '../../../../src/gateway/config/schema.ts'
import { compileMasks } from '../../../../src/gateway/policy/masks.ts'
import type { MaskStyle } from '../../../../src/gateway/policy/masking.ts'
import type { Subject } from '../../../../src/gateway/policy/rules.ts'
import { createMaskedText } from '../../../../src/gateway/protocols/terminal/masked-text.ts'
import { cuts } from '../../../support/chunks.ts'

const subject = {
  target: { name: 'ssh-prod', protocol: 'ssh', labels: {} },
  person: { user: 'ana@acme', subject: '1', groups: [] },
  agent: null,
} satisfies Subject

function masksFor(style: MaskStyle, names: readonly DetectorName[] = detectorNames) {
  const rule = { name: 'secrets', match: {}, detectors: [...names], style }
  return compileMasks([rule], subject, Buffer.from('a key of the test'))
}
const masks = masksFor('redact')

function through(pieces: readonly (Buffer | 'flush')[], by = masks): Buffer {
  const text = createMaskedText(by)
  const out = pieces.map((piece) => (piece === 'flush' ? text.flush() : text.push(piece)))
  return Buffer.concat([...out, text.flush()])
}

/** Of everything at once; and then of every cut. */
function shownBytes(input: string | Buffer, by = masks): Buffer {
  const bytes = Buffer.from(input)
  const whole = through([bytes], by)
  for (const pieces of cuts(bytes))
    if (!through(pieces, by).equals(whole)) throw new Error(`cut at ${pieces[0]?.length}, it is shown differently`)
  return whole
}

const shown = (input: string | Buffer, by = masks) => shownBytes(input, by).toString()

const keyLines = (count: number) => Array.from({ length: count }, () => randomBytes(48).toString('base64'))
const pem = (count: number, end = '\n') =>
  ['-----BEGIN RSA PRIVATE KEY-----', ...keyLines(count), '-----END RSA PRIVATE KEY-----', ''].join(end)
const jwt = (length: number) =>
  [
    Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url'),
    randomBytes(length).toString('base64url'),
    's'.repeat(43),
  ].join('.')

describe('what a detector finds', () => {
  test.each([
    ['in a line', 'to ana@acme.com now\n', 'to ••• now\n'],
    ['at the very end', 'mail ana@acme.com', 'mail •••'],
    ['several times', 'a@b.com,4111 1111 1111 1111\r\nc@d.org\r\n', '•••,•••\r\n•••\r\n'],
    ['with colours inside', '\x1b[1mana\x1b[01;31m\x1b[K@acme\x1b[m\x1b[K.com rest\n', '\x1b[1m•••\x1b[01;31m\x1b[K\x1b[m\x1b[K rest\n'],
    ['with colours around', 'x \x1b[31mana@acme.com\x1b[0m y\n', 'x \x1b[31m•••\x1b[0m y\n'],
    ['behind a title', '\x1b]0;host\x07ana@acme.com\n', '\x1b]0;host\x07•••\n'],
    ['in a title', '\x1b]0;ana@acme.com: ~\x07$ ls\n', '\x1b]0;•••: ~\x07$ ls\n'],
    ['in a link', '\x1b]8;;mailto:ana@acme.com\x1b\\Ana\x1b]8;;\x1b\\\n', '\x1b]8;;mailto:•••\x1b\\Ana\x1b]8;;\x1b\\\n'],
    ['behind a title that never ends', '\x1b]0;x ana@acme.com\n', '\x1b]0;x •••\n'],
    ['behind an instruction that is none', '\x1b[3\x01ana@acme.com\x1b\n', '\x1b[3\x01•••\x1b\n'],
    ['between wide characters', '☃ é ana@acme.com 漢字\n', '☃ é ••• 漢字\n'],
    ['beside bytes that are no text', Buffer.from('\xff\xfe \x80 ana@acme.com \xc3(\n', 'latin1'), Buffer.from('\xff\xfe \x80 \xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2 \xc3(\n', 'latin1')],
    ['in a private key', `before\r\n${pem(5, '\r\n')}after\r\n`, 'before\r\n•••\r\nafter\r\n'],
    ['in a key with text around it', `key: "${pem(2).trimEnd()}", x\n`, 'key: "•••", x\n'],
    ['in two keys', `${pem(2)}and\n${pem(3)}`, '•••\nand\n•••\n'],
    ['in a key whose end is missing', `a\n-----BEGIN PRIVATE KEY-----\n${keyLines(2).join('\n')}`, 'a\n•••'],
    ['in a key with colours in it', `\x1b[31m${pem(2).replaceAll('\n', '\x1b[0m\n\x1b[31m')}$ `, `\x1b[31m•••${'\x1b[0m\x1b[31m'.repeat(3)}\x1b[0m\n\x1b[31m$ `],
  ])('is hidden %s', (_where, input, output) => {
    expect(shownBytes(input).toString('latin1')).toBe(Buffer.from(output).toString('latin1'))
  }) // biome-ignore format: a table

  test('is shown in the style of the rule, without harm to its characters', () => {
    expect(shown('ük@bücher.example\n', masksFor('partial'))).toBe('ü•••@bücher.example\n')
    expect(shown('4111 1111 1111 1111\n', masksFor('partial'))).toBe('•••1111\n')
    expect(shown('a@b.com a@b.com\n', masksFor('hash'))).toMatch(/^(#[0-9a-f]{12}) \1\n$/)
    expect(shown('x a@b.com y\n', masksFor('null'))).toBe('x ••• y\n')
  })

  test('does not join what a move of the cursor parts', () => {
    expect(shown('x\x1b[5;1H123-45-6789\n')).toBe('x\x1b[5;1H•••\n')
    expect(shown('ana\x1b[2;9H@acme.com\n')).toBe('ana\x1b[2;9H@acme.com\n')
  })
})

describe('everything else', () => {
  test.each([
    ['text', 'plain text, 12:30, 1.5 €\n'],
    ['colours', '\x1b[1;32mok\x1b[0m \x1b(B\x1b[?2004h$ \n'],
    ['a full screen', '\x1b[?1049h\x1b[2J\x1b[H~\r\n\x1b[7mfile\x1b[m\x1b[24;1H:q\x1b[?1049l'],
    ['half an instruction', 'x\x1b['],
    ['an ESC that is alone', '\x1b\x1b\x1b'],
    ['signs of addresses that are none', '@ a@b user@host:~$ \n'],
    ['a key that is public', '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n'],
  ])('passes untouched: %s', (_what, input) => {
    expect(shown(input)).toBe(input)
    expect(createMaskedText(masks).masked).toBe(false)
  })

  test('is binary-safe: no byte is lost, invented or changed', () => {
    const by = masksFor('redact', ['email', 'private-key', 'jwt'])
    const bytes = Buffer.concat([randomBytes(300_000), Buffer.from(Array.from({ length: 256 }, (_, at) => at))])
    // What might be an address in it is taken out, so that nothing may be hidden.
    for (let at = bytes.indexOf('@'); at >= 0; at = bytes.indexOf('@', at)) bytes[at] = 0
    expect(through([bytes], by).equals(bytes)).toBe(true)
    for (const size of [1000, 4096, 65_536, 70_001]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      )
      expect(through(pieces, by).equals(bytes)).toBe(true)
    }
  })

  test('stays as it is beside what is hidden, in any bytes and any chunks', () => {
    for (let round = 0; round < 30; round++) {
      // Spaces part it from bytes that are no text, which count as letters.
      const around = Array.from({ length: 4 }, () =>
        Buffer.from(randomBytes(round * 40).map((byte) => (byte === 0x40 || byte === 0x1b ? 0x20 : byte))),
      )
      const by = masksFor('redact', ['email'])
      const secret = Buffer.from(' ana@acme.com ')
      const input = Buffer.concat(around.flatMap((one) => [one, secret]))
      const output = Buffer.concat(around.flatMap((one) => [one, Buffer.from(' ••• ')]))
      expect(through([input], by).toString('latin1')).toBe(output.toString('latin1'))
      const pieces: Buffer[] = []
      for (let at = 0; at < input.length; ) {
        const size = 1 + Math.floor(Math.random() * 50)
        pieces.push(input.subarray(at, at + size))
        at += size
      }
      expect(through(pieces, by).equals(output)).toBe(true)
    }
  })
})

describe('what is kept back', () => {
  test('is the line that has begun, and nothing before it', () => {
    const text = createMaskedText(masks)
    expect(text.push(Buffer.from('one\ntwo\nana@ac')).toString()).toBe('one\ntwo\n')
    expect(text.waiting).toBe(true)
    expect(text.push(Buffer.from('me.com\n')).toString()).toBe('•••\n')
    expect(text.waiting).toBe(false)
    expect(text.masked).toBe(true)
  })

  test('goes out with a flush, and what went on with something hidden stays hidden', () => {
    expect(through([Buffer.from('mail ana@acme.co'), 'flush', Buffer.from('m.example ok\n')]).toString()).toBe(
      'mail ••• ok\n',
    )
    expect(through([Buffer.from('$ '), 'flush', Buffer.from('ls\n')]).toString()).toBe('$ ls\n')
  })

  test('is bounded for a line that never ends, and what is long is found in it', () => {
    const secret = jwt(9000)
    const filler = randomBytes(30_000).toString('hex')
    const input = Buffer.from(`${filler} ${secret} ${filler} a@b.com ${filler} ${secret} ${filler}`)
    const text = createMaskedText(masks)
    let most = 0
    let sent = 0
    const out: Buffer[] = []
    for (let at = 0; at < input.length; at += 1000) {
      const shown = text.push(input.subarray(at, at + 1000))
      sent += shown.length
      out.push(shown)
      most = Math.max(most, at + 1000 - sent)
    }
    out.push(text.flush())
    // What was masked counts as kept back here: the tokens' own length, twice.
    expect(most).toBeLessThan(64 * 1024 + 2 * secret.length + 1000)
    const expected = `${filler} ••• ${filler} ••• ${filler} ••• ${filler}`
    expect(Buffer.concat(out).toString()).toBe(expected)
    expect(through([input]).toString()).toBe(expected)
  })

  test('is bounded for a key that never ends; its lines stay hidden', () => {
    const input = Buffer.from(`-----BEGIN PGP PRIVATE KEY BLOCK-----\n${keyLines(3000).join('\n')}\n$ ls\nok\n`)
    const text = createMaskedText(masks)
    let kept = 0
    const out: Buffer[] = []
    for (let at = 0; at < input.length; at += 1000) {
      out.push(text.push(input.subarray(at, at + 1000)))
      if (text.waiting && out.every(({ length }) => length === 0)) kept = at
    }
    expect(kept).toBeLessThan(70_000)
    expect(Buffer.concat([...out, text.flush()]).toString()).toBe('•••$ ls\nok\n')
  })

  test('of a key that comes slowly is hidden line by line', () => {
    const lines = keyLines(3)
    const pieces = ['-----BEGIN RSA PRIVATE KEY-----\n', ...lines.map((line) => `${line}\n`), 'host:~$ ls\n']
    const output = through(pieces.flatMap((piece) => [Buffer.from(piece), 'flush' as const])).toString()
    expect(output).toBe('•••host:~$ ls\n')
  })

  test('leaves sequences and characters whole when a flush cuts them', () => {
    const input = Buffer.from('é \x1b[1;31mana@acme.com\x1b[0m 漢 \x1b]0;a title\x07ana@acme.com 😀\n')
    for (let at = 0; at <= input.length; at++) {
      const output = through([input.subarray(0, at), 'flush', input.subarray(at)]).toString()
      expect(
        output.replaceAll(/[^\x1b\x07]*?(\x1b\[[\d;]*m|\x1b\]0;a title\x07)/g, '$1').replace(/[^\x07]*$/, ''),
      ).toBe('\x1b[1;31m\x1b[0m\x1b]0;a title\x07')
      expect(output).not.toContain('\ufffd')
      expect(output.startsWith('é ')).toBe(true)
      expect(output.endsWith(' 😀\n')).toBe(true)
    }
    const bytewise = Array.from(input, (byte) => [Buffer.from([byte]), 'flush' as const]).flat()
    expect(through(bytewise).equals(input)).toBe(true)
  })
})
