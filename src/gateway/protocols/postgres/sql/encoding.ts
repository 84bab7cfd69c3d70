/**
 * SQL text out of the client's bytes. PostgreSQL converts them from client_encoding before its lexer sees them, so a text
 * must be read in that encoding: in some of them the second byte of a character may be a quote or a backslash.
 */
import { isAscii } from 'node:buffer'

/** Encodings whose characters above ASCII have no byte below 0x80 (every server encoding is one). */
const decoders: Readonly<Record<string, string>> = {
  UTF8: 'utf-8',
  UNICODE: 'utf-8',
  LATIN1: 'latin1',
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
  EUC_CN: 'gb2312',
}

/**
 * The text, or undefined when it cannot be told for certain what the server will read. `encoding` undefined: it may be
 * any. In ASCII alone every encoding agrees.
 */
export function decodeSql(bytes: Buffer, encoding: string | undefined): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1')
  const name = encoding?.toUpperCase()
  if (name === 'LATIN1') return bytes.toString('latin1')
  // SQL_ASCII converts nothing: the lexer takes every byte above ASCII for a letter, as it does with UTF-8.
  const label = name === 'SQL_ASCII' ? 'utf-8' : name === undefined ? undefined : decoders[name]
  // SJIS, BIG5, GBK, UHC, GB18030, JOHAB: a byte of a character may look like a quote; fail closed.
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
