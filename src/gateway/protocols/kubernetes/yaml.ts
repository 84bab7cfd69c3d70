/**
 * YAML as the API server reads it (YAML 1.1, then JSON). Only what has one reading: one document of plain mappings, lists
 * and scalars. Anchors, tags, merge keys and names that are no text are refused; whoever sends JSON needs none of this. Pure.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, parseAllDocuments } from 'yaml'
import type { Json } from './json.ts'

export function readYaml(bytes: Uint8Array): Json | undefined {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
  const documents = parseAllDocuments(text, { version: '1.1', uniqueKeys: true, merge: false, strict: true })
  if (!Array.isArray(documents) || documents.length !== 1) return undefined
  const [document] = documents
  if (document === undefined || document.errors.length > 0 || document.warnings.length > 0) return undefined
  return plainValue(document.contents)
}

function plainValue(node: unknown): Json | undefined {
  // What the parser makes is one of its nodes; anything else is not looked at.
  if (!isPlain(node)) return undefined
  if (isScalar(node)) return scalar(node.value)
  if (isSeq(node)) {
    const values = node.items.map(plainValue)
    return values.every((value) => value !== undefined) ? values : undefined
  }
  if (!isMap(node)) return undefined
  const members: [string, Json][] = []
  for (const { key, value } of node.items) {
    const inner = value === null ? null : plainValue(value)
    if (!isPlain(key) || !isScalar(key) || typeof key.value !== 'string' || key.value === '<<' || inner === undefined)
      return undefined
    members.push([key.value, inner])
  }
  return Object.fromEntries(members)
}

function isPlain(node: unknown): node is Node {
  if (!isScalar(node) && !isSeq(node) && !isMap(node)) return false
  return !isAlias(node) && node.anchor === undefined && node.tag === undefined
}

function scalar(value: unknown): Json | undefined {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value) ? (value as Json) : undefined
}
