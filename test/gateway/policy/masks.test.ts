import { describe, expect, test } from 'vitest'
import type { Command } from '../../../src/contract/command.ts'
import type { MaskRule } from '../../../src/gateway/config/schema.ts'
import { compileMasks, compileRecordMasks } from '../../../src/gateway/policy/masks.ts'
import { redactCommand } from '../../../src/gateway/policy/redact-command.ts'
import { redactText } from '../../../src/gateway/policy/redact-text.ts'

const key = Buffer.from('a key of the test')
const target = { name: 'pg', protocol: 'postgres', labels: { env: 'prod' } } as const
const ana = { target, person: { user: 'ana@acme', subject: '1', groups: ['dev'] }, agent: null }
const dba = { ...ana, person: { ...ana.person, groups: ['dba'] } }

const rules = (...given: Partial<MaskRule>[]): MaskRule[] =>
  given.map((rule, index) => ({ name: `r${index}`, match: {}, style: 'redact', ...rule }))
const masks = (...given: Partial<MaskRule>[]) => compileMasks(rules(...given), ana, key)

const email = { schema: 'public', table: 'customers', column: 'email' }

describe('columns', () => {
  test('are found by globs of schema, table and column, in any case of letters', () => {
    const { column } = masks({ columns: ['*.customers.{email,phone}'] })
    expect(column(email)).toBe('redact')
    expect(column({ ...email, column: 'Email' })).toBe('redact')
    expect(column({ ...email, table: 'orders' })).toBeUndefined()
  })
  test('get the strictest style of the rules that fit', () => {
    const given: Partial<MaskRule>[] = [
      { columns: ['*.*.email'], style: 'partial' },
      { columns: ['public.*.*'], style: 'hash' },
    ]
    expect(masks(...given).column(email)).toBe('hash')
    expect(masks(...given, { columns: ['*.*.*'], style: 'null' }).column(email)).toBe('null')
  })
  test('are seen by groups that are excepted', () => {
    const given = rules({ columns: ['*.*.email'], except: { groups: ['dba'] } })
    expect(compileMasks(given, dba, key).empty).toBe(true)
    expect(compileMasks(given, ana, key).column(email)).toBe('redact')
  })
  test('are masked for the targets, labels, people and agents that the rule names', () => {
    expect(masks({ columns: ['*.*.*'], match: { labels: { env: 'dev' } } }).empty).toBe(true)
    expect(masks({ columns: ['*.*.*'], match: { agents: ['devin'] } }).empty).toBe(true)
    expect(masks({ columns: ['*.*.*'], match: { agents: ['none'], targets: ['pg'] } }).hasColumns).toBe(true)
  })
})

describe('a hint of bytes', () => {
  const { mask, hint } = masks({ columns: ['*.*.*'] })
  const hinted = (value: string) => {
    const bytes = Buffer.from(`<${value}>`)
    const left = hint(bytes, 1, bytes.length - 1)
    return left === undefined ? undefined : `${value.slice(0, left.head)}•••${value.slice(value.length - left.tail)}`
  }

  test('is what the style `partial` shows of the same text', () => {
    const signs = ['a', 'Z', '_', '7', '4', '0', '@', '.', ' ', '-', '+', '(', '/', ',', '\t', '"']
    let seed = 1
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    let told = 0
    for (let round = 0; round < 50_000; round++) {
      // Few signs a value, so that numbers and addresses come up.
      const few = Array.from({ length: 1 + random(4) }, () => signs[random(signs.length)] ?? '')
      const value = Array.from({ length: random(24) }, () => few[random(few.length)]).join('')
      const found = hinted(value)
      if (found === undefined) continue
      told++
      expect(found, JSON.stringify(value)).toBe(mask('partial', value))
    }
    expect(told).toBeGreaterThan(45_000)
  })
  test.each([
    '',
    'a@b.cd',
    `${'a'.repeat(315)}@b.cd`,
    `${'a'.repeat(316)}@b.cd`,
    '1'.repeat(64),
    '1'.repeat(65),
    'a@b@c.de',
  ])('keeps to the limits of its parts: %s', (value) => {
    expect(hinted(value)).toBe(mask('partial', value))
  })
  test('is not told of what is not ASCII, nor of last digits that stand apart', () => {
    expect(hinted('jürgen@acme.com')).toBeUndefined()
    expect(hinted('4111 1111 1111 11-11')).toBeUndefined()
  })
})

describe('styles', () => {
  const { mask } = masks({ columns: ['*.*.*'] })
  test.each([
    ['ana@acme.com', 'a•••@acme.com'],
    ['4111 1111 1111 1111', '•••1111'],
    ['4111111111111111', '•••1111'],
    ['536-90-4399', '•••4399'],
    ['12345678', '•••'],
    ['short', '•••'],
    ['a long secret', 'a•••'],
    ['😀 a long secret', '😀•••'],
    ['', '•••'],
  ])('partial leaves a hint of %j', (value, hint) => expect(mask('partial', value)).toBe(hint))

  test('hash tells equal values and nothing else, and depends on the key', () => {
    expect(mask('hash', 'x')).toMatch(/^#[0-9a-f]{12}$/)
    expect(mask('hash', 'x')).toBe(mask('hash', 'x'))
    expect(mask('hash', 'x')).not.toBe(mask('hash', 'y'))
    expect(compileMasks(rules({ columns: ['*.*.*'] }), ana, Buffer.from('other')).mask('hash', 'x')).not.toBe(
      mask('hash', 'x'),
    )
  })
  test('redact and null show nothing', () => {
    expect(mask('redact', 'x')).toBe('•••')
    expect(mask('null', 'x')).toBeNull()
  })
})

describe('detectors', () => {
  test('mask what they find and leave the rest', () => {
    const { detect } = masks({ detectors: ['email', 'card'], style: 'partial' })
    expect(detect('from ana@acme.com, card 4111111111111111!')).toBe('from a•••@acme.com, card •••1111!')
  })
  test('hand back the very same text when they find nothing', () => {
    expect(masks({ detectors: ['email'] }).detect('nothing here')).toBe('nothing here')
  })
  test('take the whole value where the style is null', () => {
    expect(masks({ detectors: ['email'], style: 'null' }).detect('x ana@acme.com')).toBeNull()
  })
  test('mask what two of them find once, as strictly as either', () => {
    const both = masks({ detectors: ['cloud-key'], style: 'redact' }, { detectors: ['email'], style: 'partial' })
    expect(both.detect(`ghp_${'a1B2'.repeat(9)}@acme.com`)).toBe('•••')
  })
})

const command = (text: string, ...values: (string | null)[]): Command => ({
  protocol: 'postgres',
  verb: 'SELECT',
  objects: [],
  text,
  parameters: values.map((value) => ({ value })),
  actions: [{ verb: 'SELECT', kind: 'read', objects: [], unbounded: false }],
  facts: { kind: 'read', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] },
})

describe('records', () => {
  const record = compileRecordMasks(
    rules({ detectors: ['email'], style: 'partial', except: { groups: ['dba'] } }),
    target,
    key,
  )

  test('hold no parameter or literal that a detector finds, whoever asked', () => {
    const shown = redactCommand(command("SELECT 'ana@acme.com', $1, $2", 'bo@acme.com', null), record)
    expect(shown.text).toBe("SELECT 'a•••@acme.com', $1, $2")
    expect(shown.parameters).toEqual([{ value: 'b•••@acme.com' }, { value: null }])
  })
  test('keep the very same command when there is nothing to hide', () => {
    const harmless = command('SELECT 1', 'x')
    expect(redactCommand(harmless, record)).toBe(harmless)
  })
  test('hold no bytes of what a detector finds', () => {
    const shown = redactCommand(command('SELECT $1', `\\x${Buffer.from('ana@acme.com').toString('hex')}`), record)
    expect(shown.parameters).toEqual([{ value: '•••' }])
  })
  test.each([
    "CREATE ROLE a PASSWORD 'hunter2'",
    "CREATE ROLE a PASSWORD 'hunter2' LOGIN",
    "ALTER USER a WITH ENCRYPTED PASSWORD E'hunt\\er2'",
    "alter user a password/* x /* y */ */'hunter2'",
    "ALTER USER a PASSWORD -- why\n 'hunter2'",
    'ALTER USER a PASSWORD $$hunter2$$',
    'ALTER USER a PASSWORD $x$hunter2$x$',
    "ALTER USER a PASSWORD U&'hunter2'",
    "ALTER USER a PASSWORD 'hun'\n'hunter2'",
    "ALTER USER a PASSWORD 'it''s hunter2'",
    "DO $$ BEGIN EXECUTE 'ALTER USER a PASSWORD ''hunter2'''; END $$",
    "DO $$ BEGIN EXECUTE format('ALTER USER a PASSWORD %L', 'hunter2'); END $$",
    "DO $$ BEGIN EXECUTE 'ALTER USER a PASSWORD ' || quote_literal('hunter2'); END $$",
    "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'a', password 'hunter2')",
    'CREATE USER MAPPING FOR a SERVER s OPTIONS ("password" \'hunter2\')',
    "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2 dbname=d' PUBLICATION p",
    "SELECT dblink_connect('postgresql://a:hunter2@h/d')",
    "SELECT * FROM users WHERE password = 'hunter2'",
    `ALTER USER a PASSWORD ${' '.repeat(10_000)}'hunter2'`,
    "CREATE ROLE a PASSWORD 'hunter2",
    "SET password_is := 'hunter2'".replace('password_is', 'password'),
  ])('hold no password: %s', (text) => {
    const shown = redactText(text, record)
    expect(shown).not.toContain('hunter2')
    expect(shown).toContain('•••')
  })
  test('hold no password that is a parameter', () => {
    expect(
      redactCommand(command('UPDATE u SET password = $2 WHERE id = $1', '7', 'hunter2'), record).parameters,
    ).toEqual([{ value: '7' }, { value: '•••' }])
  })
  test.each([
    'ALTER USER a PASSWORD NULL',
    'SELECT password FROM users',
    'SELECT passwords, id FROM users',
    "SELECT password, 'x' FROM u",
  ])('leave what gives no password away: %s', (text) => expect(redactText(text, record)).toBe(text))
  test.each(['password ', 'password/* ', "password '", 'password=', "password '' ", 'password $', 'password ||'])(
    'take time in proportion to the text: %j repeated',
    (piece) => {
      const started = performance.now()
      redactText(piece.repeat(40_000), record)
      expect(performance.now() - started).toBeLessThan(3000)
    },
  )
})
