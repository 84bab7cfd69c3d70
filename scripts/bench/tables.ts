/** The tables of the benchmark, beside the demo's shop: pgbench's own, made as pgbench makes them, and two wide ones. */
import { shopDatabase, shopUser } from '../../src/demo/shop.ts'
import type { Postgres } from '../../src/demo/postgres.ts'

export async function fillTransactions(server: Postgres, scale: number): Promise<void> {
  await server.query(
    `SET ROLE ${shopUser};
     CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
     CREATE TABLE pgbench_tellers (tid int NOT NULL, bid int, tbalance int, filler char(84)) WITH (fillfactor = 100);
     CREATE TABLE pgbench_accounts (aid int NOT NULL, bid int, abalance int, filler char(84)) WITH (fillfactor = 100);
     CREATE TABLE pgbench_branches (bid int NOT NULL, bbalance int, filler char(88)) WITH (fillfactor = 100);
     INSERT INTO pgbench_branches SELECT n, 0 FROM generate_series(1, ${scale}) n;
     INSERT INTO pgbench_tellers SELECT n, (n - 1) / 10 + 1, 0 FROM generate_series(1, ${scale} * 10) n;
     INSERT INTO pgbench_accounts SELECT n, (n - 1) / 100000 + 1, 0, '' FROM generate_series(1, ${scale} * 100000) n;
     ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid);
     ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid);
     ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid);`,
    undefined,
    shopDatabase,
  )
  await server.query('VACUUM ANALYZE', undefined, shopDatabase)
}

/** What the writes left: without this every round would be slower than the one before. */
export async function tidyTransactions(server: Postgres): Promise<void> {
  for (const table of ['pgbench_branches', 'pgbench_tellers', 'pgbench_accounts'])
    await server.query(`VACUUM ${table}`, undefined, shopDatabase)
  await server.query('TRUNCATE pgbench_history', undefined, shopDatabase)
}

const tenColumns = `(id int, name text, email text, card_number text, city text, amount numeric(10,2), quantity int,
  paid boolean, placed timestamptz, note text)`

/** Ten columns; two of them are what masks are for. */
export async function fillRows(server: Postgres, rows: number): Promise<void> {
  await fillWide(
    server,
    'bench_rows',
    rows,
    `'customer.' || n || '@example.com'`,
    `'4000001' || lpad((n * 7919 % 1000000000)::text, 9, '0')`,
  )
}

/** The same columns with nothing in them to hide, about this many bytes as COPY writes them. Gives back a piece of it. */
export async function fillCopy(server: Postgres, bytes: number): Promise<string> {
  await fillWide(server, 'bench_copy', Math.ceil(bytes / bytesOfRow), `'desk ' || n % 1000`, `'shelf ' || n % 977`)
  await server.query(`SET ROLE ${shopUser}; CREATE UNLOGGED TABLE bench_in (LIKE bench_copy)`, undefined, shopDatabase)
  const rows = await server.query(
    `SELECT ${columns.join(', ')} FROM bench_copy WHERE id <= 100`,
    undefined,
    shopDatabase,
  )
  return rows.map((row) => `${columns.map((column) => textOf(row[column])).join('\t')}\n`).join('')
}

/** Of a row of bench_copy, as COPY writes it; measured. */
const bytesOfRow = 116

const columns = 'id name email card_number city amount quantity paid placed note'.split(' ')

async function fillWide(server: Postgres, table: string, rows: number, email: string, card: string): Promise<void> {
  await server.query(
    `SET ROLE ${shopUser};
     CREATE UNLOGGED TABLE ${table} ${tenColumns};
     INSERT INTO ${table}
     SELECT n, 'Customer ' || n, ${email}, ${card}, ($1::text[])[1 + n % 6], n % 10000 + 0.9, n % 97, n % 3 = 0,
            timestamptz '2026-01-01' + n * interval '1 minute', 'left at the door ' || n % 100
     FROM generate_series(1, ${rows}) n;`.replaceAll('$1', `'{Lisbon,Berlin,Nairobi,Osaka,Lima,Oslo}'`),
    undefined,
    shopDatabase,
  )
  await server.query(`VACUUM ANALYZE ${table}`, undefined, shopDatabase)
}

/** As COPY's text format has it; none of these values needs an escape. */
function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'boolean') return value ? 't' : 'f'
  return String(value)
}
