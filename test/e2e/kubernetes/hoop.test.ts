/** kubectl through the whole road: all that people do comes out as it does without hoop, with every kubectl there is. */
import { afterAll, beforeAll, describe } from 'vitest'
import type { Env } from '../../support/built-cli.ts'
import { hasCluster } from '../../support/cluster.ts'
import { kubectlsHere } from '../../support/cluster/kubectl.ts'
import { type KubeWorld, startKubeWorld } from '../../support/kube-world.ts'
import { dailyWork } from './daily-work.ts'

describe.runIf(hasCluster())('through hoop', () => {
  let world: KubeWorld
  let env: Env
  beforeAll(async () => {
    world = await startKubeWorld()
    env = await world.through('open')
  })
  afterAll(() => world?.stop())

  describe.each(kubectlsHere())('kubectl $version', ({ program }) => {
    dailyWork(() => ({ cluster: world.cluster, program, env }))
  })
})
