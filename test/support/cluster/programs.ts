/**
 * The programs of a real cluster (kube-apiserver, etcd, kubectl, and the kubelet of test/cluster), built from their sources by
 * Go once for all: they stay in the cache folder under the hash of what they are built from. `npm run build:cluster` does it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPaths } from '../../../src/base/paths.ts'

const sources = fileURLToPath(new URL('../../cluster/', import.meta.url))

/** Package → the name that `go build` gives its program. */
const packages = {
  './kubelet': 'kubelet',
  'go.etcd.io/etcd/server/v3': 'server',
  'k8s.io/kubernetes/cmd/kube-apiserver': 'kube-apiserver',
  'k8s.io/kubernetes/cmd/kubectl': 'kubectl',
} as const

export interface Programs {
  readonly apiServer: string
  readonly etcd: string
  readonly kubelet: string
  readonly kubectl: string
}

/** undefined: not built yet. */
export function findPrograms(): Programs | undefined {
  const folder = place()
  if (!existsSync(folder)) return undefined
  return {
    apiServer: join(folder, 'kube-apiserver'),
    etcd: join(folder, 'server'),
    kubelet: join(folder, 'kubelet'),
    kubectl: join(folder, 'kubectl'),
  }
}

/** Takes minutes, once. `say` is told what goes on. */
export async function buildPrograms(say: (line: string) => void): Promise<void> {
  const folder = place()
  if (existsSync(folder)) return say(`the cluster's programs are there: ${folder}`)
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0)
    throw new Error('building a cluster for the tests needs Go 1.26 or newer: install it and run this again')
  const draft = `${folder}.${randomBytes(6).toString('hex')}`
  await mkdir(draft, { recursive: true })
  try {
    say('building kube-apiserver, etcd, kubectl and a kubelet; this takes minutes, and is done once')
    // -v names each package when it is through.
    const flags = ['-v', '-trimpath', '-buildvcs=false', `-ldflags=${linkFlags()}`]
    const child = spawn('go', ['build', ...flags, '-o', `${draft}/`, ...Object.keys(packages)], {
      cwd: sources,
      env: { ...process.env, GOWORK: 'off' },
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    const ended = once(child, 'close')
    const last = await follow(child.stderr, say)
    const [code] = await ended
    if (code !== 0) throw new Error(`go build failed:\n${last}`)
    // Whoever built the same meanwhile was as good.
    await rename(draft, folder).catch((error) => {
      if (!existsSync(folder)) throw error
    })
    say(`built: ${folder}`)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Counts packages aloud; gives back the last lines, which say what is wrong if something is. */
async function follow(stderr: AsyncIterable<Buffer>, say: (line: string) => void): Promise<string> {
  let tail = ''
  let count = 0
  for await (const chunk of stderr) {
    const before = count
    count += chunk.toString().split('\n').length - 1
    tail = `${tail}${chunk}`.slice(-4000)
    if (Math.floor(count / 100) > Math.floor(before / 100)) say(`${count} steps done`)
  }
  return tail
}

/** No debugging symbols; and the version, which Kubernetes' own release scripts write into it. */
function linkFlags(): string {
  const [, version = '', major = '', minor = ''] =
    /k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)/.exec(readFileSync(join(sources, 'go.mod'), 'utf8')) ?? []
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor }
  const set = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return ['-s', '-w', ...set].join(' ')
}

function place(): string {
  const hash = createHash('sha256').update(linkFlags())
  const kubelet = join(sources, 'kubelet')
  const files = ['go.mod', 'go.sum', ...readdirSync(kubelet, { encoding: 'utf8' }).map((name) => join('kubelet', name))]
  for (const file of files.toSorted()) hash.update(`${file}\n`).update(readFileSync(join(sources, file)))
  const { cache } = createPaths(process.env, homedir())
  return join(cache, 'test-cluster', hash.digest('hex').slice(0, 16))
}
