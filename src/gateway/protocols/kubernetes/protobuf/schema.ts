/**
 * The kinds that kubectl sends as protobuf, as their generated.proto files define them: of each message the number, name
 * and type of its fields. What stands in none of these is not understood.
 *
 * Types: `s` text, `i` integer, `b` switch, `y` bytes, `[]x` any number of x, `{x}` a map from names to x, a message's
 * name, and `-` for what a request has no reason to bring: it may be there only if it is empty. `+` in place of a name:
 * the fields of that message stand in this one.
 */

const messages = {
  Namespace: '1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status -',
  ObjectMeta: `
    1 name s, 2 generateName s, 3 namespace s, 4 selfLink s, 5 uid s, 6 resourceVersion s, 7 generation i,
    8 creationTimestamp Time, 9 deletionTimestamp Time, 10 deletionGracePeriodSeconds i, 11 labels {s},
    12 annotations {s}, 13 ownerReferences []OwnerReference, 14 finalizers []s, 17 managedFields -`,
  OwnerReference: '1 kind s, 3 name s, 4 uid s, 5 apiVersion s, 6 controller b, 7 blockOwnerDeletion b',
  NamespaceSpec: '1 finalizers []s',
  ConfigMap: '1 metadata ObjectMeta, 2 data {s}, 3 binaryData {y}, 4 immutable b',
  Secret: '1 metadata ObjectMeta, 2 data {y}, 3 type s, 4 stringData {s}, 5 immutable b',
  ServiceAccount: `
    1 metadata ObjectMeta, 2 secrets []ObjectReference, 3 imagePullSecrets []LocalObjectReference,
    4 automountServiceAccountToken b`,
  ObjectReference: '1 kind s, 2 namespace s, 3 name s, 4 uid s, 5 apiVersion s, 6 resourceVersion s, 7 fieldPath s',
  LocalObjectReference: '1 name s',
  Service: '1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status -',
  ServiceSpec: `
    1 ports []ServicePort, 2 selector {s}, 3 clusterIP s, 4 type s, 5 externalIPs []s, 7 sessionAffinity s,
    8 loadBalancerIP s, 9 loadBalancerSourceRanges []s, 10 externalName s, 11 externalTrafficPolicy s,
    12 healthCheckNodePort i, 13 publishNotReadyAddresses b, 14 sessionAffinityConfig SessionAffinityConfig,
    17 ipFamilyPolicy s, 18 clusterIPs []s, 19 ipFamilies []s, 20 allocateLoadBalancerNodePorts b,
    21 loadBalancerClass s, 22 internalTrafficPolicy s, 23 trafficDistribution s`,
  ServicePort: '1 name s, 2 protocol s, 3 port i, 4 targetPort IntOrString, 5 nodePort i, 6 appProtocol s',
  SessionAffinityConfig: '1 clientIP ClientIPConfig',
  ClientIPConfig: '1 timeoutSeconds i',
  Pod: '1 metadata ObjectMeta, 2 spec PodSpec, 3 status -',
  PodSpec: `
    1 volumes []Volume, 2 containers []Container, 3 restartPolicy s, 4 terminationGracePeriodSeconds i,
    5 activeDeadlineSeconds i, 6 dnsPolicy s, 7 nodeSelector {s}, 8 serviceAccountName s, 9 serviceAccount s,
    10 nodeName s, 11 hostNetwork b, 12 hostPID b, 13 hostIPC b, 14 securityContext PodSecurityContext,
    15 imagePullSecrets []LocalObjectReference, 16 hostname s, 17 subdomain s, 18 affinity Affinity,
    19 schedulerName s, 20 initContainers []Container, 21 automountServiceAccountToken b, 22 tolerations []Toleration,
    23 hostAliases []HostAlias, 24 priorityClassName s, 25 priority i, 26 dnsConfig PodDNSConfig,
    27 shareProcessNamespace b, 28 readinessGates []PodReadinessGate, 29 runtimeClassName s, 30 enableServiceLinks b,
    31 preemptionPolicy s, 32 overhead {Quantity}, 33 topologySpreadConstraints []TopologySpreadConstraint,
    34 ephemeralContainers -, 35 setHostnameAsFQDN b, 36 os PodOS, 37 hostUsers b,
    38 schedulingGates []PodSchedulingGate, 39 resourceClaims []PodResourceClaim, 40 resources ResourceRequirements`,
  Volume: '1 name s, 2 + VolumeSource',
  VolumeSource: `
    1 hostPath HostPathVolumeSource, 2 emptyDir EmptyDirVolumeSource, 3 gcePersistentDisk -, 4 awsElasticBlockStore -,
    5 gitRepo -, 6 secret SecretVolumeSource, 7 nfs NFSVolumeSource, 8 iscsi -, 9 glusterfs -,
    10 persistentVolumeClaim PersistentVolumeClaimVolumeSource, 11 rbd -, 12 flexVolume -, 13 cinder -, 14 cephfs -,
    15 flocker -, 16 downwardAPI DownwardAPIVolumeSource, 17 fc -, 18 azureFile -, 19 configMap ConfigMapVolumeSource,
    20 vsphereVolume -, 21 quobyte -, 22 azureDisk -, 23 photonPersistentDisk -, 24 portworxVolume -, 25 scaleIO -,
    26 projected ProjectedVolumeSource, 27 storageos -, 28 csi CSIVolumeSource, 29 ephemeral EphemeralVolumeSource,
    30 image ImageVolumeSource`,
  HostPathVolumeSource: '1 path s, 2 type s',
  EmptyDirVolumeSource: '1 medium s, 2 sizeLimit Quantity',
  SecretVolumeSource: '1 secretName s, 2 items []KeyToPath, 3 defaultMode i, 4 optional b',
  KeyToPath: '1 key s, 2 path s, 3 mode i',
  NFSVolumeSource: '1 server s, 2 path s, 3 readOnly b',
  PersistentVolumeClaimVolumeSource: '1 claimName s, 2 readOnly b',
  DownwardAPIVolumeSource: '1 items []DownwardAPIVolumeFile, 2 defaultMode i',
  DownwardAPIVolumeFile: '1 path s, 2 fieldRef ObjectFieldSelector, 3 resourceFieldRef ResourceFieldSelector, 4 mode i',
  ObjectFieldSelector: '1 apiVersion s, 2 fieldPath s',
  ResourceFieldSelector: '1 containerName s, 2 resource s, 3 divisor Quantity',
  ConfigMapVolumeSource: '1 + LocalObjectReference, 2 items []KeyToPath, 3 defaultMode i, 4 optional b',
  ProjectedVolumeSource: '1 sources []VolumeProjection, 2 defaultMode i',
  VolumeProjection: `
    1 secret SecretProjection, 2 downwardAPI DownwardAPIProjection, 3 configMap ConfigMapProjection,
    4 serviceAccountToken ServiceAccountTokenProjection, 5 clusterTrustBundle ClusterTrustBundleProjection`,
  SecretProjection: '1 + LocalObjectReference, 2 items []KeyToPath, 4 optional b',
  DownwardAPIProjection: '1 items []DownwardAPIVolumeFile',
  ConfigMapProjection: '1 + LocalObjectReference, 2 items []KeyToPath, 4 optional b',
  ServiceAccountTokenProjection: '1 audience s, 2 expirationSeconds i, 3 path s',
  ClusterTrustBundleProjection: '1 name s, 2 signerName s, 3 labelSelector LabelSelector, 4 path s, 5 optional b',
  LabelSelector: '1 matchLabels {s}, 2 matchExpressions []LabelSelectorRequirement',
  LabelSelectorRequirement: '1 key s, 2 operator s, 3 values []s',
  CSIVolumeSource: `
    1 driver s, 2 readOnly b, 3 fsType s, 4 volumeAttributes {s}, 5 nodePublishSecretRef LocalObjectReference`,
  EphemeralVolumeSource: '1 volumeClaimTemplate PersistentVolumeClaimTemplate',
  PersistentVolumeClaimTemplate: '1 metadata ObjectMeta, 2 spec PersistentVolumeClaimSpec',
  PersistentVolumeClaimSpec: `
    1 accessModes []s, 2 resources VolumeResourceRequirements, 3 volumeName s, 4 selector LabelSelector,
    5 storageClassName s, 6 volumeMode s, 7 dataSource TypedLocalObjectReference,
    8 dataSourceRef TypedObjectReference, 9 volumeAttributesClassName s`,
  VolumeResourceRequirements: '1 limits {Quantity}, 2 requests {Quantity}',
  TypedLocalObjectReference: '1 apiGroup s, 2 kind s, 3 name s',
  TypedObjectReference: '1 apiGroup s, 2 kind s, 3 name s, 4 namespace s',
  ImageVolumeSource: '1 reference s, 2 pullPolicy s',
  Container: `
    1 name s, 2 image s, 3 command []s, 4 args []s, 5 workingDir s, 6 ports []ContainerPort, 7 env []EnvVar,
    8 resources ResourceRequirements, 9 volumeMounts []VolumeMount, 10 livenessProbe Probe, 11 readinessProbe Probe,
    12 lifecycle Lifecycle, 13 terminationMessagePath s, 14 imagePullPolicy s, 15 securityContext SecurityContext,
    16 stdin b, 17 stdinOnce b, 18 tty b, 19 envFrom []EnvFromSource, 20 terminationMessagePolicy s,
    21 volumeDevices []VolumeDevice, 22 startupProbe Probe, 23 resizePolicy []ContainerResizePolicy,
    24 restartPolicy s`,
  ContainerPort: '1 name s, 2 hostPort i, 3 containerPort i, 4 protocol s, 5 hostIP s',
  EnvVar: '1 name s, 2 value s, 3 valueFrom EnvVarSource',
  EnvVarSource: `
    1 fieldRef ObjectFieldSelector, 2 resourceFieldRef ResourceFieldSelector, 3 configMapKeyRef ConfigMapKeySelector,
    4 secretKeyRef SecretKeySelector`,
  ConfigMapKeySelector: '1 + LocalObjectReference, 2 key s, 3 optional b',
  SecretKeySelector: '1 + LocalObjectReference, 2 key s, 3 optional b',
  ResourceRequirements: '1 limits {Quantity}, 2 requests {Quantity}, 3 claims []ResourceClaim',
  ResourceClaim: '1 name s, 2 request s',
  VolumeMount: `
    1 name s, 2 readOnly b, 3 mountPath s, 4 subPath s, 5 mountPropagation s, 6 subPathExpr s, 7 recursiveReadOnly s`,
  Probe: `
    1 + ProbeHandler, 2 initialDelaySeconds i, 3 timeoutSeconds i, 4 periodSeconds i, 5 successThreshold i,
    6 failureThreshold i, 7 terminationGracePeriodSeconds i`,
  ProbeHandler: '1 exec ExecAction, 2 httpGet HTTPGetAction, 3 tcpSocket TCPSocketAction, 4 grpc GRPCAction',
  ExecAction: '1 command []s',
  HTTPGetAction: '1 path s, 2 port IntOrString, 3 host s, 4 scheme s, 5 httpHeaders []HTTPHeader',
  HTTPHeader: '1 name s, 2 value s',
  TCPSocketAction: '1 port IntOrString, 2 host s',
  GRPCAction: '1 port i, 2 service s',
  Lifecycle: '1 postStart LifecycleHandler, 2 preStop LifecycleHandler',
  LifecycleHandler: '1 exec ExecAction, 2 httpGet HTTPGetAction, 3 tcpSocket TCPSocketAction, 4 sleep SleepAction',
  SleepAction: '1 seconds i',
  SecurityContext: `
    1 capabilities Capabilities, 2 privileged b, 3 seLinuxOptions SELinuxOptions, 4 runAsUser i, 5 runAsNonRoot b,
    6 readOnlyRootFilesystem b, 7 allowPrivilegeEscalation b, 8 runAsGroup i, 9 procMount s,
    10 windowsOptions WindowsSecurityContextOptions, 11 seccompProfile SeccompProfile,
    12 appArmorProfile AppArmorProfile`,
  Capabilities: '1 add []s, 2 drop []s',
  SELinuxOptions: '1 user s, 2 role s, 3 type s, 4 level s',
  WindowsSecurityContextOptions: `
    1 gmsaCredentialSpecName s, 2 gmsaCredentialSpec s, 3 runAsUserName s, 4 hostProcess b`,
  SeccompProfile: '1 type s, 2 localhostProfile s',
  AppArmorProfile: '1 type s, 2 localhostProfile s',
  EnvFromSource: '1 prefix s, 2 configMapRef ConfigMapEnvSource, 3 secretRef SecretEnvSource',
  ConfigMapEnvSource: '1 + LocalObjectReference, 2 optional b',
  SecretEnvSource: '1 + LocalObjectReference, 2 optional b',
  VolumeDevice: '1 name s, 2 devicePath s',
  ContainerResizePolicy: '1 resourceName s, 2 restartPolicy s',
  PodSecurityContext: `
    1 seLinuxOptions SELinuxOptions, 2 runAsUser i, 3 runAsNonRoot b, 4 supplementalGroups []i, 5 fsGroup i,
    6 runAsGroup i, 7 sysctls []Sysctl, 8 windowsOptions WindowsSecurityContextOptions, 9 fsGroupChangePolicy s,
    10 seccompProfile SeccompProfile, 11 appArmorProfile AppArmorProfile, 12 supplementalGroupsPolicy s,
    13 seLinuxChangePolicy s`,
  Sysctl: '1 name s, 2 value s',
  Affinity: '1 nodeAffinity NodeAffinity, 2 podAffinity PodAffinity, 3 podAntiAffinity PodAntiAffinity',
  NodeAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution NodeSelector,
    2 preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm`,
  NodeSelector: '1 nodeSelectorTerms []NodeSelectorTerm',
  NodeSelectorTerm: '1 matchExpressions []NodeSelectorRequirement, 2 matchFields []NodeSelectorRequirement',
  NodeSelectorRequirement: '1 key s, 2 operator s, 3 values []s',
  PreferredSchedulingTerm: '1 weight i, 2 preference NodeSelectorTerm',
  PodAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm,
    2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm`,
  PodAffinityTerm: `
    1 labelSelector LabelSelector, 2 namespaces []s, 3 topologyKey s, 4 namespaceSelector LabelSelector,
    5 matchLabelKeys []s, 6 mismatchLabelKeys []s`,
  WeightedPodAffinityTerm: '1 weight i, 2 podAffinityTerm PodAffinityTerm',
  PodAntiAffinity: `
    1 requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm,
    2 preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm`,
  Toleration: '1 key s, 2 operator s, 3 value s, 4 effect s, 5 tolerationSeconds i',
  HostAlias: '1 ip s, 2 hostnames []s',
  PodDNSConfig: '1 nameservers []s, 2 searches []s, 3 options []PodDNSConfigOption',
  PodDNSConfigOption: '1 name s, 2 value s',
  PodReadinessGate: '1 conditionType s',
  TopologySpreadConstraint: `
    1 maxSkew i, 2 topologyKey s, 3 whenUnsatisfiable s, 4 labelSelector LabelSelector, 5 minDomains i,
    6 nodeAffinityPolicy s, 7 nodeTaintsPolicy s, 8 matchLabelKeys []s`,
  PodOS: '1 name s',
  PodSchedulingGate: '1 name s',
  PodResourceClaim: '1 name s, 3 resourceClaimName s, 4 resourceClaimTemplateName s',
  ResourceQuota: '1 metadata ObjectMeta, 2 spec ResourceQuotaSpec, 3 status -',
  ResourceQuotaSpec: '1 hard {Quantity}, 2 scopes []s, 3 scopeSelector ScopeSelector',
  ScopeSelector: '1 matchExpressions []ScopedResourceSelectorRequirement',
  ScopedResourceSelectorRequirement: '1 scopeName s, 2 operator s, 3 values []s',
  Binding: '1 metadata ObjectMeta, 2 target ObjectReference',
  PersistentVolumeClaim: '1 metadata ObjectMeta, 2 spec PersistentVolumeClaimSpec, 3 status -',
  Deployment: '1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status -',
  DeploymentSpec: `
    1 replicas i, 2 selector LabelSelector, 3 template PodTemplateSpec, 4 strategy DeploymentStrategy,
    5 minReadySeconds i, 6 revisionHistoryLimit i, 7 paused b, 9 progressDeadlineSeconds i`,
  PodTemplateSpec: '1 metadata ObjectMeta, 2 spec PodSpec',
  DeploymentStrategy: '1 type s, 2 rollingUpdate RollingUpdateDeployment',
  RollingUpdateDeployment: '1 maxUnavailable IntOrString, 2 maxSurge IntOrString',
  Job: '1 metadata ObjectMeta, 2 spec JobSpec, 3 status -',
  JobSpec: `
    1 parallelism i, 2 completions i, 3 activeDeadlineSeconds i, 4 selector LabelSelector, 5 manualSelector b,
    6 template PodTemplateSpec, 7 backoffLimit i, 8 ttlSecondsAfterFinished i, 9 completionMode s, 10 suspend b,
    11 podFailurePolicy PodFailurePolicy, 12 backoffLimitPerIndex i, 13 maxFailedIndexes i, 14 podReplacementPolicy s,
    15 managedBy s, 16 successPolicy SuccessPolicy`,
  PodFailurePolicy: '1 rules []PodFailurePolicyRule',
  PodFailurePolicyRule: `
    1 action s, 2 onExitCodes PodFailurePolicyOnExitCodesRequirement,
    3 onPodConditions []PodFailurePolicyOnPodConditionsPattern`,
  PodFailurePolicyOnExitCodesRequirement: '1 containerName s, 2 operator s, 3 values []i',
  PodFailurePolicyOnPodConditionsPattern: '1 type s, 2 status s',
  SuccessPolicy: '1 rules []SuccessPolicyRule',
  SuccessPolicyRule: '1 succeededIndexes s, 2 succeededCount i',
  CronJob: '1 metadata ObjectMeta, 2 spec CronJobSpec, 3 status -',
  CronJobSpec: `
    1 schedule s, 2 startingDeadlineSeconds i, 3 concurrencyPolicy s, 4 suspend b, 5 jobTemplate JobTemplateSpec,
    6 successfulJobsHistoryLimit i, 7 failedJobsHistoryLimit i, 8 timeZone s`,
  JobTemplateSpec: '1 metadata ObjectMeta, 2 spec JobSpec',
  Role: '1 metadata ObjectMeta, 2 rules []PolicyRule',
  PolicyRule: '1 verbs []s, 2 apiGroups []s, 3 resources []s, 4 resourceNames []s, 5 nonResourceURLs []s',
  ClusterRole: '1 metadata ObjectMeta, 2 rules []PolicyRule, 3 aggregationRule AggregationRule',
  AggregationRule: '1 clusterRoleSelectors []LabelSelector',
  RoleBinding: '1 metadata ObjectMeta, 2 subjects []Subject, 3 roleRef RoleRef',
  Subject: '1 kind s, 2 apiGroup s, 3 name s, 4 namespace s',
  RoleRef: '1 apiGroup s, 2 kind s, 3 name s',
  ClusterRoleBinding: '1 metadata ObjectMeta, 2 subjects []Subject, 3 roleRef RoleRef',
  PodDisruptionBudget: '1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec, 3 status -',
  PodDisruptionBudgetSpec: `
    1 minAvailable IntOrString, 2 selector LabelSelector, 3 maxUnavailable IntOrString, 4 unhealthyPodEvictionPolicy s`,
  Eviction: '1 metadata ObjectMeta, 2 deleteOptions DeleteOptions',
  DeleteOptions: `
    1 gracePeriodSeconds i, 2 preconditions Preconditions, 3 orphanDependents b, 4 propagationPolicy s, 5 dryRun []s,
    6 ignoreStoreReadErrorWithClusterBreakingPotential b`,
  Preconditions: '1 uid s, 2 resourceVersion s',
  PriorityClass: '1 metadata ObjectMeta, 2 value i, 3 globalDefault b, 4 description s, 5 preemptionPolicy s',
  Ingress: '1 metadata ObjectMeta, 2 spec IngressSpec, 3 status -',
  IngressSpec: '1 defaultBackend IngressBackend, 2 tls []IngressTLS, 3 rules []IngressRule, 4 ingressClassName s',
  IngressBackend: '3 resource TypedLocalObjectReference, 4 service IngressServiceBackend',
  IngressServiceBackend: '1 name s, 2 port ServiceBackendPort',
  ServiceBackendPort: '1 name s, 2 number i',
  IngressTLS: '1 hosts []s, 2 secretName s',
  IngressRule: '1 host s, 2 + IngressRuleValue',
  IngressRuleValue: '1 http HTTPIngressRuleValue',
  HTTPIngressRuleValue: '1 paths []HTTPIngressPath',
  HTTPIngressPath: '1 path s, 2 backend IngressBackend, 3 pathType s',
  SelfSubjectReview: '1 metadata ObjectMeta, 2 status -',
  TokenRequest: '1 metadata ObjectMeta, 2 spec TokenRequestSpec, 3 status -',
  TokenRequestSpec: '1 audiences []s, 3 boundObjectRef BoundObjectReference, 4 expirationSeconds i',
  BoundObjectReference: '1 kind s, 2 apiVersion s, 3 name s, 4 uid s',
  SelfSubjectAccessReview: '1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec, 3 status -',
  SelfSubjectAccessReviewSpec: '1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes',
  ResourceAttributes: `
    1 namespace s, 2 verb s, 3 group s, 4 version s, 5 resource s, 6 subresource s, 7 name s,
    8 fieldSelector FieldSelectorAttributes, 9 labelSelector LabelSelectorAttributes`,
  FieldSelectorAttributes: '1 rawSelector s, 2 requirements []FieldSelectorRequirement',
  FieldSelectorRequirement: '1 key s, 2 operator s, 3 values []s',
  LabelSelectorAttributes: '1 rawSelector s, 2 requirements []LabelSelectorRequirement',
  NonResourceAttributes: '1 path s, 2 verb s',
  SelfSubjectRulesReview: '1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec, 3 status -',
  SelfSubjectRulesReviewSpec: '1 namespace s',
  SubjectAccessReview: '1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec, 3 status -',
  SubjectAccessReviewSpec: `
    1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes, 3 user s, 4 groups []s,
    5 extra -, 6 uid s`,
  LocalSubjectAccessReview: '1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec, 3 status -',
  CertificateSigningRequest: '1 metadata ObjectMeta, 2 spec CertificateSigningRequestSpec, 3 status -',
  CertificateSigningRequestSpec: `
    1 request y, 2 username s, 3 uid s, 4 groups []s, 5 usages []s, 6 extra -, 7 signerName s, 8 expirationSeconds i`,
  Scale: '1 metadata ObjectMeta, 2 spec ScaleSpec, 3 status -',
  ScaleSpec: '1 replicas i',
  HorizontalPodAutoscaler: '1 metadata ObjectMeta, 2 spec HorizontalPodAutoscalerSpec, 3 status -',
  HorizontalPodAutoscalerSpec: `
    1 scaleTargetRef CrossVersionObjectReference, 2 minReplicas i, 3 maxReplicas i, 4 targetCPUUtilizationPercentage i`,
  CrossVersionObjectReference: '1 kind s, 2 name s, 3 apiVersion s',
  HorizontalPodAutoscalerV2: '1 metadata ObjectMeta, 2 spec HorizontalPodAutoscalerSpecV2, 3 status -',
  HorizontalPodAutoscalerSpecV2: `
    1 scaleTargetRef CrossVersionObjectReferenceV2, 2 minReplicas i, 3 maxReplicas i, 4 metrics []MetricSpec,
    5 behavior -`,
  CrossVersionObjectReferenceV2: '1 kind s, 2 name s, 3 apiVersion s',
  MetricSpec: `
    1 type s, 2 object ObjectMetricSource, 3 pods PodsMetricSource, 4 resource ResourceMetricSource,
    5 external ExternalMetricSource, 7 containerResource ContainerResourceMetricSource`,
  ObjectMetricSource: `
    1 describedObject CrossVersionObjectReferenceV2, 2 target MetricTarget, 3 metric MetricIdentifier`,
  MetricTarget: '1 type s, 2 value Quantity, 3 averageValue Quantity, 4 averageUtilization i',
  MetricIdentifier: '1 name s, 2 selector LabelSelector',
  PodsMetricSource: '1 metric MetricIdentifier, 2 target MetricTarget',
  ResourceMetricSource: '1 name s, 2 target MetricTarget',
  ExternalMetricSource: '1 metric MetricIdentifier, 2 target MetricTarget',
  ContainerResourceMetricSource: '1 name s, 2 target MetricTarget, 3 container s',
} as const satisfies Readonly<Record<string, string>>

/** By the API version that a body says, the kinds that are understood. */
const kinds: Readonly<Record<string, readonly (keyof typeof messages)[]>> = {
  v1: [
    'Binding',
    'ConfigMap',
    'DeleteOptions',
    'Namespace',
    'PersistentVolumeClaim',
    'Pod',
    'ResourceQuota',
    'Secret',
    'Service',
    'ServiceAccount',
  ],
  'apps/v1': ['Deployment'],
  'authentication.k8s.io/v1': ['SelfSubjectReview', 'TokenRequest'],
  'authorization.k8s.io/v1': [
    'LocalSubjectAccessReview',
    'SelfSubjectAccessReview',
    'SelfSubjectRulesReview',
    'SubjectAccessReview',
  ],
  'autoscaling/v1': ['HorizontalPodAutoscaler', 'Scale'],
  'batch/v1': ['CronJob', 'Job'],
  'certificates.k8s.io/v1': ['CertificateSigningRequest'],
  'networking.k8s.io/v1': ['Ingress'],
  'policy/v1': ['DeleteOptions', 'Eviction', 'PodDisruptionBudget'],
  'rbac.authorization.k8s.io/v1': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
  'scheduling.k8s.io/v1': ['PriorityClass'],
}

export interface FieldType {
  /** `+`: its fields stand in the message around it. */
  readonly name: string
  readonly type: string
  readonly many: 'one' | 'list' | 'map'
}

export type MessageType = ReadonlyMap<number, FieldType>

export function typeOfKind(apiVersion: string, kind: string): MessageType | undefined {
  if (apiVersion === 'autoscaling/v2' && kind === 'HorizontalPodAutoscaler') return typeOf('HorizontalPodAutoscalerV2')
  const known: readonly string[] = Object.hasOwn(kinds, apiVersion) ? (kinds[apiVersion] ?? []) : []
  return known.includes(kind) ? typeOf(kind) : undefined
}

const read = new Map<string, MessageType>()

/** undefined: not a message of these. */
export function typeOf(name: string): MessageType | undefined {
  const known = read.get(name)
  if (known !== undefined) return known
  if (!Object.hasOwn(messages, name)) return undefined
  // Its own name was just looked up.
  const type = new Map(messages[name as keyof typeof messages].split(',').map(fieldOf))
  read.set(name, type)
  return type
}

function fieldOf(text: string): readonly [number, FieldType] {
  const [number = '', name = '', given = ''] = text.trim().split(' ')
  const many = given.startsWith('[]') ? 'list' : given.startsWith('{') ? 'map' : 'one'
  return [Number(number), { name, type: given.replace(/^\[\]|[{}]/g, ''), many }]
}
