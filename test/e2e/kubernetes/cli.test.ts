/** What `hoop connect` does for kubectl: a kubeconfig of its own, KUBECONFIG for a program, and the person's own file on demand. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Env, hoop, hoopConnect } from '../../support/built-cli.ts'
import { hasCluster } from '../../support/cluster.ts'
import { kubectlOf, kubectlsHere } from '../../support/cluster/kubectl.ts'
import { type KubeWorld, startKubeWorld } from '../../support/kube-world.ts'

describe.runIf(hasCluster())('hoop connect, for kubectl', () => {
  let world: KubeWorld
  /** A home of its own, whose kubeconfig has a cluster already. */
  let home: string
  let own: string
  let dev: Env
  const theirs = `# mine
apiVersion: v1
kind: Config
clusters: [{name: work, cluster: {server: "https://10.0.0.1"}}]
users: [{name: me, user: {token: abc}}]
contexts:
- {name: work, context: {cluster: work, user: me}}
current-context: work
`
  const [newest] = kubectlsHere()
  const program = newest?.program ?? 'kubectl'

  beforeAll(async () => {
    world = await startKubeWorld()
    home = join(world.folder, 'home')
    own = join(home, '.kube', 'config')
    await mkdir(join(home, '.kube'), { recursive: true })
    await writeFile(own, theirs, { mode: 0o600 })
    dev = { ...world.dev, HOME: home }
    await world.cluster.kubectl(['create', 'configmap', 'here'])
  })
  afterAll(() => world?.stop())

  test('-- kubectl … finds the cluster, ends with kubectl’s exit code, and leaves nothing behind', async () => {
    const { code, stdout } = await hoop(
      ['connect', 'open', '--', program, 'get', 'configmap', 'here', '-o', 'name'],
      dev,
    )
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'configmap/here\n' })
    expect((await hoop(['connect', 'open', '--', program, 'get', 'pod', 'nobody'], dev)).code).toBe(1)
    const shown = await hoop(['connect', 'open', '--', 'sh', '-c', 'echo "$KUBECONFIG"; cat "$KUBECONFIG"'], dev)
    const [file = '', ...text] = shown.stdout.split('\n')
    expect(file).toMatch(new RegExp(`^${world.dev.XDG_STATE_HOME}/hoop/kube/.*/hoop-open-\\d+\\.yaml$`))
    expect(text.join('\n')).toContain('hoop-open')
    expect(existsSync(file)).toBe(false)
    expect(await readFile(own, 'utf8')).toBe(theirs)
  })

  test('several targets are several contexts of one file, the first of them current', async () => {
    const script = `${program} config current-context; ${program} config get-contexts -o name; ${program} --context hoop-token get configmap here -o name`
    const { code, stdout } = await hoop(['connect', 'open', 'token', '--', 'sh', '-c', script], dev)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hoop-open\nhoop-open\nhoop-token\nconfigmap/here\n' })
  })

  test('says what to type, and takes the file away in the end', async () => {
    const connected = await hoopConnect('open', dev)
    const file = connected.kubeconfig ?? ''
    const kubectl = kubectlOf(program, { KUBECONFIG: file, HOME: home })
    expect((await kubectl(['get', 'configmap', 'here', '-o', 'name'])).stdout).toBe('configmap/here\n')
    await connected.stop()
    expect(existsSync(file)).toBe(false)
  })

  test('--merge puts the context into the person’s own file, beside what is there, and takes it out again', async () => {
    const connected = await hoopConnect('open', dev, '--merge')
    const kubectl = kubectlOf(program, { HOME: home })
    expect((await kubectl(['config', 'get-contexts', '-o', 'name'])).stdout).toBe('hoop-open\nwork\n')
    expect((await kubectl(['config', 'current-context'])).stdout).toBe('work\n')
    expect((await kubectl(['--context', 'hoop-open', 'get', 'configmap', 'here', '-o', 'name'])).stdout).toBe(
      'configmap/here\n',
    )
    expect(await readFile(`${own}.before-hoop`, 'utf8')).toBe(theirs)
    await connected.stop()
    expect(await readFile(own, 'utf8')).toBe(theirs)
  })

  test('--merge takes its entries out also after kubectl wrote the whole file anew', async () => {
    const connected = await hoopConnect('open', dev, '--merge')
    const kubectl = kubectlOf(program, { HOME: home })
    await kubectl(['config', 'use-context', 'hoop-open'])
    await connected.stop()
    expect((await kubectl(['config', 'get-contexts', '-o', 'name'])).stdout).toBe('work\n')
    expect(await readFile(own, 'utf8')).toContain('token: abc')
    expect((await kubectl(['config', 'use-context', 'work'])).code).toBe(0)
    await writeFile(own, theirs)
  })
})
