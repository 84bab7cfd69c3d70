/** Rules, masks and identity at a real cluster, with every kubectl there is: checked by what kubectl says and by what happened. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { paths } from '../../../src/contract/api.ts'
import { type Env, hoop, hoopConnect } from '../../support/built-cli.ts'
import { hasCluster } from '../../support/cluster.ts'
import { type Kubectl, kubectlOf, kubectlsHere, startKubectl } from '../../support/cluster/kubectl.ts'
import { type KubeTarget, type KubeWorld, startKubeWorld } from '../../support/kube-world.ts'

describe.runIf(hasCluster())('at a real cluster', () => {
  let world: KubeWorld
  beforeAll(async () => {
    world = await startKubeWorld()
  })
  afterAll(() => world?.stop())

  const asAdmin = async (...words: string[]) => {
    const { code, stdout, stderr } = await world.cluster.kubectl(words)
    if (code !== 0) throw new Error(stderr)
    return stdout
  }
  const decide = async (verdict: 'approve' | 'deny', text: string, reason: string) => {
    const { id, confirm } = await world.held(text)
    const { code, stderr } = await hoop(
      [verdict, id, '--reason', reason, ...(verdict === 'approve' ? ['--confirm', confirm ?? ''] : [])],
      world.dba,
    )
    expect({ code, stderr }).toMatchObject({ code: 0 })
  }
  /** What the cluster was asked since `from`, by its own account. */
  const askedSince = async (from: number) => (await world.cluster.audit()).slice(from)
  const askedSoFar = async () => (await world.cluster.audit()).length

  describe.each(kubectlsHere())('kubectl $version', ({ program, version }) => {
    const through =
      (target: KubeTarget): Kubectl =>
      async (words, options) =>
        kubectlOf(program, await world.through(target))(words, options)
    let name: string
    beforeEach(() => {
      name = `of-${version.replace('.', '-')}-${randomBytes(3).toString('hex')}`
    })
    const startPod = async () => {
      await world.cluster.runPod(name, {
        command: ['sh', '-c', 'echo write to ana.almeida@example.com today; while sleep 0.1; do :; done'],
      })
      return join(world.cluster.pods, 'default', name, 'main')
    }

    test('a refused call never reaches the cluster, and kubectl says why in one sentence', async () => {
      const kubectl = through('ruled')
      const from = await askedSoFar()
      const { code, stdout, stderr } = await kubectl(['-n', 'kube-system', 'get', 'configmaps'])
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toMatch(
        /^Error from server \(Forbidden\): refused: ask the platform team; .*kube-system-is-not-yours.*\n$/,
      )
      expect(
        (await askedSince(from)).filter(({ requestURI }) => requestURI.includes('kube-system/configmaps')),
      ).toEqual([])
    })

    test('a held delete waits, and happens once it is approved', async () => {
      await asAdmin('create', 'configmap', name)
      const asked = through('ruled')(['delete', 'configmap', name])
      await world.held(name)
      await asAdmin('get', 'configmap', name)
      await decide('approve', name, 'fine')
      expect(await asked).toMatchObject({ code: 0, stdout: `configmap "${name}" deleted${deletedFrom(version)}\n` })
      await expect(asAdmin('get', 'configmap', name)).rejects.toThrow('NotFound')
    })

    test('a held delete that is denied does not happen', async () => {
      await asAdmin('create', 'configmap', name)
      const asked = through('ruled')(['delete', 'configmap', name])
      await decide('deny', name, 'still in use')
      const { code, stderr } = await asked
      expect(code).toBe(1)
      expect(stderr).toContain('still in use')
      await asAdmin('get', 'configmap', name)
    })

    test('values of a Secret do not come through in any format, and are written all the same', async () => {
      const secret = `secret-${name}`
      const encoded = Buffer.from(secret).toString('base64')
      const kubectl = through('open')
      expect(await kubectl(['create', 'secret', 'generic', name, `--from-literal=password=${secret}`])).toMatchObject({
        code: 0,
      })
      expect(await asAdmin('get', 'secret', name, '-o', 'jsonpath={.data.password}')).toBe(encoded)
      for (const format of ['yaml', 'json', 'jsonpath={.data}', 'wide', 'go-template={{.data.password}}']) {
        const { code, stdout } = await kubectl(['get', 'secret', name, '-o', format])
        expect(code).toBe(0)
        expect(stdout).not.toContain(encoded)
      }
      const listed = await kubectl(['get', 'secrets', '-o', 'yaml'])
      expect(listed.stdout).toContain(name)
      expect(listed.stdout).not.toContain(encoded)
      const shown = await through('shown')(['get', 'secret', name, '-o', 'jsonpath={.data.password}'])
      expect(shown.stdout).toBe(encoded)
      const audit = JSON.stringify(await world.records())
      expect(audit).toContain(name)
      expect(audit).not.toContain(encoded)
      expect(audit).not.toContain(secret)
    })

    test('with impersonation the cluster’s own rights and audit see the person, whoever kubectl claims to be', async () => {
      const kubectl = through('person')
      // Not the cluster's own role "view": a controller that does not run here fills that.
      await asAdmin('create', 'role', name, '--verb=get,list', '--resource=pods')
      await asAdmin('create', 'rolebinding', name, `--role=${name}`, '--user=dev@e2e')
      const from = await askedSoFar()
      expect(await kubectl(['get', 'pods'])).toMatchObject({ code: 0 })
      for (const claim of [[], ['--as', 'admin', '--as-group', 'system:masters']]) {
        const { stderr } = await kubectl([...claim, 'get', 'secrets'])
        expect(stderr).toContain('User "dev@e2e" cannot list resource "secrets"')
      }
      const events = (await askedSince(from)).filter(({ objectRef }) => objectRef?.resource === 'secrets')
      expect(events).toHaveLength(2)
      for (const event of events)
        expect(event).toMatchObject({
          user: { username: 'gateway' },
          impersonatedUser: { username: 'dev@e2e', groups: ['engineering', 'system:authenticated'] },
          responseStatus: { code: 403 },
        })
      await asAdmin('delete', 'rolebinding', name)
    })

    test.each([
      ['itself', ['sudo', 'id']],
      ['in a shell', ['sh', '-c', 'id; sudo id']],
    ])('a refused exec (%s) never reaches the cluster, by neither protocol', async (_, words) => {
      await startPod()
      const from = await askedSoFar()
      const { code, stdout, stderr } = await through('ruled')(['exec', name, '--', ...words])
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain('nobody-becomes-root')
      expect((await askedSince(from)).filter(({ requestURI }) => requestURI.includes('/exec'))).toEqual([])
      const tries = (await world.records()).filter((record) => JSON.stringify(record).includes(name))
      expect(tries.filter(({ type }) => type === 'command')).not.toHaveLength(0)
    })

    test('a held exec waits before anything runs, and runs once it is approved', async () => {
      const at = await startPod()
      await writeFile(join(at, 'doomed'), '')
      const asked = through('ruled')(['exec', name, '--', 'rm', 'doomed'])
      await world.held(name)
      expect(existsSync(join(at, 'doomed'))).toBe(true)
      await decide('approve', name, 'fine')
      expect(await asked).toMatchObject({ code: 0 })
      expect(existsSync(join(at, 'doomed'))).toBe(false)
    })

    test('a held exec that is denied runs nothing', async () => {
      const at = await startPod()
      await writeFile(join(at, 'kept'), '')
      const asked = through('ruled')(['exec', name, '--', 'sh', '-c', 'rm kept'])
      await decide('deny', name, 'still in use')
      const { code, stderr } = await asked
      expect(code).toBe(1)
      expect(stderr).toContain('still in use')
      expect(existsSync(join(at, 'kept'))).toBe(true)
    })

    test('a refused port-forward opens nothing in the cluster', async () => {
      await startPod()
      const from = await askedSoFar()
      const env = await world.through('ruled')
      const forward = startKubectl(program, ['port-forward', name, ':80'], env)
      // kubectl listens first and asks when somebody comes, or the other way around: either way it says no.
      await forward.said('no-ways-in')
      expect(await forward.ended).toBe(1)
      expect((await askedSince(from)).filter(({ requestURI }) => requestURI.includes('/portforward'))).toEqual([])
    })

    test('what a mask’s detector finds is masked in logs and in what exec shows', async () => {
      const at = await startPod()
      await writeFile(join(at, 'contacts'), 'write to ana.almeida@example.com today\n')
      const kubectl = through('ruled')
      for (const words of [
        ['logs', name],
        ['exec', name, '--', 'cat', 'contacts'],
      ]) {
        const { code, stdout } = await kubectl(words)
        expect(code).toBe(0)
        expect(stdout).toMatch(/^write to a\S+ today\n$/)
        expect(stdout).not.toContain('ana.almeida@example.com')
      }
    })

    test('the audit holds who asked for what, and how it ended', async () => {
      await startPod()
      await through('open')(['exec', name, '--', 'sh', '-c', 'exit 3'])
      const records = await world.records()
      const command = records.find(
        (record) =>
          record.type === 'command' &&
          record.asked.verb.endsWith('pods/exec') &&
          record.asked.objects.includes(`default/${name}`),
      )
      expect(command).toMatchObject({
        user: 'dev@e2e',
        asked: {
          protocol: 'kubernetes',
          verb: 'create pods/exec',
          actions: expect.arrayContaining([expect.objectContaining({ arguments: ['sh', '-c', 'exit 3'] })]),
        },
      })
    })

    test('a kill ends a running exec within a second, and kubectl says why', async () => {
      const at = await startPod()
      const own = await hoopConnect('open', world.dev)
      const env: Env = { KUBECONFIG: own.kubeconfig ?? '', HOME: world.folder }
      const script = 'echo $$ > pid; while echo here; do sleep 0.1; done'
      const exec = startKubectl(program, ['exec', name, '--', 'sh', '-c', script], env)
      await exec.said('here')
      const pid = Number(await readFile(join(at, 'pid'), 'utf8'))
      const began = performance.now()
      const answer = await fetch(world.gateway.url + paths.killSession(own.session), {
        method: 'POST',
        headers: { authorization: `Bearer ${world.dba.HOOP_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'runaway' }),
      })
      expect(answer.ok).toBe(true)
      expect(await exec.ended).not.toBe(0)
      expect(performance.now() - began).toBeLessThan(1000)
      await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5000 }).toBe(false)
      expect(await own.stop()).not.toBe(0)
      expect(own.stderr()).toContain('runaway')
    })

    test('a cluster that is not there is told as that', async () => {
      const { code, stderr } = await through('dead')(['get', 'pods'])
      expect(code).toBe(1)
      expect(stderr).toContain('dead')
    })
  })
})

/** Since 1.34 kubectl names the namespace. */
function deletedFrom(version: string): string {
  return Number(version.split('.')[1]) >= 34 ? ' from default namespace' : ''
}
