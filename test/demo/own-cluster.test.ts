/** The cluster of somebody's own kubeconfig, for `hoop demo --k8s`: found at a real one, and told in a sentence where not. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../src/demo/postgres.ts'
import { findOwnCluster } from '../../src/demo/own-cluster.ts'
import { type Cluster, hasCluster, startCluster } from '../support/cluster.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-own-cluster-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.runIf(hasCluster())('with a cluster', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster?.stop())

  test('address, authority and credential of the current context become files of the demo', async () => {
    const found = await findOwnCluster(cluster.kubeconfig, folder)
    expect(found).toMatchObject({ context: 'test', host: cluster.host, port: cluster.port, login: 'certificate' })
    expect(await readFile(found.caFile, 'utf8')).toBe(await readFile(cluster.ca, 'utf8'))
    expect(await readFile(found.secretFile, 'utf8')).toBe(cluster.adminCertificate)
  })

  test('a credential that the cluster does not take is told', async () => {
    const file = await kubeconfig({ server: cluster.url, 'certificate-authority': cluster.ca }, { token: 'wrong' })
    await expect(findOwnCluster(file, folder)).rejects.toThrow('does not take the credential')
  })

  test('a cluster whose certificate another authority signed is not reached', async () => {
    const file = await kubeconfig({ server: cluster.url, 'certificate-authority-data': '' }, { token: 'any' })
    await expect(findOwnCluster(file, folder)).rejects.toThrow(`cannot reach the cluster at 127.0.0.1:${cluster.port}`)
  })
})

test.each([
  ['no file', async () => join(folder, 'none'), 'cannot read the kubeconfig'],
  ['no current context', () => written('kind: Config\n'), 'has no current context'],
  [
    'plain HTTP',
    () => kubeconfig({ server: 'http://127.0.0.1:8080' }, { token: 'x' }),
    'which is not https://HOST:PORT',
  ],
  [
    'a plugin',
    () => kubeconfig({ server: 'https://127.0.0.1:1', 'certificate-authority-data': '' }, { exec: {} }),
    'neither token nor',
  ],
  [
    'nobody there',
    async () =>
      kubeconfig({ server: `https://127.0.0.1:${await freePort()}`, 'certificate-authority-data': '' }, { token: 'x' }),
    'cannot reach the cluster',
  ],
])('%s is told as that', async (_, make, why) => {
  await expect(findOwnCluster(await make(), folder)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining(why),
  })
})

function kubeconfig(cluster: object, user: object): Promise<string> {
  const context = { cluster: 'one', user: 'one' }
  return written(
    JSON.stringify({
      'current-context': 'one',
      clusters: [{ name: 'one', cluster }],
      users: [{ name: 'one', user }],
      contexts: [{ name: 'one', context }],
    }),
  )
}

async function written(text: string): Promise<string> {
  const file = join(folder, 'config')
  await writeFile(file, text)
  return file
}
