/** The demo's database: a small shop, with things in it that must not be seen. Nothing here belongs to anybody. */
import { createHash } from 'node:crypto'
import type { Postgres } from './postgres.ts'

export const shopDatabase = 'shop'
/** Owns the shop's tables and is whom the gateway logs in as; no superuser. */
export const shopUser = 'shop_app'

const firstNames = [
  'Ana',
  'Bo',
  'Chiara',
  'Dmitri',
  'Elif',
  'Farid',
  'Grace',
  'Hiro',
  'Ines',
  'Jonas',
  'Kofi',
  'Lena',
  'Mei',
  'Noor',
  'Otto',
  'Priya',
]
const lastNames = [
  'Almeida',
  'Bauer',
  'Costa',
  'Diaz',
  'Eriksen',
  'Fischer',
  'Garcia',
  'Haddad',
  'Ito',
  'Jensen',
  'Kaya',
  'Lindqvist',
]
const products = ['kettle', 'lamp', 'notebook', 'rucksack', 'teapot', 'umbrella']

export interface Customer {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly card: string
  readonly passwordHash: string
}

export const customers: readonly Customer[] = Array.from({ length: 192 }, (_, index) => {
  const first = firstNames[index % firstNames.length] ?? ''
  const last = lastNames[Math.floor(index / firstNames.length) % lastNames.length] ?? ''
  return {
    id: index + 1,
    name: `${first} ${last}`,
    email: `${first}.${last}@example.com`.toLowerCase(),
    card: cardNumber(index),
    passwordHash: `sha256$${createHash('sha256').update(`demo ${index}`).digest('hex')}`,
  }
})

/** A number that is well-formed (Luhn) in a range that no bank hands out. */
function cardNumber(index: number): string {
  const digits = `400000${String(index * 7919 + 100_000_000)
    .padStart(9, '0')
    .slice(-9)}`
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at])
    const doubled = at % 2 === 0 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return `${digits}${(10 - (sum % 10)) % 10}`
}

/** Fills a fresh server; `password` is what shopUser logs in with. */
export async function fillShop(server: Postgres, password: string): Promise<void> {
  const literal = `'${password.replaceAll("'", "''")}'`
  await server.query(`CREATE ROLE ${shopUser} LOGIN PASSWORD ${literal}`)
  await server.query(`CREATE DATABASE ${shopDatabase} OWNER ${shopUser}`)
  await server.query(schema, undefined, shopDatabase)
  const column = (pick: (customer: Customer) => unknown) => customers.map(pick)
  await server.query(
    `INSERT INTO customers (name, email, card_number, password_hash)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])`,
    [column((c) => c.name), column((c) => c.email), column((c) => c.card), column((c) => c.passwordHash)],
    shopDatabase,
  )
  await server.query(
    `INSERT INTO orders (customer_id, product, amount, placed)
     SELECT 1 + (n * 37) % ${customers.length}, ($1::text[])[1 + n % ${products.length}], (5 + n % 95)::numeric + 0.9, timestamptz '2026-01-01' + n * interval '3 hours'
     FROM generate_series(1, 1200) n`,
    [products],
    shopDatabase,
  )
  await server.query('ANALYZE', undefined, shopDatabase)
}

const schema = `
SET ROLE ${shopUser};
CREATE TABLE customers (
  id serial PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE,
  card_number text NOT NULL, password_hash text NOT NULL, created timestamptz NOT NULL DEFAULT now());
CREATE TABLE orders (
  id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, product text NOT NULL,
  amount numeric(10,2) NOT NULL, placed timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON orders (customer_id);
CREATE TABLE old_carts (id serial PRIMARY KEY, customer_id int REFERENCES customers, contents jsonb);
INSERT INTO old_carts (contents) SELECT jsonb_build_object('items', n) FROM generate_series(1, 300) n;
CREATE TABLE old_coupons (code text PRIMARY KEY, percent int NOT NULL);
INSERT INTO old_coupons SELECT 'SAVE' || n, n % 50 FROM generate_series(1, 80) n;
`
