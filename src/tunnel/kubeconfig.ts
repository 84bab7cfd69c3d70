/**
 * The kubeconfig of one tunnel: a context `hoop-NAME` for each Kubernetes target, whose server is the local port. It holds no
 * credential: the link is authenticated already, and over plain HTTP clients send none anyway.
 */
import type { TargetInfo } from '../contract/api.ts'

export interface KubeTarget {
  readonly target: Pick<TargetInfo, 'name' | 'protocol'>
  readonly port: number
}

/** One cluster, one user and one context, all of one name. */
export interface KubeEntry {
  readonly name: string
  readonly server: string
}

export function kubeEntriesOf(targets: readonly KubeTarget[]): readonly KubeEntry[] {
  return targets
    .filter(({ target }) => target.protocol === 'kubernetes')
    .map(({ target, port }) => ({ name: contextOf(target.name), server: `http://127.0.0.1:${port}` }))
}

export function contextOf(target: string): string {
  return `hoop-${target}`
}

/**
 * The port is in its name: a target keeps its port, so a shell that was told of the file finds it again next time; and a second
 * tunnel to the target, which gets another port, has another file.
 */
export function kubeconfigName([first]: readonly KubeEntry[]): string | undefined {
  return first === undefined ? undefined : `${first.name}-${new URL(first.server).port}.yaml`
}

/** JSON is YAML: no name can end a line or begin another. */
export function kubeconfigText(entries: readonly KubeEntry[]): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': entries[0]?.name ?? '',
    clusters: entries.map(clusterOf),
    users: entries.map(userOf),
    contexts: entries.map(contextOfEntry),
  }
  return `# Written by "hoop connect", and removed when it ends.\n${JSON.stringify(config, undefined, 2)}\n`
}

export function clusterOf({ name, server }: KubeEntry) {
  return { name, cluster: { server } }
}

export function userOf({ name }: KubeEntry) {
  return { name, user: {} }
}

export function contextOfEntry({ name }: KubeEntry) {
  return { name, context: { cluster: name, user: name } }
}
