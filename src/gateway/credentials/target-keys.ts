/**
 * Host keys of targets that were taken on first use, kept beside the store by address, as OpenSSH's known_hosts does:
 * `[host]:port ssh-ed25519 AAAA…`, a line each. Whoever trusts an exchanged key pins it in the config.
 */
import type { RecordDraft } from '../../contract/record.ts'
import type { Audit } from '../audit/audit.ts'
import type { Target } from '../protocols/protocol.ts'
import { fingerprintOf, type TargetKeys } from '../protocols/ssh/index.ts'
import { keep, readKept } from './beside-store.ts'

/** `record` makes an admin record. */
export function createTargetKeys(
  storePath: string,
  audit: Pick<Audit, 'append'>,
  record: (action: string, detail: string) => RecordDraft,
): TargetKeys {
  const path = `${storePath}.target-keys`
  /** One at a time: two first connections must not each take a key. */
  let last: Promise<unknown> = Promise.resolve()

  async function read(): Promise<Map<string, string>> {
    const lines = ((await readKept(path)) ?? '').split('\n').filter((line) => line !== '')
    return new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
  }

  async function takeFirst(target: Target, key: string, who: string): Promise<string> {
    const keys = await read()
    const address = addressOf(target)
    const known = keys.get(address)
    if (known !== undefined) return known
    // Written down before it is believed, like everything.
    const detail = `target "${target.name}" at ${address} shows ${fingerprintOf(key)}: taken on first use, for ${who}`
    await audit.append([record('target-key.taken', detail)])
    keys.set(address, key)
    await keep(path, [...keys].map(([at, kept]) => `${at} ${kept}\n`).join(''))
    return key
  }

  return {
    known: async (target) => (await read()).get(addressOf(target)),
    take(target, key, { user }) {
      const taking = last.then(() => takeFirst(target, key, user))
      last = taking.catch(() => undefined)
      return taking
    },
  }
}

function addressOf({ host, port }: Target): string {
  return `[${host.toLowerCase()}]:${port}`
}
