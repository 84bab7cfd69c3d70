import { beforeAll, describe, expect, test } from 'vitest'
import { createParser, isError, type Parser } from '../../../../../src/gateway/protocols/postgres/sql/parse.ts'
import { createContext } from '../../../../../src/gateway/protocols/postgres/sql/read.ts'
import { createReading } from '../../../../../src/gateway/protocols/postgres/sql/reading.ts'

let parser: Parser

beforeAll(async () => {
  parser = await createParser()
})

function texts(sql: string) {
  const statements = parser.statements(sql)
  return isError(statements) ? statements : statements.map(({ text }) => text)
}

describe('the parser', () => {
  test('cuts a text into its statements exactly, counting bytes', () => {
    expect(texts('SELECT \'ä;\'; DROP TABLE "ü" /* ; */ ;; SELECT 2 -- end')).toEqual([
      "SELECT 'ä;'",
      'DROP TABLE "ü" /* ; */',
      'SELECT 2 -- end',
    ])
  })

  test('finds no statement in an empty text', () => {
    for (const sql of ['', ' ', ';;', '-- nothing', '/* nothing */']) expect(texts(sql)).toEqual([])
  })

  test('refuses a NUL, behind which a C string would hide the rest', () => {
    expect(texts("SELECT 'a\0'; DROP TABLE t")).toHaveProperty('error')
  })

  test('works again after a text that is too deeply nested for it', async () => {
    expect(texts(`SELECT 1${'+1'.repeat(100_000)}`)).toHaveProperty('error')
    await parser.ready()
    expect(texts('SELECT 1')).toEqual(['SELECT 1'])
  })
})

/** Every place of PL/pgSQL where an expression may stand, each with a function of its own. */
const body = `
declare c1 cursor (k int) for select cursor_query(k) from t1 where x = k; v int not null default default_value(1);
  arr int[]; rw public.t2%rowtype; rc refcursor; r record;
begin
  if if_condition(1) then null; elsif elsif_condition(2) then return next return_next(1); else perform performed(1); end if;
  case case_value(1) when when_value(2), other_when(3) then null; else null; end case;
  case when searched_when(1) then null; end case;
  loop exit when exit_when(1); continue when continue_when(2); end loop;
  while while_condition(1) loop null; end loop;
  for i in from_value(1)..to_value(2) by by_value(3) loop null; end loop;
  for r in c1(cursor_argument(1)) loop null; end loop;
  for r in select for_query(1) loop null; end loop;
  for r in execute for_dynamic(1) using for_using(1) loop null; end loop;
  foreach v in array foreach_array(1) loop null; end loop;
  return query select return_query(1);
  return query execute return_execute(1) using return_using(1);
  raise exception 'x %', raise_argument(1) using message = raise_message(2), errcode = raise_code(3);
  assert asserted(1), assert_message(2);
  execute 'select execute_literal(1)' into strict v using execute_using(1);
  open c1(open_argument(1)); open rc for select open_query(1); open rc for execute open_dynamic(1) using open_using(1);
  fetch c1 into v; move forward move_count(3) in c1; close c1;
  call called(1);
  arr[subscript(1)] := assigned(2);
  rw.f := field_assigned(1);
  insert into t values (inserted(1)) returning x into v;
  do $x$ begin perform nested_do(1); end $x$;
  select select_into(1) into v;
exception when others then perform in_exception(1);
end`

describe('a PL/pgSQL body', () => {
  const functions = [...body.matchAll(/(\w+)\(/g)]
    .map(([, name]) => name)
    .filter((name) => name !== 'c1' && name !== 'values')

  test.each(functions)('shows the call of %s', (name) => {
    const out = createReading()
    const context = createContext(parser)
    const statements = parser.statements(`CREATE FUNCTION f(a int) RETURNS SETOF text LANGUAGE plpgsql AS $$${body}$$`)
    if (isError(statements)) throw new Error(statements.error)
    context.statement(statements[0]?.tree, out, context)
    expect(out.calls.map((call) => call.name.name)).toContain(name)
  })

  test('is dynamic when it runs text that is computed, and not when the text is a constant', () => {
    const read = (source: string) => {
      const out = createReading()
      const context = createContext(parser)
      const statements = parser.statements(`DO $$ ${source} $$`)
      if (isError(statements)) throw new Error(statements.error)
      context.statement(statements[0]?.tree, out, context)
      return out
    }
    expect(read("begin execute 'delete from t'; end").dynamic).toBe(false)
    expect(read("begin execute 'delete from t'; end").actions.map(({ verb }) => verb)).toContain('DELETE')
    for (const source of [
      "begin execute 'a' || 'b'; end",
      "begin execute format('%s', 'x'); end",
      'declare s text; begin execute s; end',
      "begin execute 'not sql'; end",
      'begin this is not plpgsql; end',
    ])
      expect(read(source).dynamic, source).toBe(true)
  })
})
