/** A real PostgreSQL with a table of secrets, behind the real protocol, for a person who must not see them. */
import type { Checkpoint, Permit } from '../../../../../src/gateway/checkpoint.ts'
import type { Outcome } from '../../../../../src/contract/record.ts'
import { systemClock } from '../../../../../src/base/clock.ts'
import { Secret } from '../../../../../src/base/secret.ts'
import { type Postgres, startPostgres } from '../../../../../src/demo/postgres.ts'
import type { MaskRule } from '../../../../../src/gateway/config/schema.ts'
import { compileMasks } from '../../../../../src/gateway/policy/masks.ts'
import { createPostgres } from '../../../../../src/gateway/protocols/postgres/index.ts'
import { type Door, openDoor } from '../../../../support/conversation.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { credentialOf } from '../../../../support/credentials.ts'

export const email = 'qzxvbkwj@fjordmyth.example'
export const card = '4929123456789012'
export const salary = 987_654_321

export interface MaskedDoor extends Door {
  readonly server: Postgres
  readonly outcomes: Outcome[]
  /** Everything that must not reach the client in any form. */
  leaks(bytes: Buffer): readonly string[]
  /** A client whose conversation logs in as another role of the server. */
  as(role: string): Promise<RawClient>
  stop(): Promise<void>
}

export const columnRules: MaskRule[] = [
  { name: 'contact', match: {}, columns: ['public.{customers,doubled,mail-list}.{email,card}'], style: 'partial' },
  { name: 'pay', match: {}, columns: ['public.customers.{salary,notes,photo}'], style: 'redact' },
]

export async function openMaskedDoor(rules = columnRules, sampleRows = 0, schema = secrets): Promise<MaskedDoor> {
  const server = await startPostgres({ auth: 'trust' })
  await server.query(schema)
  const target = {
    target: { name: 'pg', protocol: 'postgres', labels: {} },
    person: { user: 'a', subject: 'a', groups: [] },
    agent: null,
  }
  const masks = compileMasks(rules, target, Buffer.from('test key'))
  const outcomes: Outcome[] = []
  const protocol = createPostgres({ clock: systemClock, maxStatementBytes: 1024 * 1024, connectTimeoutMs: 10_000 })
  const checkpoint: Checkpoint = {
    preview: () => ({ verdict: 'allow', rule: 'test', reason: 'test', config: '' }),
    clear: async (batch) => ({
      // A test's own permits: the brand has no content.
      permits: batch.map(() => ({ command: 'cmd', masks, recordMasks: masks, sampleRows }) as unknown as Permit),
    }),
    refuse: async (_batch, message) => ({ code: 'not-understood', message, next: 'see the test' }),
    settle: (_permit, outcome) => void outcomes.push(outcome),
  }
  const open = (user: string) =>
    openDoor({
      protocol,
      target: {
        name: `pg as ${user}`,
        protocol: 'postgres',
        host: server.host,
        port: server.port,
        user,
        databases: [],
        tls: { mode: 'disable' },
      },
      credential: credentialOf(new Secret(server.password)),
      checkpoint,
    })
  const door = await open(server.user)
  const others: Door[] = []
  return {
    ...door,
    server,
    outcomes,
    leaks,
    async as(role) {
      const other = await open(role)
      others.push(other)
      return connectRaw(other.port, 'postgres')
    },
    async stop() {
      for (const one of [door, ...others]) await one.close()
      await server.stop()
    },
  }
}

/** Pieces of the secrets that occur nowhere else, in every form a function can give them. */
function leaks(bytes: Buffer): readonly string[] {
  const text = bytes.toString('latin1').toLowerCase()
  const found: string[] = []
  for (const fragment of ['qzxv', 'vbkw', 'bkwj', '492912', '123456789', '345678', '987654321', 'xylo']) {
    const bytesOf = Buffer.from(fragment)
    const forms = [fragment, [...fragment].reverse().join(''), bytesOf.toString('hex'), ...base64Forms(fragment)]
    for (const form of forms) if (text.includes(form.toLowerCase())) found.push(`${fragment} as ${form}`)
  }
  for (const form of [int4(salary), int8(BigInt(salary)), int8(BigInt(card))])
    if (bytes.includes(form)) found.push(`number ${form.toString('hex')}`)
  return found
}

function base64Forms(fragment: string): readonly string[] {
  // At each of the three places where it can stand in a group; what its neighbours decide is cut off.
  return [0, 1, 2]
    .map((shift) => {
      const encoded = Buffer.from('\0'.repeat(shift) + fragment)
        .toString('base64')
        .replace(/=+$/, '')
      return encoded.slice(shift === 0 ? 0 : shift + 1, fragment.length % 3 === (3 - shift) % 3 ? undefined : -1)
    })
    .filter((form) => form.length >= 4)
}

function int4(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int8(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

const secrets = `
CREATE TABLE customers (
  id int PRIMARY KEY, name text NOT NULL, email text UNIQUE, card text, salary int, notes jsonb, photo bytea, city text DEFAULT 'Oslo');
INSERT INTO customers VALUES
  (1, 'Ana', '${email}', '${card}', ${salary}, '{"hint": "xylophone"}', 'qzxvbkwj'),
  (2, 'Bo', 'vbkwqzxv@fjordmyth.example', '${card}', ${salary}, '{"hint": "xylophone"}', 'qzxvbkwj');
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, product text, note text);
INSERT INTO orders VALUES (10, 1, 'kettle', 'gift'), (11, 2, 'lamp', NULL);
CREATE VIEW contacts AS SELECT id, name AS who, email AS address, upper(email) AS shouted FROM customers;
CREATE VIEW contacts_of_contacts AS SELECT * FROM contacts;
CREATE VIEW cities AS SELECT id, city FROM customers;
CREATE MATERIALIZED VIEW stored_contacts AS SELECT id, email AS address FROM customers;
CREATE FUNCTION address_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT email FROM customers WHERE id = $1';
CREATE FUNCTION wrapped(int) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN address_of($1); END';
CREATE FUNCTION all_of_them() RETURNS SETOF customers LANGUAGE sql AS 'SELECT * FROM customers';
CREATE FUNCTION shout(o orders) RETURNS text LANGUAGE sql AS 'SELECT email FROM customers WHERE id = o.customer_id';
CREATE FUNCTION noisy() RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', (SELECT email FROM customers LIMIT 1); END';
CREATE FUNCTION failing() RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no %'', (SELECT email FROM customers LIMIT 1); END';
CREATE FUNCTION plus_one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION boxed() RETURNS customers LANGUAGE sql AS 'SELECT * FROM customers WHERE id = 1';
CREATE FUNCTION glue(text, int) RETURNS text LANGUAGE sql AS 'SELECT address_of($2)';
CREATE OPERATOR ### (LEFTARG = text, RIGHTARG = int, FUNCTION = glue);
CREATE TABLE doubled (id int, email text, loud text GENERATED ALWAYS AS (upper(email)) STORED);
INSERT INTO doubled VALUES (1, '${email}');
CREATE FUNCTION opens(name refcursor) RETURNS refcursor LANGUAGE plpgsql AS
  'BEGIN OPEN name FOR SELECT lower(email) FROM customers; RETURN name; END';
CREATE FUNCTION constant_address() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT email FROM customers WHERE id = 1';
CREATE VIEW numbered AS SELECT id FROM customers WHERE email::int > 0;
CREATE TABLE audited (id int);
CREATE FUNCTION audits() RETURNS trigger LANGUAGE plpgsql AS
  'DECLARE n int; BEGIN SELECT email::int INTO n FROM customers LIMIT 1; RETURN new; END';
CREATE TRIGGER audit BEFORE INSERT ON audited FOR EACH ROW EXECUTE FUNCTION audits();
CREATE FUNCTION last_word() RETURNS text LANGUAGE sql AS 'SELECT email FROM customers';
CREATE TABLE "mail-list" (email text);
INSERT INTO "mail-list" VALUES ('${email}');
CREATE FUNCTION dashed() RETURNS text LANGUAGE sql AS 'SELECT email FROM "mail-list" LIMIT 1';
CREATE TYPE held AS (id int);
CREATE FUNCTION of_held(held) RETURNS text LANGUAGE sql AS 'SELECT email FROM customers WHERE id = ($1).id';
CREATE CAST (held AS text) WITH FUNCTION of_held(held) AS IMPLICIT;
CREATE TABLE converted (c held);
INSERT INTO converted VALUES (row(1)::held);
CREATE TYPE box_of_text AS (id int);
CREATE FUNCTION unboxes(box_of_text) RETURNS json LANGUAGE sql AS 'SELECT to_json(email) FROM customers WHERE id = ($1).id';
CREATE TABLE kept (x text);
CREATE TABLE ruled (id int);
CREATE FUNCTION writes(t text) RETURNS int LANGUAGE sql AS 'INSERT INTO public.kept VALUES (t); SELECT 1';
CREATE FUNCTION writes_row(c customers) RETURNS int LANGUAGE sql AS 'INSERT INTO public.kept VALUES (c.email); SELECT 1';
CREATE FUNCTION writes_immutably(t text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN public.writes(t); END';
CREATE FUNCTION stamps() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER stamp BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION stamps();
CREATE TABLE defaulted (id int, x text DEFAULT address_of(1));
CREATE FUNCTION plain_default() RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
CREATE TABLE plainly_defaulted (id int, x text DEFAULT plain_default());
CREATE SCHEMA hidden;
CREATE TABLE hidden.customers (id int, email text);
INSERT INTO hidden.customers VALUES (1, 'plain@elsewhere.example');
CREATE TABLE archive () INHERITS (customers);
INSERT INTO archive (id, name, email, card, salary) VALUES (3, 'Cy', '${email}.old', '${card}', ${salary});
ANALYZE;
`
