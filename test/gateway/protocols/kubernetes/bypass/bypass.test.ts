/** Every attempt of the corpus at a real API server, through the protocol: what counts is what becomes of the cluster. */
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Secret } from '../../../../../src/base/secret.ts'
import type { Command } from '../../../../../src/contract/command.ts'
import type { Refusal } from '../../../../../src/contract/refusal.ts'
import { type Cluster, hasCluster, startCluster } from '../../../../support/cluster.ts'
import { createRecordingCheckpoint, type Door } from '../../../../support/conversation.ts'
import { credentialOf } from '../../../../support/credentials.ts'
import { openTestDoor } from '../door.ts'
import { type Attempt, attempts, honest } from './corpus.ts'
import { careful, judgeUnder, trusting } from './rules.ts'

const password = 'correct horse battery staple'
const encoded = Buffer.from(password).toString('base64')

/** What is held is not approved here: everything has to be as it was. */
function refusing(rules: readonly unknown[]): (batch: readonly Command[]) => Refusal | undefined {
  const judge = judgeUnder(rules)
  return (batch) => {
    const stopped = batch.map((command) => judge(command).decision).find(({ verdict }) => verdict !== 'allow')
    if (stopped === undefined) return undefined
    return { code: 'denied', message: `${stopped.verdict}: ${stopped.reason}`, next: 'ask' }
  }
}

/** By hand, byte for byte, so that nothing of it is put right by a client. What is heard until the other side closes. */
async function ask(port: number, { line, fields = [], body, type, upgrade }: Attempt): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  const parts: Buffer[] = []
  socket.on('data', (bytes: Buffer) => parts.push(bytes))
  socket.on('error', () => undefined)
  const bytes =
    body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'latin1')
  const head = [
    `${line} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    ...(upgrade === undefined ? ['Connection: close'] : ['Connection: Upgrade', `Upgrade: ${upgrade}`]),
    ...(upgrade === 'websocket' ? ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${btoa('0123456789abcdef')}`] : []),
    ...fields.map(([name, value]) => `${name}: ${value}`),
    ...(bytes === undefined ? [] : [`Content-Type: ${type ?? 'application/json'}`, `Content-Length: ${bytes.length}`]),
  ]
  socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes ?? Buffer.alloc(0)]))
  // A watch goes on, and so does what was upgraded, until its client has heard enough.
  const enough = setTimeout(() => socket.destroy(), upgrade === undefined ? 3000 : 1500)
  await once(socket, 'close')
  clearTimeout(enough)
  return Buffer.concat(parts).toString('latin1')
}

describe.skipIf(!hasCluster())('at a real API server', () => {
  let cluster: Cluster
  let before: string

  beforeAll(async () => {
    cluster = await startCluster()
    const make = async (...words: string[]) => {
      const { code, stderr } = await cluster.kubectl(words)
      if (code !== 0) throw new Error(stderr)
    }
    for (const namespace of ['prod', 'dev']) await make('create', 'namespace', namespace)
    for (const name of ['db', 'other'])
      await make('-n', 'prod', 'create', 'secret', 'generic', name, `--from-literal=password=${password}`)
    await make('-n', 'prod', 'create', 'configmap', 'victim', '--from-literal=a=b')
    await make('-n', 'dev', 'create', 'configmap', 'own', '--from-literal=a=b')
    await make('-n', 'prod', 'create', 'deployment', 'victim', '--image=a')
    await make('-n', 'dev', 'create', 'deployment', 'app', '--image=a')
    await cluster.runPod('web', { namespace: 'prod' })
    await writeFile(join(podFolder(), 'victim'), 'precious\n')
    before = await state()
    expect(before).toContain('precious')
  }, 180_000)
  afterAll(() => cluster?.stop())

  const podFolder = () => join(cluster.pods, 'prod', 'web', 'main')

  /** Everything in `prod` and the rights that there are; changes by controllers there are none. */
  async function state(): Promise<string> {
    const kinds = 'secrets,configmaps,deployments,rolebindings,serviceaccounts'
    const { stdout } = await cluster.kubectl([
      'get',
      kinds,
      '-n',
      'prod',
      '-o',
      'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}',
    ])
    const { stdout: pods } = await cluster.kubectl([
      'get',
      'pods,rolebindings',
      '-A',
      '-o',
      'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.deletionTimestamp}{"\\n"}{end}',
    ])
    const file = existsSync(join(podFolder(), 'victim')) && readFileSync(join(podFolder(), 'victim'), 'utf8')
    return `${stdout}${pods}${file}`
  }

  async function openDoor(rules: readonly unknown[]): Promise<Door> {
    return await openTestDoor(cluster.port, {
      checkpoint: createRecordingCheckpoint(refusing(rules)),
      credential: credentialOf(new Secret(cluster.adminToken)),
      target: { tls: { mode: 'verify-full', ca: readFileSync(cluster.ca, 'utf8') } },
    })
  }

  it('what is not allowed does nothing, and what is allowed reaches it', async () => {
    const { port } = await openDoor(careful)
    for (const attempt of [...honest, ...attempts]) {
      const heard = await ask(port, attempt)
      const isRefused =
        /^HTTP\/1\.1 (?:4\d\d|50\d)[\s\S]*"reason":"hoop"/.test(heard) ||
        /^HTTP\/1\.1 40[05] .*\r\n(?![\s\S]*"apiVersion")/.test(heard)
      // An answer to HEAD has no body, and says so by its status alone.
      const isSeen = attempt.line.startsWith('HEAD') ? /^HTTP\/1\.1 403/.test(heard) : isRefused
      expect({ ...attempt, refused: isSeen }, heard.slice(0, 1000)).toEqual({
        ...attempt,
        refused: attempt.verdict !== 'allow',
      })
      expect(heard).not.toContain(encoded)
      expect(heard).not.toContain(password)
    }
    expect(await state()).toBe(before)
  }, 180_000)

  it('no value of a Secret is seen, whatever is allowed', async () => {
    const { port } = await openDoor(trusting)
    const secrets = attempts.filter(({ line }) => /secrets/i.test(line))
    for (const attempt of secrets) {
      const heard = await ask(port, attempt)
      expect(heard, attempt.line).not.toContain(encoded)
      expect(heard, attempt.line).not.toContain(password)
    }
    const { stdout } = await cluster.kubectl([
      'get',
      'secrets',
      'db',
      'other',
      '-n',
      'prod',
      '-o',
      'jsonpath={.items[*].data.password}',
    ])
    expect(stdout).toBe(`${encoded} ${encoded}`)
  }, 180_000)

  it('the API server knows nobody but the gateway', async () => {
    const audit = await cluster.audit()
    const foreign = audit.filter(
      ({ user, impersonatedUser }) => impersonatedUser !== undefined || /mallory/.test(user.username),
    )
    expect(foreign).toEqual([])
  })
})
