/**
 * The salted password of SCRAM (RFC 5802 section 3, "Hi"), which is made slow to compute on purpose. The gateway logs in
 * with the same password again and again, twice for many a connection: what was computed once is remembered, under a key
 * that tells nothing of the password. A target's new password or salt is another key.
 */
import { createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

/** Of this process only. */
const secret = randomBytes(32)
/** More targets than these are computed anew now and then. */
const most = 200

/** In the order of last use: the first is the one to forget. */
const known = new Map<string, Promise<Buffer>>()

export function saltedPassword(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  const prepared = password.normalize('NFKC')
  const key = createHmac('sha256', secret)
    .update(`${iterations} ${salt.toString('base64')} ${prepared}`)
    .digest('base64')
  const salted = known.get(key) ?? derive(prepared, salt, iterations, 32, 'sha256')
  known.delete(key)
  known.set(key, salted)
  // Not computed: the next one tries again.
  salted.catch(() => known.delete(key))
  for (const oldest of known.keys()) {
    if (known.size <= most) break
    known.delete(oldest)
  }
  return salted
}
