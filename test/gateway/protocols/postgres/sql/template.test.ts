/** Texts that differ in integers alone are read once, and only where that gives what reading each of them gives. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Ground } from '../../../../../src/gateway/protocols/postgres/masking/ground.ts'
import { createWalk, statementOutputs } from '../../../../../src/gateway/protocols/postgres/masking/lineage.ts'
import type { Context } from '../../../../../src/gateway/protocols/postgres/sql/context.ts'
import { type Draft, draftsOf } from '../../../../../src/gateway/protocols/postgres/sql/draft.ts'
import { createParser } from '../../../../../src/gateway/protocols/postgres/sql/parse.ts'
import { createContext } from '../../../../../src/gateway/protocols/postgres/sql/read.ts'
import { createTemplates } from '../../../../../src/gateway/protocols/postgres/sql/template.ts'

let context: Context
beforeAll(async () => {
  context = createContext(await createParser())
})

const read = (sql: string): readonly Draft[] => draftsOf(sql, context) ?? []
/** What is found for a text after these were read. */
function found(sql: string, ...before: readonly string[]) {
  const templates = createTemplates(100, 1_000_000)
  for (const text of before) templates.learn(text, read(text))
  return templates.find(sql)
}

/** One column of one table is masked. */
const ground: Ground = {
  relation: (name) => ({
    columns: [
      { name: 'id', style: undefined },
      { name: 'email', style: name === 'users' ? 'redact' : undefined },
    ],
    exact: true,
    ordered: true,
    rest: undefined,
    touches: name === 'users',
    hasRules: false,
  }),
  suspectsFunction: () => false,
  suspectsOperator: () => false,
  suspectsType: () => false,
  prepared: () => undefined,
  cursor: () => undefined,
}

/** Everything that is asked of a draft, but for its text: what it does, and how its answer is masked. */
function meaning({ tree, reading }: Draft) {
  return { reading, outputs: statementOutputs(tree, createWalk(ground)), type: Object.keys(tree ?? {}) }
}

const shared = [
  'SELECT abalance FROM pgbench_accounts WHERE aid = #;',
  'UPDATE pgbench_accounts SET abalance = abalance + # WHERE aid = #;',
  'UPDATE pgbench_accounts SET abalance = abalance + -# WHERE aid = #;',
  'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (#, #, #, -#, CURRENT_TIMESTAMP);',
  '\n ;SELECT email FROM users WHERE id IN (#, #) AND id < $1 + # ; ',
  'DELETE FROM users WHERE id BETWEEN # AND #',
  'UPDATE users SET id = # WHERE id = #',
  'SELECT email, id + # FROM users WHERE id >= # AND $2 <> #',
]

/** Some of their integers matter; what they are must never be taken for what they are not. */
const delicate = [
  'DELETE FROM users WHERE id = # OR id <> #',
  'DELETE FROM users WHERE id = # OR id <> -#',
  'DELETE FROM users WHERE id = - # OR NOT id = -(#)',
  'DELETE FROM users WHERE id + # = id + #',
  'DELETE FROM users WHERE NOT (id + # = id + #)',
  'DELETE FROM users WHERE # = #',
  'DELETE FROM users WHERE id = # OR # = #',
  'DELETE FROM users WHERE NOT (# <> #) AND id > #',
  'DELETE FROM users WHERE # IN (#, #) AND id > #',
  'DELETE FROM users WHERE id = # OR true',
  'DELETE FROM users WHERE (id = #) = (id = #)',
  'DELETE FROM users WHERE id = (SELECT # FROM users u WHERE u.id = users.id + #)',
  'UPDATE users SET id = # WHERE id = # OR id IS NOT NULL AND # < #',
  'SELECT email FROM users WHERE id = # LIMIT # OFFSET #',
  'SELECT #, email FROM users WHERE id > # GROUP BY #, # ORDER BY #',
  'SELECT # FROM users WHERE id = #',
  'SELECT lo_unlink(#) FROM users WHERE id = #',
  'SELECT #::regclass, email FROM users WHERE id = #',
  'SELECT CAST(id AS float(#)) FROM users WHERE id = #',
  'SELECT CAST(id AS numeric(#, #)) FROM users WHERE id = #',
  'SELECT email FROM users WHERE id = #.5 AND id = .# AND id = #e1 AND id = 0x# AND id = a# AND id = #',
  'SELECT (ARRAY[#, #])[#], email FROM users TABLESAMPLE system (#) WHERE id = #',
  'WITH gone AS (DELETE FROM users WHERE id = # OR id <> # RETURNING *) SELECT * FROM gone WHERE id < #',
  'INSERT INTO users SELECT id FROM users WHERE id = # ON CONFLICT (id) DO UPDATE SET id = #',
  'INSERT INTO users VALUES (# + #, #) RETURNING email, #',
  'SELECT count(*) FILTER (WHERE id = #) OVER (ORDER BY id ROWS # PRECEDING) FROM users',
  'SELECT email INTO copy FROM users WHERE id = #',
  'SELECT email FROM users WHERE id = # FOR UPDATE',
  'SELECT * FROM generate_series(#, #) AS n WHERE n = #',
]

const numbers = ['0', '00', '1', '2', '01', '7', '42', '47110815', '999999999', '2147483648', '9999999999']

/** The same texts on each run. */
function texts(skeleton: string): readonly string[] {
  let seed = skeleton.length + 1
  const next = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % below
  }
  return Array.from({ length: 60 }, (_, round) =>
    // Few different numbers, so that they are often equal.
    skeleton.replaceAll('#', () => numbers[next(round % 2 === 0 ? numbers.length : 4)] ?? ''),
  )
}

describe.each([...shared, ...delicate])('texts like %s', (skeleton) => {
  it('mean what each of them means when it is read alone', () => {
    const templates = createTemplates(100, 1_000_000)
    for (const text of texts(skeleton)) {
      const [alone] = read(text)
      if (alone === undefined) continue
      const together = templates.find(text)
      if (together === undefined) {
        templates.learn(text, [alone])
        continue
      }
      expect(together.text, text).toBe(alone.text)
      expect(meaning(together.drafts[0]), text).toEqual(meaning(alone))
    }
  })
})

it.each(shared)('one of them is read for all: %s', (skeleton) => {
  const text = (first: number) => {
    let number = first
    return skeleton.replaceAll('#', () => {
      number += 3
      return String(number)
    })
  }
  const [draft] = read(text(5))
  expect(found(text(4000), text(5))).toEqual({ drafts: [draft], text: read(text(4000))[0]?.text })
})

it('a value that matters is part of what they have in common', () => {
  const page = 'SELECT email FROM users WHERE id > 7 LIMIT 10'
  expect(found(page.replace('7', '99'), page)).toBeDefined()
  expect(found(page.replace('10', '11'), page)).toBeUndefined()
})

it.each([
  ['which of them are equal', 'DELETE FROM t WHERE a = 1 OR a <> 2', 'DELETE FROM t WHERE a = 1 OR a <> 1'],
  ['which of them are equal', 'DELETE FROM t WHERE a = 1 OR a <> 1', 'DELETE FROM t WHERE a = 1 OR a <> 2'],
  ['zero', 'SELECT a FROM t WHERE a = 1', 'SELECT a FROM t WHERE a = 0'],
  ['zero', 'SELECT a FROM t WHERE a = 0', 'SELECT a FROM t WHERE a = 1'],
  ['a sign', 'SELECT a FROM t WHERE a = 1', 'SELECT a FROM t WHERE a = -1'],
  ['constants alone', 'DELETE FROM t WHERE 1 = 1', 'DELETE FROM t WHERE 2 = 2'],
  ['LIMIT', 'SELECT a FROM t LIMIT 1', 'SELECT a FROM t LIMIT 2'],
  ['ORDER BY', 'SELECT a FROM t ORDER BY 1', 'SELECT a FROM t ORDER BY 2'],
  ['GROUP BY', 'SELECT a FROM t GROUP BY 1', 'SELECT a FROM t GROUP BY 2'],
  ['a function', 'SELECT f(1) FROM t', 'SELECT f(2) FROM t'],
  ['a cast', 'SELECT 1::regclass', 'SELECT 2::regclass'],
  ['a comparison with a cast', 'SELECT a FROM t WHERE a = 1::oid', 'SELECT a FROM t WHERE a = 2::oid'],
  ['an array', 'SELECT a[1] FROM t', 'SELECT a[2] FROM t'],
  ['a type', 'SELECT a::numeric(1) FROM t', 'SELECT a::numeric(2) FROM t'],
  ['a precision', 'SELECT a::float(1) FROM t WHERE a = 1', 'SELECT a::float(30) FROM t WHERE a = 30'],
  ['another operator', 'SELECT a FROM t WHERE a @@ 1', 'SELECT a FROM t WHERE a @@ 2'],
  ['another schema', 'SELECT a FROM t WHERE a OPERATOR(s.=) 1', 'SELECT a FROM t WHERE a OPERATOR(s.=) 2'],
  ['a decimal', 'SELECT a FROM t WHERE a = 1.5', 'SELECT a FROM t WHERE a = 2.5'],
  ['an exponent', 'SELECT a FROM t WHERE a = 1e5', 'SELECT a FROM t WHERE a = 2e5'],
  ['hexadecimal', 'SELECT a FROM t WHERE a = 0x1', 'SELECT a FROM t WHERE a = 0x2'],
  ['groups of digits', 'SELECT a FROM t WHERE a = 1_000', 'SELECT a FROM t WHERE a = 2_000'],
  ['a long one', 'SELECT a FROM t WHERE a = 1000000000', 'SELECT a FROM t WHERE a = 2000000000'],
  ['a long one', 'SELECT a FROM t WHERE a = 1', 'SELECT a FROM t WHERE a = 9999999999'],
  ['a name', 'SELECT a1 FROM t', 'SELECT a2 FROM t'],
  ['a name', 'SELECT a_1 FROM t', 'SELECT a_2 FROM t'],
  ['a parameter', 'SELECT a FROM t WHERE a = $1', 'SELECT a FROM t WHERE a = $2'],
  ['a quoted name', 'SELECT "a" FROM t WHERE a = 1', 'SELECT "a" FROM t WHERE a = 2'],
  ['a literal', "SELECT a FROM t WHERE b = '1' AND a = 1", "SELECT a FROM t WHERE b = '1' AND a = 2"],
  ['an escape', "SELECT a FROM t WHERE b = E'\\'' AND a = 1", "SELECT a FROM t WHERE b = E'\\'' AND a = 2"],
  ['dollar quotes', 'SELECT $$1$$ FROM t WHERE a = 1', 'SELECT $$2$$ FROM t WHERE a = 2'],
  ['named dollar quotes', 'SELECT $x$1$x$ FROM t WHERE a = 1', 'SELECT $x$2$x$ FROM t WHERE a = 2'],
  ['a comment', 'SELECT a FROM t WHERE a = 1 -- 1', 'SELECT a FROM t WHERE a = 2 -- 2'],
  ['a comment', 'SELECT a FROM t WHERE /* x */ a = 1', 'SELECT a FROM t WHERE /* x */ a = 2'],
  ['what is not ASCII', 'SELECT ä FROM t WHERE a = 1', 'SELECT ä FROM t WHERE a = 2'],
  ['a control character', 'SELECT a FROM t\f WHERE a = 1', 'SELECT a FROM t\f WHERE a = 2'],
  ['several statements', 'SELECT a FROM t WHERE a = 1; SELECT 1', 'SELECT a FROM t WHERE a = 2; SELECT 1'],
  ['SET', 'SET work_mem = 1000', 'SET work_mem = 2000'],
  ['EXPLAIN', 'EXPLAIN SELECT a FROM t WHERE a = 1', 'EXPLAIN SELECT a FROM t WHERE a = 2'],
  ['PREPARE', 'PREPARE p AS SELECT a FROM t WHERE a = 1', 'PREPARE p AS SELECT a FROM t WHERE a = 2'],
  ['EXECUTE', 'EXECUTE p(1)', 'EXECUTE p(2)'],
  ['DECLARE', 'DECLARE c CURSOR FOR SELECT a FROM t WHERE a = 1', 'DECLARE c CURSOR FOR SELECT a FROM t WHERE a = 2'],
  ['COPY', 'COPY (SELECT a FROM t WHERE a = 1) TO STDOUT', 'COPY (SELECT a FROM t WHERE a = 2) TO STDOUT'],
  ['CREATE', 'CREATE TABLE u AS SELECT a FROM t WHERE a = 1', 'CREATE TABLE u AS SELECT a FROM t WHERE a = 2'],
  [
    'MERGE',
    'MERGE INTO t USING u ON t.a = 1 WHEN MATCHED THEN DELETE',
    'MERGE INTO t USING u ON t.a = 2 WHEN MATCHED THEN DELETE',
  ],
])('texts that differ in %s are read each: %s', (_what, one, other) => {
  expect(found(other, one)).toBeUndefined()
})

it('a text with another number of tokens, or other bytes between them, is another', () => {
  const one = 'SELECT a FROM t WHERE a = 1'
  for (const other of [
    'SELECT a FROM t WHERE a = 1 2',
    'SELECT a FROM t WHERE a =  1',
    'SELECT a FROM t WHERE a = 1a',
    one.toLowerCase(),
  ])
    expect(found(other, one)).toBeUndefined()
})
