/**
 * What people do with kubectl all day, as one suite: run straight against the cluster, to know that cluster and kubectl do
 * what they claim, and through hoop, where all of it has to come out the same. `kubectl` is taken from `world` when a test
 * runs, not before.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Env } from '../../support/built-cli.ts'
import type { Cluster } from '../../support/cluster.ts'
import { type Kubectl, kubectlOf, startKubectl } from '../../support/cluster/kubectl.ts'
import { openPty } from '../../support/pty.ts'

/** A kubectl and its way to the cluster. */
export interface Road {
  readonly cluster: Cluster
  readonly program: string
  /** KUBECONFIG, HOME. */
  readonly env: Env
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** The road is asked for when a test runs, not before. */
export function dailyWork(road: () => Road): void {
  const kubectl: Kubectl = (words, options) => kubectlOf(road().program, road().env)(words, options)
  const start = (words: readonly string[]) => startKubectl(road().program, words, road().env)
  const must = async (...words: string[]) => {
    const ended = await kubectl(words)
    expect(ended, words.join(' ')).toMatchObject({ code: 0 })
    return ended.stdout
  }
  let folder: string
  /** So that two runs of the suite on one cluster do not meet. */
  let pod: string
  let at: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hoop-kubectl-'))
    pod = `worker-${randomBytes(3).toString('hex')}`
    await road().cluster.runPod(pod, {
      command: ['sh', '-c', 'echo started; n=0; while sleep 0.2; do n=$((n+1)); echo line $n; done'],
    })
    at = join(road().cluster.pods, 'default', pod, 'main')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  describe('objects', () => {
    test('get prints a table, and JSON and YAML whole', async () => {
      expect(await must('get', 'pods')).toMatch(new RegExp(`^NAME .*STATUS.*\\n(.*\\n)*${pod} +1/1 +Running`))
      const found = JSON.parse(await must('get', 'pod', pod, '-o', 'json'))
      expect(found).toMatchObject({ kind: 'Pod', metadata: { name: pod }, status: { phase: 'Running' } })
      expect(await must('get', 'pod', pod, '-o', 'yaml')).toContain(`  name: ${pod}\n`)
      expect(await must('get', 'pods', '-A', '-o', 'name')).toContain(`pod/${pod}\n`)
      expect(await must('describe', 'pod', pod)).toMatch(/^Status: +Running$/m)
    })

    test('what is not there is told in the words of the cluster', async () => {
      const { code, stderr } = await kubectl(['get', 'pod', 'nobody'])
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: 'Error from server (NotFound): pods "nobody" not found\n',
      })
    })

    test('create, apply, patch, label, scale and delete change what is there', async () => {
      const name = `settings-${pod}`
      const file = join(folder, 'settings.yaml')
      const settings = (level: string) =>
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {level: ${level}}\n`
      await writeFile(file, settings('one'))
      expect(await must('apply', '-f', file)).toBe(`configmap/${name} created\n`)
      await writeFile(file, settings('two'))
      expect(await must('apply', '-f', file)).toBe(`configmap/${name} configured\n`)
      expect(await must('apply', '-f', file)).toBe(`configmap/${name} unchanged\n`)
      await must('apply', '--server-side', '--force-conflicts', '-f', file)
      await must('patch', 'configmap', name, '-p', '{"data":{"more":"yes"}}')
      await must('label', 'configmap', name, 'seen=true')
      expect(JSON.parse(await must('get', 'configmap', name, '-o', 'json'))).toMatchObject({
        data: { level: 'two', more: 'yes' },
        metadata: { labels: { seen: 'true' } },
      })
      await must('create', 'deployment', name, '--image=none', '--replicas=1')
      await must('scale', 'deployment', name, '--replicas=3')
      expect(await must('get', 'deployment', name, '-o', 'jsonpath={.spec.replicas}')).toBe('3')
      expect(await must('delete', `deployment/${name}`, `configmap/${name}`, '--wait=false')).toContain('deleted')
      expect((await kubectl(['get', 'configmap', name])).stderr).toContain('NotFound')
    })

    test('get --watch shows changes as they happen', async () => {
      const name = `watched-${pod}`
      const watch = start(['get', 'configmaps', '--watch', '-o', 'name'])
      await must('create', 'configmap', name)
      await watch.said(`configmap/${name}`)
      await must('delete', 'configmap', name)
      await watch.stop()
    })

    test('a list that is longer than one page comes whole', async () => {
      // kubectl asks for 500 at a time.
      const names = Array.from({ length: 600 }, (_, at) => `many-${at}-${pod}`)
      const objects = names.map(
        (name) => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}","labels":{"of":"${pod}"}}}`,
      )
      const input = `{"apiVersion":"v1","kind":"List","items":[${objects.join(',')}]}`
      const created = await road().cluster.kubectl(['create', '-f', '-'], { input })
      expect(created).toMatchObject({ code: 0 })
      const listed = await must('get', 'configmaps', '-l', `of=${pod}`, '-o', 'name')
      expect(listed.split('\n')).toHaveLength(601)
      await must('delete', 'configmaps', '-l', `of=${pod}`, '--wait=false')
    })

    test('discovery, explain, auth can-i and raw paths answer', async () => {
      expect(await must('api-resources', '-o', 'name')).toContain('deployments.apps\n')
      expect(await must('explain', 'pods')).toMatch(/^KIND: +Pod$/m)
      expect(await must('auth', 'can-i', 'create', 'pods/exec')).toBe('yes\n')
      expect(JSON.parse(await must('get', '--raw', '/version'))).toMatchObject({ major: '1' })
    })
  })

  // kubectl over WebSocket begins to read before it has made its streams, and drops what comes first, straight to a cluster
  // too; it says so in a log line on stderr ("Unknown stream id").
  describe('exec', { retry: 2 }, () => {
    test('brings back stdout, stderr apart, and the exit code', async () => {
      const { code, stdout, stderr } = await kubectl(['exec', pod, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])
      expect(stdout).toBe('out\n')
      expect(stderr).toBe('err\ncommand terminated with exit code 7\n')
      expect(code).toBe(7)
    })

    test('takes its words as they are', async () => {
      const odd = `a  b 'c' "d" $HOME ü & ; | # \\`
      expect(await must('exec', pod, '--', 'printf', '%s|', odd, '', '-x')).toBe(`${odd}||-x|`)
    })

    test('-i takes stdin to its end, and every byte comes back', async () => {
      const input = randomBytes(3 * 1024 * 1024)
      const { code, bytes } = await kubectl(['exec', '-i', pod, '--', 'cat'], { input })
      expect(code).toBe(0)
      expect(sha256(bytes)).toBe(sha256(input))
    })

    test('a program that is not there is told by name', async () => {
      const { code, stderr } = await kubectl(['exec', pod, '--', 'no-such-program'])
      expect(code).not.toBe(0)
      expect(stderr).toContain('no-such-program')
    })

    test('-it gives a terminal that has the size of ours', async () => {
      // The size comes on a stream of its own, at any time.
      const script = 'tty; while [ "$(stty size)" = "0 0" ]; do sleep 0.05; done; stty size; exit 5'
      const program = ['sh', '-c', script]
      const { program: path, env } = road()
      const terminal = openPty([path, 'exec', '-it', pod, '--', ...program], { rows: 33, columns: 99, env })
      expect(await terminal.exit).toBe(5)
      expect(terminal.shown).toMatch(/\/dev\/pts\/\d+\r\n33 99\r\n/)
    })
  })

  test('cp brings files there and back, folders too', async () => {
    const bytes = randomBytes(2 * 1024 * 1024)
    const file = join(folder, 'data.bin')
    await writeFile(file, bytes)
    await must('cp', file, `${pod}:copied.bin`)
    expect(sha256(await readFile(join(at, 'copied.bin')))).toBe(sha256(bytes))
    const back = join(folder, 'back.bin')
    await must('cp', `${pod}:copied.bin`, back)
    expect(sha256(await readFile(back))).toBe(sha256(bytes))
    await must('exec', pod, '--', 'sh', '-c', 'mkdir -p tree/deep && echo one > tree/a && echo two > tree/deep/b')
    await must('cp', `${pod}:tree`, join(folder, 'tree'))
    expect(await readFile(join(folder, 'tree', 'deep', 'b'), 'utf8')).toBe('two\n')
  })

  describe('logs', () => {
    test('come whole, and cut as asked', async () => {
      expect(await must('logs', pod)).toMatch(/^started\nline 1\n/)
      expect(await must('logs', pod, '--tail=1')).toMatch(/^line \d+\n$/)
      expect(await must('logs', pod, '--timestamps', '--tail=1')).toMatch(/^\d{4}-\d\d-\d\dT\S+Z line \d+\n$/)
    })

    test('-f shows each line when it is written', async () => {
      const follow = start(['logs', '-f', '--tail=1', pod])
      const [, seen] = (await follow.said(/line (\d+)\n/)).match(/line (\d+)\n/) ?? []
      await follow.said(`line ${Number(seen) + 3}\n`)
      await follow.stop()
    })
  })

  test('attach joins the program that runs', async () => {
    const echo = `echo-${pod}`
    await road().cluster.runPod(echo, {
      command: ['sh', '-c', 'while read word; do echo "heard $word"; done'],
      stdin: true,
    })
    const attached = start(['attach', '-i', echo])
    // What is typed before it is attached is kept by the pipe of the program.
    attached.type('hello\n')
    await attached.said('heard hello')
    await attached.stop()
    await must('delete', 'pod', echo, '--wait=false')
  })

  test('port-forward carries requests, several at once, and large ones', async () => {
    const large = randomBytes(4 * 1024 * 1024)
    const server = createServer((request, response) => response.end(request.url === '/large' ? large : request.url))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const forward = start(['port-forward', pod, `:${port}`])
    const [, local] = (await forward.said(/127\.0\.0\.1:(\d+) ->/)).match(/127\.0\.0\.1:(\d+) ->/) ?? []
    const url = `http://127.0.0.1:${local}`
    const answers = await Promise.all(['/a', '/b', '/c'].map(async (path) => (await fetch(url + path)).text()))
    expect(answers).toEqual(['/a', '/b', '/c'])
    const got = Buffer.from(await (await fetch(`${url}/large`)).arrayBuffer())
    expect(sha256(got)).toBe(sha256(large))
    await forward.stop()
    server.closeAllConnections()
    server.close()
  })
}
