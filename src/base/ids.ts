/** Identifiers a person can read aloud: a prefix that says what it names, then random letters without look-alikes. */
import { randomBytes } from 'node:crypto'

/** Crockford's base 32: no I, L, O, U. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** `createId('ses')` → `ses_7k2m9q4x1v3t`: 60 random bits, enough for ids that also have to be unguessable by chance. */
export function createId(prefix: string): string {
  const bytes = randomBytes(12)
  let id = `${prefix}_`
  for (const byte of bytes) id += alphabet[byte & 31]
  return id
}
