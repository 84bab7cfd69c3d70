/**
 * What in an object (or in a patch of one) reaches out of its pod to the machine below: a pod that is granted this is more
 * than a pod. Looked for at any depth, because pods stand in many kinds of objects and patches begin anywhere. Pure.
 */
import { stepsOf } from '../../../base/json-pointer.ts'
import type { PatchForm } from './body.ts'
import { at, isObject, type Json, type Leaf, leavesOf, textAt } from './json.ts'

/** One line each: `runs privileged`, `mounts /etc of the node`. */
export function powersIn(value: Json, patch: PatchForm | undefined): readonly string[] {
  const leaves = patch === 'json-patch' ? operationLeaves(value) : [...leavesOf(value)]
  return [...new Set(leaves.flatMap((leaf) => powerOf(leaf) ?? []))]
}

const switches: Readonly<Record<string, string>> = {
  privileged: 'runs privileged',
  allowPrivilegeEscalation: 'may gain privileges',
  hostNetwork: 'uses the network of the node',
  hostPID: 'sees the processes of the node',
  hostIPC: 'shares memory with the node',
}

function powerOf({ path, value }: Leaf): string | undefined {
  const name = path.at(-1) ?? ''
  const around = path.at(-2)
  // Whatever is not plainly off counts: what stands for true differs between readers.
  if (Object.hasOwn(switches, name) && !isSetting(path))
    return value === false || value === null ? undefined : switches[name]
  if (name === 'path' && around === 'hostPath') return `mounts ${String(value)} of the node`
  if (path.includes('capabilities') && path.includes('add')) return `has the capability ${String(value)}`
  if (name === 'hostPort' && value !== 0 && value !== null) return `takes port ${String(value)} of the node`
  if (name === 'procMount' && value === 'Unmasked') return 'sees /proc of the node unmasked'
  if (name === 'hostProcess' && value !== false && value !== null) return 'runs as a process of the node'
  return undefined
}

/** Names that people choose: what stands in labels and annotations, and in a ConfigMap, grants nothing. */
function isSetting(path: readonly string[]): boolean {
  return (
    path.some((step) => step === 'labels' || step === 'annotations' || step === 'matchLabels') || path[0] === 'data'
  )
}

/** Each operation's value, at the place that its path names. */
function operationLeaves(value: Json): readonly Leaf[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((operation: Json) => {
    const brought = isObject(operation) ? at(operation, 'value') : undefined
    return brought === undefined ? [] : [...leavesOf(brought, stepsOf(textAt(operation, 'path') ?? ''))]
  })
}
