/** What the configuration that is in force now says for one person on one target; compiled once for each configuration. */
import type { InForce } from '../checkpoint.ts'
import type { Loaded } from '../config/load.ts'
import { compileMasks, compileRecordMasks } from '../policy/masks.ts'
import type { RuleTarget, Subject } from '../policy/rules.ts'

export function inForceFor(
  current: () => Loaded,
  { target, person, agent }: Subject,
  hashKey: Uint8Array,
): () => InForce {
  let last: { readonly loaded: Loaded; readonly force: InForce } | undefined
  return () => {
    const loaded = current()
    if (last?.loaded !== loaded) {
      // A target that has left the configuration is refused by policy; masks go on by what it was.
      const known: RuleTarget = loaded.policy.target(target.name) ?? target
      const { masks, audit } = loaded.config
      last = {
        loaded,
        force: {
          policy: loaded.policy,
          masks: compileMasks(masks, { target: known, person, agent }, hashKey),
          recordMasks: compileRecordMasks(masks, known, hashKey),
          sampleRows: audit.rows,
          sampleBytes: audit.bodies,
        },
      }
    }
    return last.force
  }
}
