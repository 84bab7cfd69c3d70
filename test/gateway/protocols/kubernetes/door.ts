/** Kubernetes through the protocol as the tests of this folder need it. */
import { onTestFinished } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { Secret } from '../../../../src/base/secret.ts'
import type { Checkpoint, Masks } from '../../../../src/gateway/checkpoint.ts'
import { createKubernetes, type KubernetesSettings } from '../../../../src/gateway/protocols/kubernetes/index.ts'
import type { Credential, KubernetesTarget, Target } from '../../../../src/gateway/protocols/protocol.ts'
import { createRecordingCheckpoint, type Door, openDoor } from '../../../support/conversation.ts'
import { credentialOf } from '../../../support/credentials.ts'

export const testToken = 'token-of-the-gateway-itself'

export function createTestKubernetes(settings: Partial<KubernetesSettings> = {}) {
  return createKubernetes({ clock: systemClock, maxStatementBytes: 1024 * 1024, connectTimeoutMs: 5000, ...settings })
}

export function targetAt(port: number, settings: Partial<KubernetesTarget> = {}, rest: Partial<Target> = {}): Target {
  return {
    name: 'k8s-test',
    protocol: 'kubernetes',
    host: '127.0.0.1',
    port,
    tls: { mode: 'disable' },
    user: '',
    databases: [],
    kubernetes: { login: 'token', impersonate: false, secrets: 'mask', ...settings },
    ...rest,
  }
}

export interface DoorWish {
  readonly checkpoint?: Checkpoint
  readonly credential?: Credential
  readonly kubernetes?: Partial<KubernetesTarget>
  readonly target?: Partial<Target>
}

/** Closed when the test is over. */
export async function openTestDoor(port: number, wish: DoorWish = {}): Promise<Door> {
  const door = await openDoor({
    protocol: createTestKubernetes(),
    target: targetAt(port, wish.kubernetes, wish.target),
    credential: wish.credential ?? credentialOf(new Secret(testToken)),
    checkpoint: wish.checkpoint ?? createRecordingCheckpoint(),
  })
  onTestFinished(() => door.close())
  return door
}

/** The same checkpoint, whose permits carry these masks. */
export function withMasks(checkpoint: Checkpoint, masks: Partial<{ masks: Masks; recordMasks: Masks }>): Checkpoint {
  return {
    ...checkpoint,
    async clear(batch, asking) {
      const clearance = await checkpoint.clear(batch, asking)
      if ('refusal' in clearance) return clearance
      for (const permit of clearance.permits) Object.assign(permit, { sampleBytes: 16_384, ...masks })
      return clearance
    },
  }
}
