/** Kubeconfigs: our own, and our entries in a person's. */
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { mergeInto, ownKubeconfig } from '../../src/tunnel/kube-files.ts'
import { openKubeSession } from '../../src/tunnel/kube-session.ts'
import { kubeconfigText, kubeEntriesOf } from '../../src/tunnel/kubeconfig.ts'
import { withEntries, withoutEntries } from '../../src/tunnel/kubeconfig-merge.ts'
import type { OpenTarget } from '../../src/tunnel/tunnel.ts'

const entry = { name: 'hoop-k8s-prod', server: 'http://127.0.0.1:17001' }

/** As people have them: comments, anchors, odd order, quoted and long strings, keys that we do not know. */
const theirs = `# my clusters
kind: Config
current-context: work
preferences: {}
contexts:
# the one I use
- context: {cluster: work, user: me, namespace: "prod"}
  name: work
clusters:
- name: work
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority-data: ${'QUJD'.repeat(100)}
    extensions: [{name: minikube, extension: {version: v1.31.0}}]
users:
- name: me
  user:
    token: "0123"
    exec: &plugin
      apiVersion: client.authentication.k8s.io/v1
      args: [a, 'b: c', "d\\n"]
      command: aws
      env: null
- name: also-me
  user: {exec: *plugin}
apiVersion: v1
`

describe('our own file', () => {
  test('has a context for each Kubernetes target, the first of them current, and no credential', () => {
    const targets = [
      { target: { name: 'pg-prod', protocol: 'postgres' }, port: 1 },
      { target: { name: 'k8s-prod', protocol: 'kubernetes' }, port: 17001 },
      { target: { name: 'k8s.stage', protocol: 'kubernetes' }, port: 17002 },
    ] as const
    expect(parse(kubeconfigText(kubeEntriesOf(targets)))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'hoop-k8s-prod',
      clusters: [
        { name: 'hoop-k8s-prod', cluster: { server: 'http://127.0.0.1:17001' } },
        { name: 'hoop-k8s.stage', cluster: { server: 'http://127.0.0.1:17002' } },
      ],
      users: [
        { name: 'hoop-k8s-prod', user: {} },
        { name: 'hoop-k8s.stage', user: {} },
      ],
      contexts: [
        { name: 'hoop-k8s-prod', context: { cluster: 'hoop-k8s-prod', user: 'hoop-k8s-prod' } },
        { name: 'hoop-k8s.stage', context: { cluster: 'hoop-k8s.stage', user: 'hoop-k8s.stage' } },
      ],
    })
  })
})

describe('their file', () => {
  test('gets our entries at the end of its lists, and every line of theirs stays as it was', () => {
    const merged = withEntries(theirs, [entry], '~/.kube/config')
    const lines = new Set(merged.split('\n'))
    expect(theirs.split('\n').filter((line) => !lines.has(line))).toEqual([])
    const config = parse(merged)
    expect(config['current-context']).toBe('work')
    expect(config.clusters[1]).toEqual({ name: 'hoop-k8s-prod', cluster: { server: 'http://127.0.0.1:17001' } })
    expect(config.contexts[1].context).toEqual({ cluster: 'hoop-k8s-prod', user: 'hoop-k8s-prod' })
  })

  test('is byte for byte what it was once they are taken out', () => {
    expect(withoutEntries(withEntries(theirs, [entry], 'f'), [entry], 'f')).toBe(theirs)
  })

  test('entries that a killed hoop left behind are replaced, not doubled', () => {
    const left = withEntries(theirs, [{ ...entry, server: 'http://127.0.0.1:17999' }], 'f')
    expect(parse(withEntries(left, [entry], 'f'))).toEqual(parse(withEntries(theirs, [entry], 'f')))
  })

  test.each([
    ['JSON', JSON.stringify(parse(theirs))],
    ['JSON over lines', JSON.stringify(parse(theirs), undefined, 2)],
    ['lines with CRLF', theirs.replaceAll('\n', '\r\n')],
    ['no newline at its end', theirs.trimEnd()],
    ['deeper lists', 'clusters:\n  - name: a\n    cluster: {server: x}\n  # between\n\nusers: [{name: b, user: {}}]\n'],
    ['nothing in its lists', 'apiVersion: v1\nclusters: []\nusers:\ncontexts: null\n'],
    ['nothing at all', '{}'],
    ['nothing but a remark', '# mine\nkind: Config # yes\n'],
  ])('written as %s it is read by a parser as before, with ours and without', (_, text) => {
    const merged = withEntries(text, [entry, { ...entry, name: 'hoop-two' }], 'f')
    expect(parse(merged).contexts.slice(-2)).toMatchObject([{ name: 'hoop-k8s-prod' }, { name: 'hoop-two' }])
    const again = parse(withoutEntries(merged, [entry, { ...entry, name: 'hoop-two' }], 'f'))
    const before = parse(text)
    const full = (config: object) => ({ clusters: [], users: [], contexts: [], 'current-context': '', ...config })
    const filled = Object.fromEntries(Object.entries(again).map(([key, value]) => [key, value ?? []]))
    const wanted = Object.fromEntries(Object.entries(before).map(([key, value]) => [key, value ?? []]))
    expect(full(filled)).toEqual(full(wanted))
  })

  test('what kubectl wrote anew meanwhile loses our entries all the same', () => {
    const rewritten = stringify(parse(withEntries(theirs, [entry], 'f')))
    expect(parse(withoutEntries(rewritten, [entry], 'f'))).toEqual(parse(theirs))
  })

  test('with no current context it has ours for as long as ours are in it', () => {
    const none = 'apiVersion: v1\nkind: Config\nclusters: null\nusers: []\ncurrent-context: ""\n'
    const merged = withEntries(none, [entry], 'f')
    expect(parse(merged)).toMatchObject({ 'current-context': 'hoop-k8s-prod', clusters: [{ name: 'hoop-k8s-prod' }] })
    expect(parse(withoutEntries(merged, [entry], 'f'))['current-context']).toBe('')
  })

  test.each([
    ['https://10.0.0.1', {}],
    ['http://127.0.0.1:17001', { 'certificate-authority': '/ca' }],
  ])('a cluster of our name that is not ours (%s %o) is left alone, and says so', (server, more) => {
    const text = JSON.stringify({ clusters: [{ name: entry.name, cluster: { server, ...more } }] })
    expect(() => withEntries(text, [entry], '/home/ana/.kube/config')).toThrow(
      '/home/ana/.kube/config has a cluster "hoop-k8s-prod" that hoop did not write',
    )
  })

  test.each([
    ['a: [', 'cannot read f'],
    ['- a list', 'it is not a mapping'],
    ['a: 1\na: 2', 'cannot read f'],
  ])('%j is not touched', (text, why) => {
    expect(() => withEntries(text, [entry], 'f')).toThrow(why)
  })
})

describe('files', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hoop-kubeconfig-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('theirs keeps its permissions and its link, has a copy beside it, and is as it was in the end', async () => {
    const real = join(folder, 'real')
    const file = join(folder, 'config')
    await writeFile(real, theirs, { mode: 0o640 })
    await symlink(real, file)
    const merged = await mergeInto(file, [entry])
    expect(parse(await readFile(real, 'utf8')).contexts).toHaveLength(2)
    expect((await stat(real)).mode & 0o777).toBe(0o640)
    expect(await readFile(merged.backup ?? '', 'utf8')).toBe(theirs)
    await merged.remove()
    expect(await readFile(real, 'utf8')).toBe(theirs)
  })

  test('what somebody changes there meanwhile stays', async () => {
    const file = join(folder, 'config')
    await writeFile(file, theirs)
    const merged = await mergeInto(file, [entry])
    await writeFile(file, (await readFile(file, 'utf8')).replace('current-context: work', 'current-context: other'))
    await merged.remove()
    expect(await readFile(file, 'utf8')).toBe(theirs.replace('current-context: work', 'current-context: other'))
  })

  test('a file that was not there is gone again', async () => {
    const file = join(folder, 'kube', 'config')
    const merged = await mergeInto(file, [entry])
    expect(merged.backup).toBeUndefined()
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await merged.remove()
    await expect(stat(file)).rejects.toThrow('ENOENT')
  })

  test('waits while kubectl writes, and gives up with the name of the lock', async () => {
    const file = join(folder, 'config')
    await writeFile(`${file}.lock`, '')
    await expect(mergeInto(file, [entry])).rejects.toMatchObject({ hint: expect.stringContaining(`${file}.lock`) })
    await expect(stat(file)).rejects.toThrow('ENOENT')
  })

  test('theirs is the first of KUBECONFIG that exists, or the last, or the one at home', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    expect(await ownKubeconfig(undefined, folder)).toBe(join(folder, '.kube', 'config'))
    expect(await ownKubeconfig(`${one}:${two}`, folder)).toBe(two)
    await writeFile(one, '')
    expect(await ownKubeconfig(`${join(folder, 'none')}:${one}:${two}`, folder)).toBe(one)
  })

  test('a session’s file is there for as long as it is, only for its owner, and named by every target of Kubernetes', async () => {
    const kube = (name: string, port: number): OpenTarget => ({
      target: { name, protocol: 'kubernetes', labels: {}, description: null, whyNot: null, defaults: {} },
      port,
      url: `http://127.0.0.1:${port}`,
      env: {},
      command: 'kubectl',
    })
    const options = { state: folder, gateway: 'https://gateway.test:7117', own: undefined }
    const session = await openKubeSession(options, [kube('one', 17001), kube('two', 17002)])
    const file = join(folder, 'kube', 'gateway.test_7117', 'hoop-one-17001.yaml')
    expect(session.file).toBe(file)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(session.targets.map(({ env }) => env)).toEqual([{ KUBECONFIG: file }, { KUBECONFIG: file }])
    expect(session.targets[1]?.command).toBe(`kubectl --kubeconfig ${file} --context hoop-two get pods`)
    await session.remove()
    await expect(stat(file)).rejects.toThrow('ENOENT')
  })

  test('--merge without a Kubernetes target is a mistake that is told', async () => {
    const options = { state: folder, gateway: 'https://gateway.test', own: join(folder, 'config') }
    await expect(openKubeSession(options, [])).rejects.toThrow('--merge is for Kubernetes targets')
  })
})
