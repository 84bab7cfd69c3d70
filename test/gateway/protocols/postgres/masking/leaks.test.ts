import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type MaskedDoor, openMaskedDoor } from './masked-door.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

let door: MaskedDoor
let client: RawClient
let direct: RawClient

beforeAll(async () => {
  door = await openMaskedDoor()
  client = await connectRaw(door.port, 'postgres')
  direct = await connectRaw(door.server.port, 'postgres', { user: door.server.user })
})
// A failed test must not leave a transaction open whose locks stop the others.
afterEach(async () => {
  await client.simple('ROLLBACK')
  await direct.simple('ROLLBACK')
})
afterAll(async () => {
  await client?.close()
  await direct?.close()
  await door?.stop()
})

/** Each shows a secret when it is asked of the server directly. */
const paths: Readonly<Record<string, string>> = {
  'a column': 'SELECT email FROM customers',
  'every column': 'SELECT * FROM customers',
  TABLE: 'TABLE customers',
  'a number': 'SELECT salary FROM customers',
  'a document': 'SELECT notes FROM customers',
  'a part of a document': "SELECT notes->>'hint' FROM customers",
  bytes: 'SELECT photo FROM customers',
  'an alias': 'SELECT email AS city, c.card AS "id" FROM customers AS c',
  'renamed columns': 'SELECT z FROM customers AS c(x, y, z)',
  'a quoted name': 'SELECT "email" FROM "public"."customers"',
  'a Unicode-escaped name': 'SELECT U&"em\\0061il" FROM U&"custom\\0065rs"',
  'a subquery': 'SELECT x.a FROM (SELECT email AS a, id FROM customers) x',
  'a computed subquery': "SELECT x.a FROM (SELECT email || '' AS a FROM customers) x",
  'a nested subquery': 'SELECT (SELECT (SELECT email FROM customers WHERE id = 1))',
  'a subquery compared': 'SELECT ARRAY(SELECT email FROM customers)',
  LATERAL: 'SELECT l.e FROM orders o, LATERAL (SELECT lower(c.email) e FROM customers c WHERE c.id = o.customer_id) l',
  'a CTE': 'WITH c AS (SELECT email FROM customers) SELECT * FROM c',
  'a materialized CTE': 'WITH c(x) AS MATERIALIZED (SELECT lower(email) FROM customers) SELECT x FROM c',
  'a recursive CTE':
    "WITH RECURSIVE c(n, e) AS (SELECT 1, '' UNION ALL SELECT n + 1, (SELECT email FROM customers WHERE id = n) FROM c WHERE n < 3) SELECT * FROM c",
  'a CTE named like a harmless table':
    'WITH orders AS (SELECT lower(email) AS product FROM customers) SELECT product FROM orders',
  'a view': 'SELECT address FROM contacts',
  'a computed column of a view': 'SELECT shouted FROM contacts',
  'a view of a view': 'SELECT * FROM contacts_of_contacts',
  'an expression over a view': 'SELECT lower(shouted) FROM contacts_of_contacts',
  'a materialized view': 'SELECT address FROM stored_contacts',
  'a join': 'SELECT o.product, c.email FROM orders o JOIN customers c ON c.id = o.customer_id',
  'a join with USING': 'SELECT * FROM customers JOIN (SELECT 1 AS id, 2 AS other) t USING (id)',
  'a natural join': 'SELECT * FROM customers NATURAL JOIN (SELECT 1 AS id) t',
  'a merged join column': "SELECT email FROM customers FULL JOIN (SELECT 'x'::text AS email) t USING (email)",
  'an aliased join': "SELECT j.email || '' FROM (customers c JOIN orders o ON o.customer_id = c.id) AS j(a, b, email)",
  'a union': "SELECT 'x' AS a UNION ALL SELECT email FROM customers",
  'a union whose first branch is harmless': 'SELECT product FROM orders UNION SELECT email FROM customers',
  EXCEPT: "SELECT email FROM customers EXCEPT SELECT ''",
  VALUES: 'VALUES ((SELECT email FROM customers WHERE id = 1))',
  'to_json of a row': 'SELECT to_json(c) FROM customers c',
  row_to_json: 'SELECT row_to_json(c) FROM customers c',
  'a row as text': 'SELECT c::text FROM customers c',
  'a row': 'SELECT c FROM customers c',
  'row(t.*)': 'SELECT row(c.*) FROM customers c',
  'a composite': 'SELECT row(1, email) FROM customers',
  'a field of a composite': "SELECT (c).email || '' FROM customers c",
  'all fields of a composite': 'SELECT (boxed()).*',
  'functional notation': 'SELECT email(c) FROM customers c',
  'a method on another row': 'SELECT o.shout FROM orders o',
  json_populate_record: 'SELECT (json_populate_record(null::customers, to_json(c))).email FROM customers c',
  concatenation: "SELECT email || '!' FROM customers",
  format: "SELECT format('%s', email) FROM customers",
  substr: 'SELECT substr(email, 1, 4), substr(email, 5, 4), right(card, 6) FROM customers',
  reverse: 'SELECT reverse(email) FROM customers',
  encode: "SELECT encode(convert_to(email, 'UTF8'), 'hex'), encode(email::bytea, 'base64') FROM customers",
  'a cast to bytea': 'SELECT email::bytea FROM customers',
  'a cast to varchar': 'SELECT email::varchar FROM customers',
  'a cast of a number': 'SELECT salary::text, salary::bigint, card::bigint FROM customers',
  arithmetic: 'SELECT salary + 0 FROM customers',
  'an array': 'SELECT ARRAY[email] FROM customers',
  array_agg: 'SELECT array_agg(email) FROM customers',
  string_agg: "SELECT string_agg(email, ',') FROM customers",
  json_agg: 'SELECT json_agg(customers) FROM customers',
  max: 'SELECT max(email), min(card) FROM customers',
  'a window function': 'SELECT lag(email) OVER (ORDER BY id), first_value(email) OVER () FROM customers',
  'GROUP BY': 'SELECT email, count(*) FROM customers GROUP BY email',
  'GROUP BY with an expression': 'SELECT lower(email), count(*) FROM customers GROUP BY 1',
  'DISTINCT ON': 'SELECT DISTINCT ON (email) email FROM customers',
  CASE: "SELECT CASE WHEN id > 0 THEN email ELSE '' END FROM customers",
  COALESCE: "SELECT coalesce(email, '') FROM customers",
  NULLIF: "SELECT nullif(email, '') FROM customers",
  GREATEST: "SELECT greatest(email, 'a') FROM customers",
  regexp_split_to_table: "SELECT regexp_split_to_table(email, '@') FROM customers",
  unnest: 'SELECT unnest(ARRAY[email]) FROM customers',
  'unnest in FROM': 'SELECT u FROM customers c, unnest(ARRAY[c.email]) u',
  jsonb_each_text: 'SELECT e.value FROM customers c, jsonb_each_text(to_jsonb(c)) e',
  XML: 'SELECT xmlforest(email) FROM customers',
  XMLTABLE: "SELECT x.v FROM customers c, XMLTABLE('/r' PASSING xmlelement(name r, c.email) COLUMNS v text PATH '.') x",
  query_to_xml: "SELECT query_to_xml('SELECT email FROM customers', true, true, '')",
  table_to_xml: "SELECT table_to_xml('customers', true, true, '')",
  'a function that reads': 'SELECT address_of(1)',
  'a function that calls one': 'SELECT wrapped(1)',
  'a function in FROM': 'SELECT * FROM all_of_them()',
  'an expression over a function in FROM': 'SELECT lower(f.email) FROM all_of_them() f',
  'an operator': "SELECT 'a' ### 1",
  'a parent table': 'SELECT email FROM archive',
  'a child through its parent': 'SELECT lower(email) FROM ONLY archive',
  'a generated column': 'SELECT loud FROM doubled',
  statistics:
    "SELECT histogram_bounds::text || most_common_vals::text FROM pg_stats WHERE tablename = 'customers' UNION ALL SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'customers'",
  RETURNING: "UPDATE customers SET city = 'Oslo' RETURNING *",
  'RETURNING with an expression': "UPDATE customers SET city = 'Oslo' RETURNING upper(email)",
  'RETURNING in a CTE': "WITH u AS (UPDATE customers SET city = 'Oslo' RETURNING email) SELECT email || '' FROM u",
  percentile_disc: 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY email) FROM customers',
  mode: 'SELECT mode() WITHIN GROUP (ORDER BY card) FROM customers',
  'a filtered aggregate': 'SELECT min(email) FILTER (WHERE id > 0) FROM customers',
  'a JSON path': "SELECT jsonb_path_query(to_jsonb(c), '$.email') FROM customers c",
  json_to_recordset: 'SELECT x.email FROM json_to_recordset((SELECT json_agg(c) FROM customers c)) AS x(email text)',
  'ROWS FROM': 'SELECT * FROM ROWS FROM (all_of_them(), generate_series(1, 2)) AS x',
  'TABLE with renamed columns': 'SELECT t.x FROM (TABLE customers) AS t(a, b, x)',
  'a row from a subquery': 'SELECT (SELECT c FROM customers c LIMIT 1)::text',
  'old and new values': "UPDATE customers SET city = 'Oslo' RETURNING old.email, new.email || ''",
  'RETURNING of MERGE':
    "MERGE INTO customers c USING orders o ON c.id = o.customer_id WHEN MATCHED THEN UPDATE SET city = 'Oslo' RETURNING c.email || ''",
  'RETURNING of an upsert':
    "INSERT INTO customers (id, name) VALUES (1, 'Ana') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING customers.*",
  'an error of a view that does not show it': 'SELECT id FROM numbered',
  'a plan that computed a function': 'EXPLAIN (VERBOSE) SELECT constant_address()',
  'an error of a trigger': 'INSERT INTO audited VALUES (1)',
  'an error of a new index': 'CREATE UNIQUE INDEX ON customers (card)',
  'an error of a new type': 'ALTER TABLE customers ALTER COLUMN card TYPE int USING card::int',
  'an error told by a function': "SELECT pg_input_error_info(email, 'int') FROM customers",
  'a plain COPY': 'COPY customers TO STDOUT',
  'COPY of columns': 'COPY customers (id, email) TO STDOUT',
  'COPY in CSV': 'COPY customers TO STDOUT (FORMAT csv, HEADER)',
  'COPY in CSV with other quotes': "COPY customers TO STDOUT (FORMAT csv, DELIMITER ';', QUOTE '''', FORCE_QUOTE *)",
  'COPY in binary': 'COPY customers TO STDOUT (FORMAT binary)',
  'COPY with a delimiter': "COPY customers TO STDOUT (DELIMITER '|', NULL 'nil')",
  'COPY of a query': 'COPY (SELECT lower(email), id FROM customers) TO STDOUT',
  'COPY of a query in binary': 'COPY (SELECT salary + 0, card FROM customers) TO STDOUT BINARY',
  'COPY with RETURNING': "COPY (UPDATE customers SET city = 'Oslo' RETURNING email || '') TO STDOUT",
  'an error of a cast': 'SELECT email::int FROM customers',
  'an unknown relation of that name': "SELECT split_part(email, '@', 1)::regclass FROM customers",
  'an unknown type of that name': "SELECT split_part(email, '@', 1)::regtype FROM customers",
  'an unknown role of that name': "SELECT split_part(email, '@', 1)::regrole FROM customers",
  'an unknown schema of that name': "SELECT split_part(email, '@', 1)::regnamespace FROM customers",
  'an unknown setting of that name': "SELECT current_setting('a.' || split_part(email, '@', 1)) FROM customers",
  'an unknown database of that name': "SELECT has_database_privilege(email, 'connect') FROM customers",
  'an unknown column of that name': "SELECT pg_get_serial_sequence('orders', email) FROM customers",
  'a name in two quoted parts':
    "SELECT pg_get_serial_sequence('orders', 'x' || chr(34) || ' of relation ' || chr(34) || email) FROM customers",
  'a search query that cannot be read': "SELECT ('(' || email || ' &')::tsquery FROM customers",
  'an unknown large object of that number': 'SELECT lo_get(salary::oid) FROM customers',
  'a function whose body ends with the table': 'SELECT last_word()',
  'a function that reads a table with dashes in its name': 'SELECT dashed()',
  'a type of which a cast makes something else': 'SELECT upper(c) FROM converted',
  'an error of a number': 'SELECT (salary::text || salary::text)::int FROM customers',
  'an error in a filter': 'SELECT 1 FROM customers WHERE email::int > 0',
  'a unique violation': 'UPDATE customers SET email = (SELECT email FROM customers WHERE id = 1) WHERE id = 2',
  'a not-null violation': 'UPDATE customers SET name = NULL WHERE id = 1',
  'a notice of a function': 'SELECT noisy()',
  'an error of a function': 'SELECT failing()',
  'a notice of a block': "DO $$ BEGIN RAISE NOTICE '%', (SELECT email FROM customers LIMIT 1); END $$",
}

describe.each(['simple', 'extended', 'binary', 'undescribed'] as const)('in the %s form', (form) => {
  const ask = (to: RawClient, sql: string) => {
    if (form === 'simple') return to.simple(sql)
    return to.extended(sql, { binary: form === 'binary', describe: form !== 'undescribed' })
  }

  test.each(Object.entries(paths))('shows nothing of a secret through %s', async (_name, sql) => {
    const open = await ask(direct, sql)
    expect(door.leaks(open.bytes), 'the server itself shows it').not.toEqual([])

    const answer = await ask(client, sql)
    expect(door.leaks(answer.bytes), answer.bytes.toString('latin1')).toEqual([])
  })
})

describe('what needs several statements', () => {
  const sequences: Readonly<Record<string, readonly string[]>> = {
    'a cursor': ['BEGIN', 'DECLARE c CURSOR FOR SELECT email FROM customers', 'FETCH ALL FROM c', 'COMMIT'],
    'a cursor over an expression': [
      'BEGIN',
      'DECLARE c CURSOR FOR SELECT lower(email) FROM customers',
      'FETCH 1 FROM c',
      'FETCH 1 FROM c',
      'COMMIT',
    ],
    'a binary cursor': [
      'BEGIN',
      'DECLARE c BINARY CURSOR FOR SELECT salary FROM customers',
      'FETCH ALL FROM c',
      'COMMIT',
    ],
    'a prepared statement': ['PREPARE p AS SELECT lower(email), 1 AS one FROM customers', 'EXECUTE p', 'DEALLOCATE p'],
    'a notification': ['LISTEN ch', "SELECT pg_notify('ch', email) FROM customers", 'UNLISTEN ch'],
    'a view made in the same transaction': [
      'BEGIN',
      'CREATE VIEW fresh AS SELECT lower(email) AS product FROM customers',
      'SELECT product FROM fresh',
      "SELECT product || '' FROM fresh",
      'ROLLBACK',
    ],
    'a view replaced in the same transaction': [
      'BEGIN',
      'CREATE OR REPLACE VIEW cities AS SELECT id, email AS city FROM customers',
      'SELECT city FROM cities',
      'SELECT lower(city) FROM cities',
      'ROLLBACK',
    ],
    'columns renamed in the same transaction': [
      'BEGIN',
      'ALTER TABLE customers RENAME city TO was',
      'ALTER TABLE customers RENAME email TO city',
      'SELECT city FROM customers',
      'SELECT lower(city) FROM customers',
      'ROLLBACK',
    ],
    'a table renamed in the same transaction': [
      'BEGIN',
      'ALTER TABLE customers RENAME TO c2',
      'SELECT lower(email), email FROM c2',
      'ROLLBACK',
    ],
    'a function made in the same transaction': [
      'BEGIN',
      "CREATE FUNCTION quick() RETURNS text LANGUAGE sql AS 'SELECT email FROM customers LIMIT 1'",
      'SELECT quick()',
      'ROLLBACK',
    ],
    'a column renamed for good': [
      'ALTER TABLE customers RENAME email TO contact',
      'SELECT contact FROM customers',
      'SELECT lower(contact) FROM customers',
      'ALTER TABLE customers RENAME contact TO email',
    ],
    'a table moved for good': [
      'ALTER TABLE customers SET SCHEMA hidden2',
      'SELECT lower(email) FROM hidden2.customers',
      'ALTER TABLE hidden2.customers SET SCHEMA public',
    ],
    'a new view': [
      'CREATE VIEW newer AS SELECT lower(email) AS e FROM customers',
      'SELECT e FROM newer',
      'SELECT upper(e) FROM newer',
      'DROP VIEW newer',
    ],
    'a function over a view, made in the same transaction': [
      'BEGIN',
      'CREATE VIEW fresh AS SELECT email AS e FROM customers',
      "CREATE FUNCTION over_it() RETURNS text LANGUAGE sql AS 'SELECT e FROM fresh'",
      'SELECT over_it()',
      'ROLLBACK',
    ],
    'a view that a function of the same transaction waits for': [
      'BEGIN',
      "CREATE FUNCTION waits() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT e FROM awaited LIMIT 1); END'",
      'CREATE VIEW awaited AS SELECT email AS e FROM customers',
      'SELECT waits()',
      'ROLLBACK',
    ],
    'a procedure': [
      "CREATE PROCEDURE gives(INOUT p text) LANGUAGE plpgsql AS 'BEGIN SELECT email INTO p FROM customers LIMIT 1; END'",
      'CALL gives(NULL)',
      'DROP PROCEDURE gives',
    ],
    'the names of an error that a function raises': [
      "CREATE FUNCTION raises(t text) RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE USING MESSAGE = 1, TABLE = t, COLUMN = t; RAISE EXCEPTION USING MESSAGE = 1, SCHEMA = t, CONSTRAINT = t, DATATYPE = t; END'",
      'SELECT raises(email) FROM customers',
      'DROP FUNCTION raises',
    ],
    'a temporary function': [
      "CREATE FUNCTION pg_temp.passing() RETURNS text LANGUAGE sql AS 'SELECT email FROM customers'",
      'SELECT pg_temp.passing()',
      'DROP FUNCTION pg_temp.passing',
    ],
    'a new function': [
      "CREATE FUNCTION newest() RETURNS text LANGUAGE sql AS 'SELECT email FROM customers LIMIT 1'",
      'SELECT newest()',
      'DROP FUNCTION newest',
    ],
    'a temporary view over a harmless name': [
      'CREATE TEMP VIEW orders AS SELECT lower(email) AS product FROM customers',
      'SELECT product FROM orders',
      'SELECT upper(product) FROM orders',
      'DROP VIEW pg_temp.orders',
    ],
    'a cursor that a function opened': ['BEGIN', 'SELECT opens($$rc$$)', 'FETCH ALL FROM rc', 'COMMIT'],
    'a cursor that a function opened under a harmless name': [
      'BEGIN',
      'DECLARE c CURSOR FOR SELECT upper(product) FROM orders',
      'FETCH 1 FROM c',
      'COMMIT',
      'BEGIN',
      'SELECT opens($$c$$)',
      'FETCH ALL FROM c',
      'COMMIT',
    ],
    'a cursor held over the transaction': [
      'DECLARE h CURSOR WITH HOLD FOR SELECT lower(email) FROM customers',
      'FETCH 1 FROM h',
      'CLOSE h',
    ],
    'a deferred violation': [
      'BEGIN',
      'ALTER TABLE customers ADD CONSTRAINT later UNIQUE (salary) DEFERRABLE INITIALLY DEFERRED',
      'ROLLBACK',
    ],
  }
  test.each(Object.entries(sequences))('shows nothing of a secret through %s', async (_name, statements) => {
    await door.server.query('CREATE SCHEMA IF NOT EXISTS hidden2')
    const open: Buffer[] = []
    for (const sql of statements) open.push((await direct.simple(sql)).bytes)
    expect(door.leaks(Buffer.concat(open)), 'the server itself shows it').not.toEqual([])

    for (const sql of statements) {
      const { bytes } = await client.simple(sql)
      expect(door.leaks(bytes), `${sql}: ${bytes.toString('latin1')}`).toEqual([])
    }
  })

  const copies: Readonly<Record<string, readonly string[]>> = {
    'a new table': [
      'CREATE TABLE copy1 AS SELECT email AS e FROM customers',
      'SELECT e FROM copy1',
      'DROP TABLE copy1',
    ],
    'SELECT INTO': ['SELECT email AS e INTO copy1 FROM customers', 'SELECT e FROM copy1', 'DROP TABLE copy1'],
    'a temporary table': [
      'CREATE TEMP TABLE copy1 AS SELECT email AS e FROM customers',
      'SELECT lower(e) FROM copy1',
      'DROP TABLE copy1',
    ],
    'another table': [
      'INSERT INTO orders SELECT 99, 1, email FROM customers WHERE id = 1',
      'SELECT product FROM orders',
      'DELETE FROM orders WHERE id = 99',
    ],
    'another column': [
      'UPDATE orders SET note = c.email FROM customers c WHERE c.id = orders.customer_id',
      'SELECT note FROM orders',
      'UPDATE orders SET note = NULL',
    ],
    'another column of the same table': [
      'UPDATE customers SET city = email',
      'SELECT city FROM customers',
      "UPDATE customers SET city = 'Oslo'",
    ],
    'a CTE that writes': [
      'WITH w AS (UPDATE orders SET note = c.email FROM customers c WHERE c.id = customer_id) SELECT 1',
      'SELECT note FROM orders',
      'UPDATE orders SET note = NULL',
    ],
    MERGE: [
      'MERGE INTO orders o USING customers c ON c.id = o.customer_id WHEN MATCHED THEN UPDATE SET note = c.email',
      'SELECT note FROM orders',
      'UPDATE orders SET note = NULL',
    ],
    'a setting': [
      "SELECT set_config('my.email', email, false) FROM customers WHERE id = 1",
      "SELECT current_setting('my.email', true)",
      'RESET my.email',
    ],
    'a reported setting': [
      "SELECT set_config('application_name', email, false) FROM customers WHERE id = 1",
      'SHOW application_name',
      'RESET application_name',
    ],
    'a large object': [
      'SELECT lo_from_bytea(4711, email::bytea) FROM customers WHERE id = 1',
      'SELECT lo_get(4711)',
      'SELECT lo_unlink(4711)',
    ],
    'a prepared new table': [
      'PREPARE n AS SELECT email AS e FROM customers',
      'CREATE TABLE copy1 AS EXECUTE n',
      'SELECT upper(e) FROM copy1',
      'DROP TABLE copy1',
      'DEALLOCATE n',
    ],
    'an analysed new table': [
      'EXPLAIN ANALYZE CREATE TABLE copy1 AS SELECT email AS e FROM customers',
      'SELECT upper(e) FROM copy1',
      'DROP TABLE copy1',
    ],
    'a block': [
      'DO $$ BEGIN UPDATE orders SET note = (SELECT email FROM customers WHERE id = 1); END $$',
      'SELECT note FROM orders',
      'UPDATE orders SET note = NULL',
    ],
    'a block with dynamic SQL': [
      "DO $$ BEGIN EXECUTE 'UPDATE orders SET note = (SELECT email FROM cust' || 'omers WHERE id = 1)'; END $$",
      'SELECT note FROM orders',
      'UPDATE orders SET note = NULL',
    ],
    'a prepared copy': [
      'PREPARE w AS UPDATE orders SET note = (SELECT email FROM customers WHERE id = 1)',
      'EXECUTE w',
      'SELECT note FROM orders',
      'UPDATE orders SET note = NULL',
      'DEALLOCATE ALL',
    ],
    'a new function that writes': [
      "CREATE FUNCTION keeps() RETURNS int LANGUAGE sql AS 'INSERT INTO kept SELECT email FROM customers; SELECT 1'",
      'SELECT keeps()',
      'SELECT x FROM kept',
      'DROP FUNCTION keeps',
      'TRUNCATE kept',
    ],
    'a function that writes what it is given': [
      'SELECT count(writes(email)) FROM customers',
      'SELECT x FROM kept',
      'TRUNCATE kept',
    ],
    'a function that is called like a column': [
      'SELECT c.writes_row FROM customers c',
      'SELECT x FROM kept',
      'TRUNCATE kept',
    ],
    'a function that fills a setting': [
      "CREATE FUNCTION sets(t text) RETURNS text LANGUAGE sql AS $$SELECT set_config('my.v', t, false)$$",
      'SELECT sets(email) FROM customers WHERE id = 1',
      "SELECT current_setting('my.v', true)",
      'DROP FUNCTION sets',
      'RESET my.v',
    ],
    'a function that is made to write, in one transaction': [
      'BEGIN',
      "CREATE FUNCTION later(t text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE FUNCTION reader() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN later(email) FROM customers WHERE id = 1; END'",
      "CREATE OR REPLACE FUNCTION later(t text) RETURNS int LANGUAGE sql AS 'INSERT INTO kept VALUES (t); SELECT 1'",
      'SELECT reader()',
      'COMMIT',
      'SELECT x FROM kept',
      'DROP FUNCTION IF EXISTS reader',
      'DROP FUNCTION IF EXISTS later',
      'TRUNCATE kept',
    ],
    'a function that what reads calls already': [
      "CREATE FUNCTION later(t text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE FUNCTION reader() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN later(email) FROM customers WHERE id = 1; END'",
      "CREATE OR REPLACE FUNCTION later(t text) RETURNS int LANGUAGE sql AS 'INSERT INTO kept VALUES (t); SELECT 1'",
      'SELECT reader()',
      'SELECT x FROM kept',
      'DROP FUNCTION reader',
      'DROP FUNCTION later',
      'TRUNCATE kept',
    ],
    'a view that what writes reads already': [
      "CREATE FUNCTION fetches() RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO kept SELECT e FROM upcoming; RETURN 1; END'",
      'CREATE VIEW upcoming AS SELECT email AS e FROM customers',
      'SELECT fetches()',
      'SELECT x FROM kept',
      'DROP FUNCTION fetches',
      'DROP VIEW IF EXISTS upcoming',
      'TRUNCATE kept',
    ],
    'the name of a cursor': [
      "CREATE FUNCTION names_it(t text) RETURNS refcursor LANGUAGE plpgsql AS 'DECLARE c refcursor := t; BEGIN OPEN c FOR SELECT 1; RETURN c; END'",
      'BEGIN',
      'SELECT names_it(email) FROM customers WHERE id = 1',
      'SELECT name FROM pg_cursors',
      'ROLLBACK',
      'DROP FUNCTION names_it',
    ],
    'a procedure that writes': [
      "CREATE PROCEDURE puts(t text) LANGUAGE sql AS 'INSERT INTO kept VALUES (t)'",
      'CALL puts(address_of(1))',
      'SELECT x FROM kept',
      'DROP PROCEDURE puts',
      'TRUNCATE kept',
    ],
    'a trigger': [
      "CREATE FUNCTION copies() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO kept VALUES (new.email); RETURN new; END'",
      'CREATE TRIGGER copying BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION copies()',
      "UPDATE customers SET city = 'Oslo' WHERE id = 1",
      'SELECT x FROM kept',
      'DROP TRIGGER IF EXISTS copying ON customers',
      'DROP FUNCTION copies',
      'TRUNCATE kept',
    ],
    'a trigger that moves it within the row': [
      "CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.city := new.email; RETURN new; END'",
      'CREATE TRIGGER moving BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION moves()',
      "UPDATE customers SET city = 'Oslo' WHERE id = 1",
      'SELECT city FROM customers WHERE id = 1',
      'DROP TRIGGER IF EXISTS moving ON customers',
      'DROP FUNCTION moves',
      "UPDATE customers SET city = 'Oslo'",
    ],
    'the function of a trigger that is there': [
      "CREATE OR REPLACE FUNCTION stamps() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO kept VALUES (new.email); RETURN new; END'",
      "UPDATE customers SET city = 'Oslo' WHERE id = 1",
      'SELECT x FROM kept',
      "CREATE OR REPLACE FUNCTION stamps() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'",
      'TRUNCATE kept',
    ],
    'a rule': [
      'CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO kept SELECT email FROM customers',
      'INSERT INTO ruled VALUES (1)',
      'SELECT x FROM kept',
      'DROP RULE IF EXISTS also ON ruled',
      'TRUNCATE kept',
    ],
    'a default': [
      'CREATE TABLE copy1 (id int, x text DEFAULT address_of(1))',
      'INSERT INTO copy1 (id) VALUES (1)',
      'SELECT x FROM copy1',
      'DROP TABLE IF EXISTS copy1',
    ],
    'a default that was there': [
      'INSERT INTO defaulted (id) VALUES (1)',
      'SELECT x FROM defaulted',
      'TRUNCATE defaulted',
    ],
    'the function of a default that is there': [
      "CREATE OR REPLACE FUNCTION plain_default() RETURNS text LANGUAGE sql AS 'SELECT email FROM customers WHERE id = 1'",
      'INSERT INTO plainly_defaulted (id) VALUES (1)',
      'SELECT x FROM plainly_defaulted',
      "CREATE OR REPLACE FUNCTION plain_default() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
      'TRUNCATE plainly_defaulted',
    ],
    'an index of what a function makes': [
      'CREATE INDEX writing ON customers (writes_immutably(email))',
      'SELECT x FROM kept',
      'DROP INDEX IF EXISTS writing',
      'TRUNCATE kept',
    ],
    'a cast': [
      'CREATE CAST (box_of_text AS json) WITH FUNCTION unboxes(box_of_text) AS ASSIGNMENT',
      'CREATE TABLE copy1 (j json)',
      'INSERT INTO copy1 SELECT row(1)::box_of_text',
      'SELECT j FROM copy1',
      'DROP TABLE copy1',
      'DROP CAST IF EXISTS (box_of_text AS json)',
    ],
    'a parameter of a prepared statement': [
      'PREPARE ins (text) AS INSERT INTO kept VALUES ($1)',
      'EXECUTE ins (address_of(1))',
      'SELECT x FROM kept',
      'DEALLOCATE ins',
      'TRUNCATE kept',
    ],
    'a setting that a function fills': [
      "SELECT set_config('my.w', address_of(1), false)",
      "SELECT current_setting('my.w', true)",
      'RESET my.w',
    ],
    'the number of a large object': [
      'SELECT lo_create(salary::oid) FROM customers WHERE id = 1',
      'SELECT oid FROM pg_largeobject_metadata',
      'SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata',
    ],
    'a schema with a trigger in it': [
      'CREATE SCHEMA filled CREATE TABLE t (id int, x text DEFAULT address_of(1))',
      'INSERT INTO filled.t (id) VALUES (1)',
      'SELECT x FROM filled.t',
      'DROP SCHEMA IF EXISTS filled CASCADE',
    ],
    'a column of another type': [
      'ALTER TABLE customers ADD kept text',
      'ALTER TABLE customers ALTER kept TYPE text USING email',
      'SELECT kept FROM customers',
      'ALTER TABLE customers DROP kept',
    ],
  }
  test.each(Object.entries(copies))('lets nobody store a secret in the open by %s', async (_name, statements) => {
    const open: Buffer[] = []
    for (const sql of statements) open.push((await direct.simple(sql)).bytes)
    expect(door.leaks(Buffer.concat(open)), 'the server itself shows it').not.toEqual([])

    const errors: (string | undefined)[] = []
    for (const sql of statements) {
      const { bytes, error } = await client.simple(sql)
      errors.push(error)
      expect(door.leaks(bytes), `${sql}: ${bytes.toString('latin1')}`).toEqual([])
    }
    expect(errors, 'the copy is refused').toContain('42501')
  })
})
