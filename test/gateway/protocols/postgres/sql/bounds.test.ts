import { beforeAll, describe, expect, test } from 'vitest'
import { createParser, isError, type Parser } from '../../../../../src/gateway/protocols/postgres/sql/parse.ts'
import { createContext } from '../../../../../src/gateway/protocols/postgres/sql/read.ts'
import { createReading } from '../../../../../src/gateway/protocols/postgres/sql/reading.ts'

let parser: Parser

beforeAll(async () => {
  parser = await createParser()
})

function isUnbounded(sql: string): boolean {
  const statements = parser.statements(sql)
  if (isError(statements)) throw new Error(`${sql}: ${statements.error}`)
  const out = createReading()
  const context = createContext(parser)
  context.statement(statements[0]?.tree, out, context)
  return out.actions.some(({ unbounded }) => unbounded === true)
}

describe('a bound that limits what changes', () => {
  test.each([
    'id = 1',
    'id = $1',
    't.id = 1',
    'id IN (1, 2)',
    'id = ANY ($1)',
    'id BETWEEN 1 AND 3',
    "created < now() - interval '1 day'",
    'deleted IS NULL',
    'deleted IS NOT DISTINCT FROM NULL',
    'id = 1 AND xmin = 5',
    'active',
    'NOT active',
    'id = 1 AND true',
    'id = 1 OR id = 2',
    "lower(email) = 'x'",
    "body LIKE 'a%'",
    'id IN (SELECT tid FROM other)',
    'id IN (SELECT id FROM t WHERE id < 5)',
    'id IN (SELECT id FROM t ORDER BY id LIMIT 10)',
    'EXISTS (SELECT 1 FROM other o WHERE o.tid = t.id)',
    '(a, b) = (1, 2)',
    "tags @> ARRAY['x']",
    'CURRENT OF c',
    'false',
    'false AND true',
  ])('WHERE %s', (where) => {
    expect(isUnbounded(`DELETE FROM t WHERE ${where}`)).toBe(false)
  })
})

describe('a bound that limits nothing', () => {
  test.each([
    'true',
    '1 = 1',
    '$1',
    'id IS DISTINCT FROM NULL',
    'NULL::int IS DISTINCT FROM id',
    'NOT (id IS NOT DISTINCT FROM NULL)',
    "tableoid = 't'::regclass",
    'xmax = 0',
    '$1 = $1',
    "'a' = 'a'",
    'id = id',
    't.id = id',
    'id + 0 = id',
    'id IS NOT DISTINCT FROM id',
    'NOT false',
    'NOT (1 = 2)',
    'NOT NOT true',
    'id = 1 OR true',
    'id = 1 OR 1 = 1',
    'id = 1 OR NOT (id = 1)',
    'id > 1 OR id <= 1',
    'true AND 1 = 1',
    'id IS NOT NULL',
    '(id = 1) IS NOT UNKNOWN',
    '(true OR id = 1) IS TRUE',
    '(id = id) = true',
    "body LIKE '%%'",
    "body ILIKE '%'",
    'random() >= 0',
    'EXISTS (SELECT 1)',
    'EXISTS (SELECT 1 FROM other WHERE id = 1)',
    'EXISTS (SELECT 1 FROM t WHERE id = 1)',
    'EXISTS (SELECT 1 FROM t x WHERE x.id = t.id)',
    'EXISTS (SELECT 1 FROM other t WHERE t.id = 1)',
    'id IN (SELECT id FROM t)',
    'id IN (id, 1)',
    'CASE WHEN true THEN true ELSE false END',
    'COALESCE(NULL, true)',
  ])('WHERE %s', (where) => {
    expect(isUnbounded(`DELETE FROM t WHERE ${where}`)).toBe(true)
  })

  test.each([
    'DELETE FROM t USING other o WHERE o.id = 1',
    'DELETE FROM t x USING other t WHERE t.id = 1',
    'DELETE FROM t USING t u WHERE u.id = t.id',
    'DELETE FROM t USING t u WHERE u.id = 1',
    'UPDATE t SET a = 1 FROM other WHERE other.id = 1',
    'MERGE INTO t USING other o ON true WHEN MATCHED THEN DELETE',
    'MERGE INTO t USING other o ON o.id = t.id WHEN NOT MATCHED BY SOURCE THEN DELETE',
    'DO $$ DECLARE everything boolean := true; BEGIN DELETE FROM t WHERE everything; END $$',
    'CREATE FUNCTION f(p int) RETURNS void LANGUAGE sql AS $$ DELETE FROM t WHERE p = 1 $$',
  ])('%s', (sql) => {
    expect(isUnbounded(sql)).toBe(true)
  })

  test.each([
    'DELETE FROM t USING other o WHERE o.tid = t.id',
    'MERGE INTO t USING other o ON o.id = t.id WHEN MATCHED THEN DELETE',
    'MERGE INTO t USING other o ON true WHEN MATCHED AND t.id = 1 THEN DELETE',
    'MERGE INTO t USING other o ON true WHEN NOT MATCHED THEN INSERT VALUES (1)',
    'INSERT INTO t SELECT * FROM other',
  ])('but not %s', (sql) => {
    expect(isUnbounded(sql)).toBe(false)
  })
})
