import { describe, expect, test } from 'vitest'
import { decodeSql } from '../../../../../src/gateway/protocols/postgres/sql/encoding.ts'

describe('SQL text out of bytes', () => {
  test('is the same in every encoding while it is ASCII', () => {
    expect(decodeSql(Buffer.from('SELECT 1'), 'SJIS')).toBe('SELECT 1')
    expect(decodeSql(Buffer.from('SELECT 1'), undefined)).toBe('SELECT 1')
  })

  test.each([
    ['UTF8', Buffer.from('SELECT "é"'), 'SELECT "é"'],
    ['LATIN1', Buffer.from('SELECT "é"', 'latin1'), 'SELECT "é"'],
    ['WIN1252', Buffer.from([0x27, 0x80, 0x27]), "'€'"],
    ['SQL_ASCII', Buffer.from('SELECT "é"'), 'SELECT "é"'],
  ])('is read as %s', (encoding, bytes, text) => {
    expect(decodeSql(bytes, encoding)).toBe(text)
  })

  test.each(['SJIS', 'BIG5', 'GBK', 'UHC', 'GB18030', 'JOHAB', 'SHIFT_JIS_2004', 'MULE_INTERNAL', 'FUTURE'])(
    'is not believed in %s, where a byte of a character may look like a quote or a backslash',
    (encoding) => {
      expect(decodeSql(Buffer.from([0x27, 0x95, 0x5c, 0x27]), encoding)).toBeUndefined()
    },
  )

  test('is not believed when the encoding is not certain, or the bytes are not of it', () => {
    expect(decodeSql(Buffer.from('é'), undefined)).toBeUndefined()
    expect(decodeSql(Buffer.from([0x27, 0xff, 0x27]), 'UTF8')).toBeUndefined()
  })
})
