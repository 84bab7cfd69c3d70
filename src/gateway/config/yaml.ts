/** YAML text as a value that remembers where each of its parts stands in the file. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import type { Path } from './mistakes.ts'

interface Place {
  readonly line: number
  readonly column: number
}

export interface YamlText {
  readonly value: unknown
  /** Where the thing at this path stands; where it is missing, the nearest thing around it. */
  place(path: Path, atKey?: boolean): Place
  /** What is not YAML at all. */
  readonly flaws: readonly (Place & { readonly message: string })[]
}

export function readYaml(text: string): YamlText {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const flaws = document.errors.map(({ pos, message }) => ({ ...at(pos[0]), message }))

  let value: unknown
  if (flaws.length === 0)
    try {
      value = document.toJS({ maxAliasCount: 100 })
    } catch (error) {
      // Aliases of aliases of aliases: a small file that would become a huge value.
      flaws.push({ line: 1, column: 1, message: error instanceof Error ? error.message : String(error) })
    }

  function resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(document) : node
  }

  function place(path: Path, atKey = false): Place {
    let node: unknown = resolve(document.contents)
    let offset = startOf(node) ?? 0
    for (const [depth, step] of path.entries()) {
      if (isMap(node)) {
        const pair: Pair | undefined = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
        if (pair === undefined) break
        const last = depth === path.length - 1
        offset = (last && atKey ? undefined : startOf(pair.value)) ?? startOf(pair.key) ?? offset
        node = resolve(pair.value)
      } else if (isSeq(node) && typeof step === 'number') {
        offset = startOf(node.items[step]) ?? offset
        node = resolve(node.items[step])
      } else break
    }
    return at(offset)
  }

  return { value, place, flaws }
}

function startOf(node: unknown): number | undefined {
  const range = (node as Partial<Node> | null | undefined)?.range
  return range === null || range === undefined ? undefined : range[0]
}
