/**
 * The cluster that the person's own kubeconfig points to, for `hoop demo --k8s`: its address and the credential, which moves
 * into files of the demo. Says in one sentence why there is none that the demo can use.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { once } from 'node:events'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { reasonOf } from '../base/errors.ts'
import { hoopError } from '../contract/error-codes.ts'

export interface OwnCluster {
  readonly context: string
  readonly host: string
  readonly port: number
  /** Files of the demo. */
  readonly caFile: string
  readonly secretFile: string
  readonly login: 'token' | 'certificate'
}

const named = <Shape extends z.ZodRawShape>(shape: Shape) => z.array(z.object({ name: z.string(), ...shape })).nullish()
const kubeconfigSchema = z.object({
  'current-context': z.string().nullish(),
  clusters: named({
    cluster: z.object({
      server: z.string(),
      'certificate-authority': z.string().optional(),
      'certificate-authority-data': z.string().optional(),
    }),
  }),
  contexts: named({ context: z.object({ cluster: z.string(), user: z.string() }) }),
  users: named({
    user: z.object({
      token: z.string().optional(),
      tokenFile: z.string().optional(),
      'client-certificate': z.string().optional(),
      'client-certificate-data': z.string().optional(),
      'client-key': z.string().optional(),
      'client-key-data': z.string().optional(),
    }),
  }),
})
type User = NonNullable<z.infer<typeof kubeconfigSchema>['users']>[number]['user']

const patienceMs = 5000

/** Throws `usage` where the demo cannot use it. `file` is the kubeconfig, `folder` where the credential is put. */
export async function findOwnCluster(file: string, folder: string): Promise<OwnCluster> {
  const config = await readConfig(file)
  const name = config['current-context'] ?? ''
  const context = config.contexts?.find((one) => one.name === name)?.context
  const cluster = config.clusters?.find((one) => one.name === context?.cluster)?.cluster
  const user = config.users?.find((one) => one.name === context?.user)?.user
  if (context === undefined || cluster === undefined || user === undefined)
    throw unusable(`${file} has no current context that is complete`)
  const server = URL.canParse(cluster.server) ? new URL(cluster.server) : undefined
  if (server?.protocol !== 'https:' || server.pathname !== '/')
    throw unusable(`the server of context "${name}" is ${cluster.server}, which is not https://HOST:PORT`)
  const ca = await pem(file, cluster['certificate-authority-data'], cluster['certificate-authority'])
  if (ca === undefined) throw unusable(`context "${name}" names no certificate authority`)
  const { login, secret } = await credentialOf(file, name, user)

  const host = server.hostname.replace(/^\[|\]$/g, '')
  const port = Number(server.port || 443)
  await reach({ host, port, ca, login, secret })
  const [caFile, secretFile] = [join(folder, 'cluster-ca.pem'), join(folder, 'cluster-credential')]
  await writeFile(caFile, ca)
  await writeFile(secretFile, secret, { mode: 0o600 })
  return { context: name, host, port, caFile, secretFile, login }
}

async function readConfig(file: string): Promise<z.infer<typeof kubeconfigSchema>> {
  try {
    return kubeconfigSchema.parse(parse(await readFile(file, 'utf8')))
  } catch (error) {
    throw unusable(
      `cannot read the kubeconfig ${file} (${error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error)})`,
      error,
    )
  }
}

async function credentialOf(
  file: string,
  name: string,
  user: User,
): Promise<Pick<OwnCluster, 'login'> & { secret: string }> {
  const cert = await pem(file, user['client-certificate-data'], user['client-certificate'])
  const key = await pem(file, user['client-key-data'], user['client-key'])
  if (cert !== undefined && key !== undefined) return { login: 'certificate', secret: `${cert.trimEnd()}\n${key}` }
  const token = user.token ?? (user.tokenFile === undefined ? undefined : await beside(file, user.tokenFile))
  if (token !== undefined) return { login: 'token', secret: token.trim() }
  throw unusable(`the user of context "${name}" has neither token nor client certificate`)
}

/** Of data in the file itself, or of a file that is named from where it is. */
async function pem(file: string, data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data !== undefined) return Buffer.from(data, 'base64').toString()
  return path === undefined ? undefined : beside(file, path)
}

async function beside(file: string, path: string): Promise<string> {
  try {
    return await readFile(resolve(dirname(file), path), 'utf8')
  } catch (error) {
    throw unusable(`cannot read ${path}, which ${file} names (${reasonOf(error)})`, error)
  }
}

interface Reach extends Pick<OwnCluster, 'host' | 'port' | 'login'> {
  readonly ca: string
  readonly secret: string
}

async function reach({ host, port, ca, login, secret }: Reach): Promise<void> {
  const proof = login === 'token' ? { headers: { authorization: `Bearer ${secret}` } } : { cert: secret, key: secret }
  const signal = AbortSignal.timeout(patienceMs)
  let status: number
  try {
    const asked = request({ host, port, path: '/version', ca, agent: false, signal, ...proof }).end()
    const [answer] = await once(asked, 'response')
    answer.resume()
    status = answer.statusCode
  } catch (error) {
    throw unusable(
      `cannot reach the cluster at ${host}:${port} (${signal.aborted ? 'timed out' : reasonOf(error)})`,
      error,
    )
  }
  if (status === 401) throw unusable(`the cluster at ${host}:${port} does not take the credential`)
}

function unusable(message: string, cause?: unknown) {
  return hoopError('usage', message, {
    cause,
    hint: 'leave out --k8s, or see docs/kubernetes.md for a target with another kind of login',
  })
}
