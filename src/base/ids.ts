/** Identifiers a person can read aloud: a prefix that says what it names, then random letters without look-alikes. */
import { randomFillSync } from 'node:crypto'

/** Crockford's base 32: no I, L, O, U. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const letters = 12

/** Asking for random bytes costs more than using them: each command has an id. */
const random = Buffer.alloc(letters * 256)
let used = random.length

/** `createId('ses')` → `ses_7k2m9q4x1v3t`: 60 random bits, enough for ids that also have to be unguessable by chance. */
export function createId(prefix: string): string {
  if (used === random.length) {
    randomFillSync(random)
    used = 0
  }
  let id = `${prefix}_`
  for (const end = used + letters; used < end; used++) id += alphabet[(random[used] ?? 0) & 31]
  return id
}
