/** The cluster of the tests by itself, without hoop: each kubectl does there what it does with any cluster. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, hasCluster, startCluster } from '../../support/cluster.ts'
import { kubectlsHere } from '../../support/cluster/kubectl.ts'
import { dailyWork } from './daily-work.ts'

describe.runIf(hasCluster())('the cluster of the tests', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.stop())

  describe.each(kubectlsHere())('kubectl $version', ({ program }) => {
    dailyWork(() => ({ cluster, program, env: { KUBECONFIG: cluster.kubeconfig, HOME: cluster.folder } }))
  })

  test('its audit log names who acted as whom', async () => {
    const token = ['--token', cluster.impersonatorToken, '--as', 'ana@example.com', '--as-group', 'engineering']
    // Rights are the impersonated person's: none.
    const refused = await cluster.kubectl([
      '--kubeconfig',
      '/dev/null',
      '-s',
      cluster.url,
      '--certificate-authority',
      cluster.ca,
      ...token,
      'get',
      'pods',
    ])
    expect(refused.stderr).toContain('User "ana@example.com" cannot list resource "pods"')
    const event = (await cluster.audit()).find(
      ({ verb, impersonatedUser }) => verb === 'list' && impersonatedUser?.username === 'ana@example.com',
    )
    expect(event).toMatchObject({
      user: { username: 'gateway' },
      impersonatedUser: { groups: ['engineering', 'system:authenticated'] },
      verb: 'list',
      objectRef: { resource: 'pods' },
      responseStatus: { code: 403 },
    })
  })
})
