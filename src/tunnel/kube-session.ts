/** The Kubernetes targets of one `hoop connect` as kubectl finds them: one kubeconfig, and the person's own if they want that. */
import { hoopError } from '../contract/error-codes.ts'
import { gatewayFolder } from './ssh-files.ts'
import { kubeconfigPath, type Merged, mergeInto, writeKubeconfig } from './kube-files.ts'
import { contextOf, kubeEntriesOf } from './kubeconfig.ts'
import { shellQuote } from './client-config.ts'
import type { OpenTarget } from './tunnel.ts'

export interface KubeSession {
  /** All targets; those of Kubernetes with the file in their environment and command. */
  readonly targets: readonly OpenTarget[]
  /** undefined: there is no Kubernetes target. */
  readonly file: string | undefined
  readonly merged: Merged | undefined
  remove(): Promise<void>
}

export interface KubeSessionOptions {
  readonly state: string
  readonly gateway: string
  /** The person's own kubeconfig, if our contexts are to be in it, too. */
  readonly own: string | undefined
}

export async function openKubeSession(
  { state, gateway, own }: KubeSessionOptions,
  targets: readonly OpenTarget[],
): Promise<KubeSession> {
  const entries = kubeEntriesOf(targets)
  const file = kubeconfigPath(gatewayFolder(state, 'kube', gateway), entries)
  if (file === undefined && own !== undefined)
    throw hoopError('usage', '--merge is for Kubernetes targets, and none of these is one')
  if (file === undefined) return { targets, file, merged: undefined, remove: () => Promise.resolve() }
  const remove = await writeKubeconfig(file, entries)
  let merged: Merged | undefined
  try {
    merged = own === undefined ? undefined : await mergeInto(own, entries)
  } catch (error) {
    await remove()
    throw error
  }
  return {
    targets: targets.map((open) => (open.target.protocol === 'kubernetes' ? inFile(open, file) : open)),
    file,
    merged,
    async remove() {
      await remove()
      await merged?.remove()
    },
  }
}

function inFile(open: OpenTarget, file: string): OpenTarget {
  const words = ['kubectl', '--kubeconfig', file, '--context', contextOf(open.target.name), 'get', 'pods']
  return { ...open, env: { ...open.env, KUBECONFIG: file }, command: words.map(shellQuote).join(' ') }
}
