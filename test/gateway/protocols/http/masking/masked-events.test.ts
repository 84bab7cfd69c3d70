import { describe, expect, test } from 'vitest'
import type { Masks } from '../../../../../src/gateway/checkpoint.ts'
import { createMaskedEvents } from '../../../../../src/gateway/protocols/http/masking/masked-events.ts'
import { both, emails, passwords, shownBy, through } from './masks.ts'

/** A carriage return at the end of a piece waits for what comes behind it, so that cuts make no difference. */
const shown = (input: string, masks: Masks) => shownBy(() => createMaskedEvents(masks), input)

describe('an event', () => {
  test.each([
    ['JSON in its data', 'data: {"password":"x"}\n\n', 'data: {"password":"•••"}\n\n'],
    ['JSON over several lines', 'data: {"a":\ndata: 1}\n\n', 'data: {"a":\ndata: 1}\n\n'],
    ['JSON over several lines, masked', 'data: {"password":\ndata:"x"}\n\n', 'data: {"password":\ndata: "•••"}\n\n'],
    ['text', 'event: a\ndata: to ana@acme.com\nid: 7\n\n', 'event: a\ndata: to •••\nid: 7\n\n'],
    ['with other line ends', 'data: ana@acme.com\r\n\r\ndata: b\r\n\r\n', 'data: •••\r\n\r\ndata: b\r\n\r\n'],
    ['with carriage returns alone', 'data: ana@acme.com\r\rdata: b\r\r', 'data: •••\r\rdata: b\r\r'],
    ['its other fields', 'id: ana@acme.com\ndata: 1\n\n', 'id: •••\ndata: 1\n\n'],
    ['comments', ': for ana@acme.com\n\n', ': for •••\n\n'],
    ['without a blank line at the end', 'data: ana@acme.com', 'data: •••\n'],
    ['[DONE]', 'data: [DONE]\n\n', 'data: [DONE]\n\n'],
    ['text with the name of a member', 'data: password=x\n\n', 'data: •••\n\n'],
    ['broken JSON with the name of a member', 'data: {"password": x}\n\n', 'data: •••\n\n'],
    ['behind a byte order mark', '\ufeffdata: ana@acme.com\n\n', 'data: •••\n\n'],
    ['nothing', '', ''],
  ])('%s', (_, input, expected) => {
    expect(shown(input, both)).toBe(expected)
  })

  test('goes on as soon as it is complete, and its bytes are the same', () => {
    const passage = createMaskedEvents(passwords)
    const first = 'retry: 10\nevent:x\ndata:{ "a" : 1 }\n\n'
    expect(passage.push(Buffer.from(`${first}data: {"pass`)).toString()).toBe(first)
    expect(passage.push(Buffer.from(': ping\n')).toString()).toBe('')
    expect(passage.masked).toBe(false)
  })

  test('a comment between events does not wait', () => {
    expect(createMaskedEvents(emails).push(Buffer.from(':\n')).toString()).toBe(':\n')
  })

  test('that is too long is shown without its data, and the next one is shown', () => {
    const line = `data: ${'x'.repeat(300_000)}\n`
    const input = `event: big\n${line.repeat(4)}\ndata: ok\n\n`
    expect(through(createMaskedEvents(emails), [Buffer.from(input)])).toBe('event: big\ndata: •••\n\ndata: ok\n\n')
  })

  test('a line that never ends is not kept', () => {
    const passage = createMaskedEvents(emails)
    expect(() => {
      for (let at = 0; at < 20; at++) passage.push(Buffer.alloc(100_000, 'x'))
    }).toThrow('too long')
  })
})
