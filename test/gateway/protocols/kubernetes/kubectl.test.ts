/** Real kubectls through the protocol, at a real API server: what they print, and what they may see. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../../../src/base/secret.ts'
import type { Command } from '../../../../src/contract/command.ts'
import type { Refusal } from '../../../../src/contract/refusal.ts'
import { type Cluster, hasCluster, startCluster } from '../../../support/cluster.ts'
import { type Kubectl, kubectlOf, kubectlsHere } from '../../../support/cluster/kubectl.ts'
import { createRecordingCheckpoint, type RecordingCheckpoint } from '../../../support/conversation.ts'
import { credentialOf } from '../../../support/credentials.ts'
import { type DoorWish, openTestDoor, withMasks } from './door.ts'

const password = 'correct horse battery staple'
const encoded = Buffer.from(password).toString('base64')

describe.skipIf(!hasCluster())('kubectl', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
    await cluster.runPod('web')
  }, 120_000)
  afterAll(() => cluster?.stop())

  interface Through {
    readonly kubectl: Kubectl
    readonly checkpoint: RecordingCheckpoint
  }

  /** kubectl, this program, through a door of its own. */
  async function through(
    program: string,
    judge: Parameters<typeof createRecordingCheckpoint>[0] = () => undefined,
    { preview, ...wish }: DoorWish & { readonly preview?: Parameters<typeof createRecordingCheckpoint>[1] } = {},
  ): Promise<Through> {
    const checkpoint = createRecordingCheckpoint(judge, preview)
    const door = await openTestDoor(cluster.port, {
      checkpoint: withMasks(checkpoint, {}),
      credential: credentialOf(new Secret(cluster.adminToken)),
      target: { tls: { mode: 'verify-full', ca: readFileSync(cluster.ca, 'utf8') } },
      ...wish,
    })
    const kubeconfig = join(cluster.folder, `door-${door.port}.kubeconfig`)
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${door.port}` } }],
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a', namespace: 'default' } }],
        users: [{ name: 'a', user: {} }],
        'current-context': 'a',
      }),
    )
    const home = join(cluster.folder, `home-${door.port}`)
    return { checkpoint, kubectl: kubectlOf(program, { KUBECONFIG: kubeconfig, HOME: home }) }
  }

  const denied: Refusal = {
    code: 'denied',
    message: 'refused: rule "never" denies it',
    next: 'ask ana',
    rule: 'never',
    command: 'cmd_7',
  }
  const sentence = 'refused: rule "never" denies it; ask ana (cmd_7)'
  const deny =
    (verb: string) =>
    (batch: readonly Command[]): Refusal | undefined =>
      batch.some((command) => command.verb === verb) ? denied : undefined
  const asked = (checkpoint: RecordingCheckpoint, verb: string) =>
    checkpoint.asked.filter((command) => command.verb === verb)

  describe.each(kubectlsHere())('$version', ({ program, version }) => {
    const minor = Number(version.split('.')[1])
    it.each([
      ['get', 'list pods', ['get', 'pods'], `Error from server (Forbidden): ${sentence}\n`],
      ['delete', 'delete pods', ['delete', 'pod', 'web'], `Error from server (Forbidden): ${sentence}\n`],
      // Newer ones say what it was that failed.
      [
        'exec',
        'create pods/exec',
        ['exec', 'web', '--', 'ls'],
        /^(?:Error from server \(Forbidden\)|error: unable to upgrade connection): (.*)\n$/,
      ],
      ['logs', 'get pods/log', ['logs', 'web'], `Error from server (Forbidden): ${sentence}\n`],
    ])('prints a refused %s as one sentence', async (_, verb, words, expected) => {
      const { kubectl, checkpoint } = await through(program, deny(verb))
      const { code, stdout, stderr } = await kubectl(words)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      if (typeof expected === 'string') expect(stderr).toBe(expected)
      else expect(expected.exec(stderr)?.[1]).toBe(sentence)
      expect(asked(checkpoint, verb)).toHaveLength(1)
    })

    it('prints a refused change with the file that it was for', async () => {
      const { kubectl } = await through(program, deny('create configmaps'))
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'refused' } })
      const { code, stderr } = await kubectl(['create', '-f', '-'], { input })
      expect(code).toBe(1)
      expect(stderr).toBe(`Error from server (Forbidden): error when creating "STDIN": ${sentence}\n`)
    })

    it('asks for a refused stream once, though it tries two protocols', async () => {
      const { kubectl, checkpoint } = await through(program, deny('create pods/exec'))
      for (let round = 1; round <= 2; round += 1) {
        const { stderr } = await kubectl(['exec', 'web', '--', 'ls'])
        expect(stderr).toContain(sentence)
        expect(asked(checkpoint, 'create pods/exec')).toHaveLength(round)
      }
    })

    it('runs what is allowed', async () => {
      const { kubectl, checkpoint } = await through(program)
      const { stdout, stderr, code } = await kubectl([
        'exec',
        'web',
        '--',
        'sh',
        '-c',
        'echo out; echo err >&2; exit 3',
      ])
      expect({ stdout, code }).toEqual({ stdout: 'out\n', code: 3 })
      expect(stderr).toMatch(/^err\n/)
      const [command] = asked(checkpoint, 'create pods/exec')
      expect(command?.actions.map(({ verb }) => verb)).toEqual([
        'create pods/exec',
        'exec sh',
        'exec echo',
        'exec echo',
        'exec exit',
      ])
    })

    // Older ones do not say what they read an object for.
    it.skipIf(minor < 22)('tells who is about to wait for people', async () => {
      const { kubectl } = await through(program, undefined, {
        preview: ({ verb }) => ({
          verdict: verb === 'create pods/exec' ? 'hold' : 'allow',
          rule: 'held',
          reason: 'rule "held" asks one of ops to approve it',
          config: '',
        }),
      })
      const { stderr } = await kubectl(['exec', 'web', '--', 'true'])
      expect(stderr).toContain(
        'Warning: hoop: create pods/exec default/web waits for people: rule "held" asks one of ops',
      )
      expect((await kubectl(['get', 'pod', 'web'])).stderr).toBe('')
    })

    describe('and Secrets', () => {
      const make = async () => {
        await cluster.kubectl(['delete', 'secret', 'db', '--ignore-not-found'])
        const made = await cluster.kubectl(['apply', '-f', '-'], {
          input: JSON.stringify({
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: 'db' },
            stringData: { password },
          }),
        })
        expect(made.code).toBe(0)
      }
      const kept = async () =>
        (await cluster.kubectl(['get', 'secret', 'db', '-o', 'jsonpath={.data.password}'])).stdout

      it.each([
        ['get', 'secret', 'db', '-o', 'yaml'],
        ['get', 'secret', 'db', '-o', 'json'],
        ['get', 'secrets', '-o', 'yaml'],
        ['get', 'secrets', '-A', '-o', 'json', '--show-managed-fields'],
        ['get', 'secret', 'db', '-o', 'jsonpath={.data}'],
        ['get', 'secret', 'db', '-o', 'go-template={{.data.password | base64decode}}'],
        ['get', '--raw', '/api/v1/namespaces/default/secrets/db'],
        ['get', '--raw', '/api/v1/watch/namespaces/default/secrets?timeoutSeconds=1'],
        ['get', 'secrets', '--watch', '-o', 'yaml', '--request-timeout=2s'],
        ['describe', 'secret', 'db'],
        ['apply', 'view-last-applied', 'secret', 'db'],
        ['label', 'secret', 'db', 'a=b', '--overwrite', '-o', 'yaml'],
        ['annotate', 'secret', 'db', 'a=b', '--overwrite', '-o', 'yaml'],
        ['patch', 'secret', 'db', '-p', '{"stringData":{"other":"x"}}', '-o', 'yaml'],
        ['patch', 'secret', 'db', '--dry-run=server', '-p', '{"metadata":{"labels":{"a":"b"}}}', '-o', 'json'],
      ])('does not see a value: kubectl %s %s %s %s %s', async (...words) => {
        await make()
        const { kubectl, checkpoint } = await through(program)
        // Before 1.21 they are always shown.
        const known = minor < 21 ? words.filter((word) => word !== '--show-managed-fields') : words
        const { stdout, stderr } = await kubectl(known)
        for (const text of [password, encoded]) {
          expect(stdout + stderr).not.toContain(text)
          expect(JSON.stringify([checkpoint.asked, checkpoint.outcomes])).not.toContain(text)
        }
        if (words.includes('yaml') || words.includes('json')) expect(stdout).toContain(btoa('masked by hoop'))
        expect(await kept()).toBe(encoded)
      })

      it.each([[[]], [['--server-side']]])('applies one, changed and unchanged, %s', async (how) => {
        await make()
        const { kubectl, checkpoint } = await through(program)
        const input = (stringData: object) =>
          JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' }, stringData })
        for (const value of [password, 'another value', password]) {
          const conflicts = how.length === 0 ? [] : ['--force-conflicts']
          const { code, stderr } = await kubectl(['apply', ...how, ...conflicts, '-f', '-'], {
            input: input({ password: value }),
          })
          expect({ code, stderr: stderr.replace(/^Warning:.*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
          expect(await kept()).toBe(btoa(value))
        }
        const said = JSON.stringify([checkpoint.asked, checkpoint.outcomes])
        for (const text of [password, encoded, 'another value', btoa('another value')]) expect(said).not.toContain(text)
      })

      it('does not write back what it could not see', async () => {
        await make()
        const { kubectl } = await through(program)
        const { stdout } = await kubectl(['get', 'secret', 'db', '-o', 'json'])
        const { code, stderr } = await kubectl(['replace', '-f', '-'], { input: stdout })
        expect(code).toBe(1)
        expect(stderr).toContain('it writes a masked value back')
        expect(await kept()).toBe(encoded)
      })

      it('sees them where the config says so, and the audit does not', async () => {
        await make()
        const { kubectl, checkpoint } = await through(program, undefined, { kubernetes: { secrets: 'show' } })
        const { stdout } = await kubectl(['get', 'secret', 'db', '-o', 'jsonpath={.data.password}'])
        expect(stdout).toBe(encoded)
        const [outcome] = checkpoint.outcomes.filter(({ text }) => text.includes('/secrets/db'))
        expect(outcome?.outcome.answer?.body?.text).toContain(btoa('masked by hoop'))
        expect(JSON.stringify(checkpoint.outcomes)).not.toContain(encoded)
      })

      it('keeps no token that it was given', async () => {
        await cluster.kubectl(['create', 'serviceaccount', 'ci'])
        const { kubectl, checkpoint } = await through(program)
        const { stdout, code } = await kubectl(['create', 'token', 'ci'])
        // kubectl 1.23 and older know no such command.
        if (code !== 0) return
        expect(stdout).toMatch(/^ey/)
        expect(JSON.stringify(checkpoint.outcomes)).not.toContain(stdout.trim())
      })
    })

    it.each([
      ['namespace', 'made'],
      ['configmap', 'made', '--from-literal=a=b'],
      ['secret', 'generic', 'made', `--from-literal=password=${password}`],
      ['serviceaccount', 'made'],
      ['deployment', 'made', '--image=nginx:1.27', '--replicas=2', '--', 'sh', '-c', 'sleep 1'],
      ['job', 'made', '--image=nginx:1.27'],
      ['cronjob', 'made', '--image=nginx:1.27', '--schedule=* * * * *'],
      ['role', 'made', '--verb=get,list', '--resource=pods'],
      ['clusterrole', 'made', '--verb=get', '--non-resource-url=/metrics'],
      ['rolebinding', 'made', '--clusterrole=view', '--user=ana'],
      ['clusterrolebinding', 'made', '--clusterrole=view', '--serviceaccount=default:made'],
      ['service', 'clusterip', 'made', '--tcp=80:8080'],
      ['service', 'nodeport', 'made-too', '--tcp=80:http'],
      ['quota', 'made', '--hard=cpu=1,memory=1Gi'],
      ['poddisruptionbudget', 'made', '--selector=a=b', '--min-available=50%'],
      ['priorityclass', 'made', '--value=10', '--description=why'],
      ['ingress', 'made', '--rule=a.test/x*=svc:80'],
    ])('creates what it says, in the form that it sends: %s', async (...words) => {
      const { kubectl, checkpoint } = await through(program)
      // Some know a kind only under another name, or do not know it.
      const local = await kubectl(['create', '--dry-run=client', '-o', 'json', ...words])
      expect(local.code, local.stderr).toBe(0)
      // Old ones write it in a version that no cluster of today serves.
      if (local.stdout.includes('"policy/v1beta1"') || local.stdout.includes('"batch/v1beta1"')) return
      const { code, stderr } = await kubectl(['create', '--dry-run=server', ...words])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const command = checkpoint.asked.find(({ verb }) => verb.startsWith('create '))
      expect(command?.facts.parsed, command?.text).toBe(true)
      expect(command?.text).not.toContain(encoded)
      if (words[0] === 'secret') return
      // What was read of the request is what kubectl itself writes as JSON, but for what is empty.
      const written = JSON.parse(command?.text.split('\n\n').slice(1).join('\n\n') ?? 'null')
      expect(filled(written)).toEqual(filled(JSON.parse(local.stdout)))
    })

    it('asks what it may, and who it is', async () => {
      const { kubectl, checkpoint } = await through(program)
      const { stdout } = await kubectl(['auth', 'can-i', 'delete', 'pods'])
      expect(stdout).toBe('yes\n')
      expect(asked(checkpoint, 'create selfsubjectaccessreviews')[0]?.facts).toMatchObject({
        kind: 'read',
        parsed: true,
      })
    })
  })

  it('is somebody to the cluster where the target acts as the person', async () => {
    const [{ program } = { program: 'kubectl' }] = kubectlsHere()
    await cluster.kubectl(['create', 'clusterrole', 'viewer', '--verb=get', '--resource=pods'])
    await cluster.kubectl(['create', 'clusterrolebinding', 'viewers', '--clusterrole=viewer', '--group=engineering'])
    const { kubectl } = await through(program, undefined, {
      kubernetes: { impersonate: true },
      credential: credentialOf(new Secret(cluster.impersonatorToken), {
        user: 'añа@acme.test',
        groups: ['ops', 'engineering', 'system:masters'],
      }),
    })
    expect(await kubectl(['get', 'pod', 'web', '-o', 'name'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: 'pod/web\n',
    })
    const { stderr } = await kubectl(['delete', 'pod', 'web'])
    expect(stderr).toContain('User "añа@acme.test" cannot delete resource "pods"')
    const event = (await cluster.audit()).find(({ impersonatedUser }) => impersonatedUser?.username === 'añа@acme.test')
    expect(event?.user.username).toBe('gateway')
    expect(event?.impersonatedUser?.groups).toEqual(expect.arrayContaining(['ops', 'engineering']))
    expect(event?.impersonatedUser?.groups).not.toContain('system:masters')
  })

  it('logs in with a client certificate', async () => {
    const [{ program } = { program: 'kubectl' }] = kubectlsHere()
    const { kubectl } = await through(program, undefined, {
      kubernetes: { login: 'certificate' },
      credential: credentialOf(new Secret(cluster.adminCertificate)),
    })
    expect(await kubectl(['get', 'pod', 'web', '-o', 'name'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: 'pod/web\n',
    })
  })
})

/** Without what is empty, zero or off: one form says so where the other says nothing. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, filled(inner)] as const)
      .filter(([, inner]) => inner !== '' && inner !== 0 && inner !== false && inner !== null && !isEmpty(inner)),
  )
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
