/** Whose time it was: every sample of a profile goes to one part of the gateway, by file and function. Pure. */
import type { Profile } from './read.ts'

export const parts = [
  'syscalls and other native code',
  'framing',
  'parsing',
  'policy',
  'audit',
  'serialisation',
  'masks',
  'link and streams',
  'runtime and garbage collection',
] as const
export type Part = (typeof parts)[number]

type Frame = Profile['nodes'][number]['callFrame']

/** First match wins. Folders rather than files where that is enough, so that a renamed file stays where it belongs. */
const byUrl: readonly (readonly [RegExp, Part])[] = [
  [/\/gateway\/protocols\/postgres\/masking\/|\/gateway\/policy\/(mask|detectors|suspicion|iban|cloud-keys)/, 'masks'],
  [/\/gateway\/policy\//, 'policy'],
  [/\/gateway\/protocols\/postgres\/sql\/|libpg-query|^wasm:/, 'parsing'],
  [/\/gateway\/(audit|store|checkpoint)|\/contract\/(chain|record)|better-sqlite3/, 'audit'],
  [/\/gateway\/protocols\//, 'framing'],
  [/\/gateway\/server\/|\/gateway\/sessions\/|\/base\/[^/]*stream|node_modules\/(ws|fastify)\//, 'link and streams'],
  [/^node:(internal\/)?(http2|_?http|net|tls|stream|streams|events|js_stream)/, 'link and streams'],
  [/^node:internal\/(http2|http|net|tls|streams|js_stream_socket|stream_base_commons)/, 'link and streams'],
]

/** Functions without a file that say themselves what they do. Others belong to whoever called them. */
const byName: ReadonlyMap<string, Part> = new Map([
  ['(program)', 'syscalls and other native code'],
  ['(garbage collector)', 'runtime and garbage collection'],
  ['(root)', 'runtime and garbage collection'],
  ...['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String', 'writeAsciiString', 'shutdown'].map(
    pair('syscalls and other native code'),
  ),
  ...['fdatasync', 'fdatasyncSync', 'fsync', 'fsyncSync', 'writeBuffers', 'readStart', 'readStop'].map(
    pair('syscalls and other native code'),
  ),
  ...['stringify', 'parse', 'serialize', 'deserialize', 'postMessage', 'structuredClone'].map(pair('serialisation')),
])

function pair(part: Part): (name: string) => readonly [string, Part] {
  return (name) => [name, part]
}

/** Waiting is nobody's work. */
const idle = new Set(['(idle)'])

/** undefined: it was idle. */
export function partOf(frame: Frame, callers: readonly Frame[]): Part | undefined {
  if (idle.has(frame.functionName)) return undefined
  const named = frame.url === '' ? byName.get(frame.functionName) : undefined
  if (named !== undefined) return named
  for (const one of [frame, ...callers]) {
    const found = byUrl.find(([pattern]) => pattern.test(one.url))
    if (found !== undefined) return found[1]
  }
  return 'runtime and garbage collection'
}

/** `span` in milliseconds of the same clock: what came before it is the start of a program, not its work. */
export function sharesOf(
  profiles: readonly Profile[],
  span: { readonly from: number; readonly to: number },
): ReadonlyMap<Part, number> {
  const micros = new Map<Part, number>(parts.map((part) => [part, 0]))
  for (const profile of profiles) {
    const partOfNode = classify(profile)
    let at = profile.startTime
    profile.samples.forEach((node, index) => {
      const took = profile.timeDeltas[index] ?? 0
      at += took
      const part = partOfNode.get(node)
      if (part !== undefined && at >= span.from * 1000 && at <= span.to * 1000)
        micros.set(part, (micros.get(part) ?? 0) + took)
    })
  }
  const total = [...micros.values()].reduce((sum, one) => sum + one, 0)
  if (total === 0) throw new Error('the profiles hold nothing of the time that was measured')
  return new Map([...micros].map(([part, one]) => [part, one / total]))
}

function classify({ nodes }: Profile): ReadonlyMap<number, Part | undefined> {
  const nodeOf = new Map(nodes.map((node) => [node.id, node]))
  const callerOf = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id] as const)))
  return new Map(
    nodes.map(({ id, callFrame }) => {
      const callers: Frame[] = []
      for (let at = callerOf.get(id); at !== undefined; at = callerOf.get(at)) {
        const caller = nodeOf.get(at)
        if (caller !== undefined) callers.push(caller.callFrame)
      }
      return [id, partOf(callFrame, callers)]
    }),
  )
}
