import { describe, expect, it } from 'vitest'
import { type JsonKind, type JsonOptions, JsonReader } from '../../src/base/json-reader.ts'
import { cuts } from '../support/chunks.ts'

interface Seen {
  readonly path: string
  readonly kind: JsonKind
  readonly text: string
}

/** Every value in the order of their ends, or why there is none. */
function read(pieces: readonly Buffer[], options?: JsonOptions): readonly Seen[] | string {
  const whole = Buffer.concat(pieces)
  const seen: Seen[] = []
  const open: { path: string; at: number; kind: JsonKind }[] = []
  const steps: string[][] = [[]]
  const reader = new JsonReader(
    {
      begin(kind, at, step) {
        const path = [...(steps.at(-1) ?? []), ...(step === undefined ? [] : [String(step)])]
        expect(reader.path()).toEqual(path)
        open.push({ path: path.map((one) => `/${one}`).join(''), at, kind })
        steps.push(path)
      },
      end(kind, at) {
        const began = open.pop()
        steps.pop()
        expect(began?.kind).toBe(kind)
        seen.push({ path: began?.path ?? '?', kind, text: whole.toString('utf8', began?.at, at) })
      },
    },
    options,
  )
  for (const piece of pieces)
    if (!reader.push(Buffer.from(piece))) return `${reader.fault?.at}: ${reader.fault?.reason}`
  return reader.end() ? seen : `${reader.fault?.at}: ${reader.fault?.reason}`
}

const texts = (input: string, options?: JsonOptions) => {
  const seen = read([Buffer.from(input)], options)
  return typeof seen === 'string' ? seen : seen.map(({ path, text }) => `${path} ${text}`)
}

const rich =
  ' {"id": -0.5e+3, "näme": "J\\u00fcrgen \\"J\\" 😀", "tags": ["a", [], {}, [true, false, null]], "\\u0061b\\n": {"": 0}, "last": 12 } '

describe('reading a JSON text', () => {
  it('tells every value with its path and its exact bytes', () => {
    expect(texts(rich)).toEqual([
      '/id -0.5e+3',
      '/näme "J\\u00fcrgen \\"J\\" 😀"',
      '/tags/0 "a"',
      '/tags/1 []',
      '/tags/2 {}',
      '/tags/3/0 true',
      '/tags/3/1 false',
      '/tags/3/2 null',
      '/tags/3 [true, false, null]',
      '/tags ["a", [], {}, [true, false, null]]',
      '/ab\n/ 0',
      '/ab\n {"": 0}',
      '/last 12',
      ` ${rich.trim()}`,
    ])
  })

  it.each([
    ['an object', rich],
    ['a number alone', '-12.25E-10'],
    ['a literal alone', 'false'],
    ['a string alone', '"\\ud83d\\ude00 é 漢 😀"'],
    ['what ends too early', '{"a":[1,2'],
    ['what is broken', '{"a":[1,2}}'],
    ['a name given twice', '{"näme":1,"n\\u00e4me":2}'],
  ])('says the same of %s however it is cut', (_, input) => {
    const bytes = Buffer.from(input)
    const whole = read([bytes])
    for (const pieces of cuts(bytes)) expect(read(pieces)).toEqual(whole)
  })

  it('finds names again after others took their places', () => {
    const names = Array.from({ length: 5000 }, (_, at) => `name${at}`)
    const twice = JSON.stringify([names, names].map((list) => Object.fromEntries(list.map((name) => [name, 1]))))
    const seen = read([Buffer.from(twice)])
    expect(
      typeof seen === 'string' ? seen : seen.filter(({ kind }) => kind === 'number').map(({ path }) => path),
    ).toEqual([0, 1].flatMap((at) => names.map((name) => `/${at}/${name}`)))
  })
})

/** By kind, after the well-known cases: what the grammar takes (y), what it does not (n), and what only doubt is about. */
const valid = [
  '[]',
  '{}',
  '""',
  '0',
  '-0',
  '-1',
  '1e5',
  '1E+2',
  '1e-2',
  '0e1',
  '123.456',
  '[1]',
  ' [ ] ',
  '\t\r\n{}\n',
  '[[]]',
  '["\\u0060\\u012a\\u12AB"]',
  '["\\uD801\\udc37"]',
  '["\\"\\\\\\/\\b\\f\\n\\r\\t"]',
  '["a/*b*/c"]',
  '["\u007f"]',
  '["\u2028"]',
  '["€𝄞"]',
  '{"":0}',
  '{"a":"b","c":{"d":[]}}',
  'null',
  '[null,1,"1",{}]',
  '[-0.1]',
  '[20e1]',
  '[123e65]',
  '[0.4e00669999999999999999999999999999999999999]',
  '[1.5e+9999]',
  '[100000000000000000000]',
]
const invalid = [
  '',
  ' ',
  '[',
  ']',
  '{',
  '[1',
  '[1,',
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1,,2]',
  '["a",\n4\n,1,',
  '[1]x',
  '[]]',
  '{}}',
  '{}{}',
  '1 2',
  '{"a":1,}',
  '{,}',
  '{"a"}',
  '{"a":}',
  '{a:1}',
  "{'a':1}",
  '{"a" "b"}',
  '{"a"::1}',
  '{1:1}',
  '{"a":1 "b":2}',
  '{null:1}',
  '[a',
  '[tru]',
  'nul',
  'True',
  'NaN',
  'Infinity',
  '-Infinity',
  '-',
  '+1',
  '.5',
  '1.',
  '-.5',
  '01',
  '-01',
  '1e',
  '1e+',
  '1.e1',
  '0x1',
  '1_0',
  '1a',
  '2.e3',
  '--1',
  '0.3e',
  '1+2',
  '"',
  '"a',
  '"\\',
  '"\\u',
  '"\\u00',
  '"\\u00G0"',
  '"\\x41"',
  '"\\a"',
  '"\\\u0000"',
  '"a\nb"',
  '"a\tb"',
  '"\u0000"',
  '\u00a0[]',
  '[\u000c]',
  '\u2060',
  '// c\n1',
  '1 // c',
  '/**/1',
  '[1]//',
  '#1',
  '*',
  '{"a":/*c*/1}',
  '<.>',
  '[\u0000]',
  '{"a":"b"}#',
  "['a']",
  '"\\u{41}"',
  'undefined',
  '\\u0022',
]
const doubtful = [
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":1}',
  '{"a\\u0000b":1}',
  '"\\ud800"',
  '"\\udc00"',
  '"\\ud800\\ud800"',
  '"\\ud800x"',
  '"\\ud800\\n"',
  '"\\udc00\\ud800"',
  '\ufeff{}',
]

describe('the grammar', () => {
  it.each(valid)('takes %j', (input) => {
    expect(typeof read([Buffer.from(input)])).toBe('object')
    expect(() => JSON.parse(input)).not.toThrow()
  })

  it.each(invalid)('refuses %j', (input) => {
    expect(typeof read([Buffer.from(input)], { doubtful: 'accept' })).toBe('string')
    expect(() => JSON.parse(input)).toThrow()
  })

  it.each(doubtful)('refuses %j unless it is told to take what is doubtful', (input) => {
    expect(typeof read([Buffer.from(input)])).toBe('string')
    expect(typeof read([Buffer.from(input)], { doubtful: 'accept' })).toBe('object')
  })

  it.each([
    ['a lone continuation', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong character of three bytes', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that is never used', [0xff]],
    ['a character cut off', [0xe2, 0x82]],
  ])('refuses UTF-8 that is none: %s', (_, bytes) => {
    const input = Buffer.from([0x22, ...bytes, 0x22])
    for (const pieces of cuts(input)) expect(typeof read(pieces, { doubtful: 'accept' })).toBe('string')
  })

  it('says where it went wrong', () => {
    expect(texts('{"a": tru }')).toBe('9: a value is missing')
    expect(texts('{"a":1,"a":2}')).toBe('9: a name is given twice in one object')
    expect(texts('[1')).toBe('2: it ends too early')
    expect(texts('[1] 2')).toBe('4: something follows the value')
  })
})

describe('limits', () => {
  it('refuses what is deeper than it is told, and takes what is exactly so deep', () => {
    expect(typeof texts(`${'['.repeat(40)}${']'.repeat(40)}`, { depth: 40 })).toBe('object')
    expect(texts('['.repeat(41), { depth: 40 })).toBe('40: it is deeper than 40 levels')
    expect(texts('['.repeat(100_000))).toBe('512: it is deeper than 512 levels')
  })

  it('refuses a name that is too long, whole or in pieces', () => {
    const input = Buffer.from(`{"${'n'.repeat(20)}":1}`)
    for (const pieces of cuts(input)) {
      expect(typeof read(pieces, { nameBytes: 20 })).toBe('object')
      expect(read(pieces, { nameBytes: 19 })).toContain('a name is too long')
    }
  })
})

describe('a sequence of values', () => {
  it.each([
    ['{"a":1}\n{"a":2}\n', ['/a 1', ' {"a":1}', '/a 2', ' {"a":2}']],
    ['1\r\n\r\n2', [' 1', ' 2']],
    ['', []],
  ])('reads lines: %j', (input, expected) => {
    for (const pieces of cuts(Buffer.from(input))) {
      const seen = read(pieces, { form: 'lines' })
      expect(typeof seen === 'string' ? seen : seen.map(({ path, text }) => `${path} ${text}`)).toEqual(expected)
    }
  })

  it.each(['{"a":1}{"a":2}', '{"a":\n1}', '[1,\n2]', '1 2', '1\n{', '1\r2'])(
    'refuses lines that are none: %j',
    (input) => {
      for (const pieces of cuts(Buffer.from(input))) expect(typeof read(pieces, { form: 'lines' })).toBe('string')
    },
  )

  it.each([
    ['\x1e{"a":1}\n\x1e2\n', ['/a 1', ' {"a":1}', ' 2']],
    ['\x1e\x1e"x"\x1e[]', [' "x"', ' []']],
    ['\x1e{\n}\n', [' {\n}']],
  ])('reads records: %j', (input, expected) => {
    for (const pieces of cuts(Buffer.from(input))) {
      const seen = read(pieces, { form: 'records' })
      expect(typeof seen === 'string' ? seen : seen.map(({ path, text }) => `${path} ${text}`)).toEqual(expected)
    }
  })

  it.each(['1\n', '\x1e1', '\x1e1\x1e2\n', '\x1etrue', '\x1e{}{}', '\x1e[\x1e]'])(
    'refuses records that are none: %j',
    (input) => {
      for (const pieces of cuts(Buffer.from(input))) expect(typeof read(pieces, { form: 'records' })).toBe('string')
    },
  )
})

describe('beside JSON.parse', () => {
  it('takes the same texts, and finds the same values in them', () => {
    const random = randomFrom(7)
    for (let round = 0; round < 4000; round++) {
      const input = mutated(random, JSON.stringify(randomValue(random, 4)))
      const bytes = Buffer.from(input)
      // What cannot be written in UTF-8 was altered by writing it.
      const text = bytes.toString('utf8')
      let expected: unknown
      let isValid = true
      try {
        expected = JSON.parse(text)
      } catch {
        isValid = false
      }
      const middle = Math.floor(random() * bytes.length)
      const seen = read([bytes.subarray(0, middle), bytes.subarray(middle)], { doubtful: 'accept' })
      if (typeof seen === 'string' || !isValid) {
        // A byte order mark is the one thing that is taken here and not there.
        if (text.startsWith('\ufeff')) continue
        expect(`${text} → ${typeof seen === 'object'}`).toBe(`${text} → ${isValid}`)
        continue
      }
      expect(JSON.parse(seen.at(-1)?.text ?? '')).toEqual(expected)
      // Where a name is given twice, JSON.parse knows only the last of them.
      if (typeof read([bytes]) === 'object')
        for (const { path, text } of seen) expect(JSON.parse(text)).toEqual(at(expected, path))
    }
  })
})

function at(value: unknown, path: string): unknown {
  let now = value
  for (const step of path.split('/').slice(1)) now = (now as Record<string, unknown>)[step]
  return now
}

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return state / 0x8000_0000
  }
}

function randomValue(random: () => number, depth: number): unknown {
  const pick = Math.floor(random() * (depth === 0 ? 5 : 7))
  const size = Math.floor(random() * 4)
  if (pick === 0) return random() < 0.5
  if (pick === 1) return null
  if (pick === 2) return Math.floor(random() * 1000) - 500
  if (pick === 3) return (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20)
  if (pick === 4) return randomText(random)
  if (pick === 5) return Array.from({ length: size }, () => randomValue(random, depth - 1))
  return Object.fromEntries(Array.from({ length: size }, () => [randomText(random), randomValue(random, depth - 1)]))
}

function randomText(random: () => number): string {
  const signs = ['a', 'b', 'é', '漢', '😀', '\\', '"', '\n', '\u0000', '\u2028', ' ', '0', '~']
  return Array.from({ length: Math.floor(random() * 6) }, () => signs[Math.floor(random() * signs.length)]).join('')
}

/** Half of them as they are, half with one sign altered, taken away or put in. */
function mutated(random: () => number, text: string): string {
  if (random() < 0.5) return text
  const signs = '{}[]:,"\\ \n0123eE+-.utrfnal'
  const at = Math.floor(random() * (text.length + 1))
  const sign = signs.charAt(Math.floor(random() * signs.length))
  return text.slice(0, at) + (random() < 0.7 ? sign : '') + text.slice(at + (random() < 0.6 ? 1 : 0))
}
