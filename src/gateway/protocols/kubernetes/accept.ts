/**
 * In which form a client wants its answer. Only JSON can be masked: it is asked for wherever the client takes it, and
 * kubectl takes it everywhere. YAML is given as JSON, which is YAML. Pure.
 */
import { lines, type RequestHead } from '../http/index.ts'

const unmaskable = /protobuf|cbor/i
const yaml = /^application\/(?:x-)?yaml\b/i

/** Does it take something that can be masked? Without a word it takes anything. */
export function takesJson({ fields }: RequestHead): boolean {
  const wanted = lines(fields, 'accept').flatMap(typesIn)
  return wanted.length === 0 || wanted.some((type) => !unmaskable.test(type))
}

/** What cannot be masked is not asked for; nothing else changes, neither parameters (`as=Table`) nor the order. */
export function askingForJson(head: RequestHead): RequestHead {
  if (!takesJson(head)) return head
  const fields = head.fields.flatMap(([name, value]): [string, string][] => {
    if (name.toLowerCase() !== 'accept') return [[name, value]]
    const kept = typesIn(value).flatMap((type) => (unmaskable.test(type) ? [] : [yaml.test(type) ? json : type]))
    return kept.length === 0 ? [] : [[name, kept.join(', ')]]
  })
  return { ...head, fields }
}

const json = 'application/json'

function typesIn(value: string): readonly string[] {
  return value
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== '')
}
