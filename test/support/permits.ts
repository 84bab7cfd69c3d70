/** Permits for what stands behind the checkpoint, in tests that have none. */
import type { Permit } from '../../src/gateway/checkpoint.ts'
import { noMasks } from './conversation.ts'

export function permitFor(command: string): Permit {
  // Only the checkpoint can make one; what it consists of is plain data.
  return { command, masks: noMasks, recordMasks: noMasks, sampleRows: 0, sampleBytes: 0 } as unknown as Permit
}
