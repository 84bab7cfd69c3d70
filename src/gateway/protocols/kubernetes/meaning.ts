/** What verbs and resources amount to: how far they reach, and how much they touch. Pure. */
import type { Facts, Kind } from '../../../contract/command.ts'
import type { ResourceCall } from './api-call.ts'

type Reach = Facts['reaches'][number]

/** Groups that Kubernetes itself serves: their resources are named without them, whichever version of a group serves one. */
const ownGroups: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
])

/**
 * Resources by which one gains rights, changes what others may do, or changes the cluster itself. Names only: who serves
 * a `clusterroles` of its own (OpenShift does) means the same.
 */
const adminResources: ReadonlySet<string> = new Set([
  'apiservices',
  'bindings',
  'certificatesigningrequests',
  'clusterrolebindings',
  'clusterroles',
  'clustertrustbundles',
  'csidrivers',
  'csinodes',
  'customresourcedefinitions',
  'flowschemas',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'mutatingwebhookconfigurations',
  'nodes',
  'podsecuritypolicies',
  'prioritylevelconfigurations',
  'rolebindings',
  'roles',
  'runtimeclasses',
  'securitycontextconstraints',
  'storageversionmigrations',
  'tokenreviews',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'validatingwebhookconfigurations',
  'volumeattachments',
])

/** To create one is to ask a question. */
const questions: ReadonlySet<string> = new Set([
  'localsubjectaccessreviews',
  'selfsubjectaccessreviews',
  'selfsubjectreviews',
  'selfsubjectrulesreviews',
  'subjectaccessreviews',
])

/** Subresources that are no more than a part of their object, or a plain change of it. Any other is `admin`. */
const plainSubresources: ReadonlySet<string> = new Set(['', 'eviction', 'log', 'resize', 'rollback', 'scale', 'status'])

/** Without a namespace in their path because they have none; any other is then asked for in all namespaces. */
const clusterResources: ReadonlySet<string> = new Set([
  'apiservices',
  'certificatesigningrequests',
  'clusterrolebindings',
  'clusterroles',
  'clustertrustbundles',
  'componentstatuses',
  'csidrivers',
  'csinodes',
  'customresourcedefinitions',
  'deviceclasses',
  'flowschemas',
  'ingressclasses',
  'ipaddresses',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'mutatingwebhookconfigurations',
  'namespaces',
  'nodes',
  'persistentvolumes',
  'priorityclasses',
  'prioritylevelconfigurations',
  'resourceslices',
  'runtimeclasses',
  'selfsubjectaccessreviews',
  'selfsubjectreviews',
  'selfsubjectrulesreviews',
  'servicecidrs',
  'storageclasses',
  'storageversionmigrations',
  'storageversions',
  'subjectaccessreviews',
  'tokenreviews',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'validatingwebhookconfigurations',
  'volumeattachments',
  'volumeattributesclasses',
])

/** With a namespace, everything in it goes; with a definition, every object of its kind. */
const cascades: ReadonlySet<string> = new Set(['namespaces', 'customresourcedefinitions'])

/** What a stream of its own is opened for: the verb is one, however it is asked for (WebSocket: GET, SPDY: POST). */
export const streams: readonly string[] = ['exec', 'attach', 'portforward']

export function isStream({ group, resource, subresource }: ResourceCall): boolean {
  return group === '' && resource === 'pods' && streams.includes(subresource)
}

export function isSecret({ group, resource }: ResourceCall): boolean {
  return group === '' && resource === 'secrets'
}

/** `create pods/exec`, `delete deployments`, `create services.serving.knative.dev`. */
export function verbOf(call: ResourceCall): string {
  const { group, resource, subresource } = call
  const qualified = ownGroups.has(group) ? resource : `${resource}.${group}`
  return `${isStream(call) ? 'create' : call.verb} ${qualified}${subresource === '' ? '' : `/${subresource}`}`
}

export function kindOf({ verb, resource, subresource }: ResourceCall): Kind {
  if (!plainSubresources.has(subresource)) return 'admin'
  if (['get', 'list', 'watch'].includes(verb)) return 'read'
  if (verb === 'create' && questions.has(resource)) return 'read'
  return adminResources.has(resource) ? 'admin' : 'write'
}

export function reachesOf(call: ResourceCall): readonly Reach[] {
  const { resource, subresource } = call
  if (subresource === 'exec' || subresource === 'attach' || subresource === 'ephemeralcontainers') return ['program']
  // What stands behind a node is its kubelet, which starts programs too.
  if (subresource === 'proxy') return resource === 'nodes' ? ['network', 'program', 'server'] : ['network']
  return subresource === 'portforward' ? ['network'] : []
}

export function isUnbounded({ verb, resource, subresource }: ResourceCall): boolean {
  return verb === 'deletecollection' || (verb === 'delete' && subresource === '' && cascades.has(resource))
}

/** `prod/api-7f`, `prod/*`; `*` stands for all that there are. `named`: by the object itself, where the path does not. */
export function objectOf({ namespace, resource, name }: ResourceCall, named: string | undefined): string {
  const last = name || named || '*'
  if (namespace !== '' && resource !== 'namespaces') return `${namespace}/${last}`
  return last === '*' && !clusterResources.has(resource) ? '*/*' : last
}
