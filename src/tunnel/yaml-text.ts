/**
 * A YAML (or JSON) mapping that is changed in place: items of its lists come and go, and every other letter stays. A parser that
 * writes the document anew would keep its meaning but not the person's way of writing it.
 */
import { isMap, isScalar, isSeq, type Node, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'

export interface YamlText {
  readonly text: string
  get(key: string): unknown
  itemsOf(list: string): readonly unknown[]
  set(key: string, value: string): void
  addTo(list: string, item: object): void
  removeFrom(list: string, isGone: (item: unknown) => boolean): void
}

/** Throws where the text is no mapping, or no YAML. */
export function openYaml(original: string): YamlText {
  const end = original.includes('\r\n') ? '\r\n' : '\n'
  let text = original
  let map = read(text)

  function replace(from: number, to: number, by: string): void {
    text = text.slice(0, from) + by + text.slice(to)
    map = read(text)
  }

  function addKey(key: string, value: string): void {
    const last = map.items.at(-1)
    if (map.flow) {
      const [, close] = rangeOf(map)
      replace(close - 1, close - 1, `${last === undefined ? '' : ', '}${JSON.stringify(key)}: ${value}`)
    } else {
      const gap = text === '' || text.endsWith('\n') ? '' : end
      replace(text.length, text.length, `${gap}${key}: ${value}${end}`)
    }
  }

  function seqOf(list: string): YAMLSeq | undefined {
    const found = map.get(list, true)
    return isSeq(found) ? found : undefined
  }

  function lineStart(at: number): number {
    return text.lastIndexOf('\n', at - 1) + 1
  }

  return {
    get text() {
      return text
    },
    get: (key) => map.get(key),
    itemsOf: (list) => (seqOf(list)?.toJSON() as readonly unknown[] | undefined) ?? [],
    set(key, value) {
      const found = map.get(key, true)
      if (!isScalar(found)) return addKey(key, JSON.stringify(value))
      const [from, to] = rangeOf(found)
      replace(from, to, `${text[from - 1] === ':' ? ' ' : ''}${JSON.stringify(value)}`)
    },
    addTo(list, item) {
      const json = JSON.stringify(item)
      const found = map.get(list, true)
      const last = isSeq(found) ? (found.items.at(-1) as Node | undefined) : undefined
      if (found === undefined) addKey(list, `[${json}]`)
      else if (!isSeq(found) || last === undefined) {
        const [from, to] = rangeOf(found)
        replace(from, to, `${text[from - 1] === ':' ? ' ' : ''}[${json}]`)
      } else if (found.flow) replace(rangeOf(last)[1], rangeOf(last)[1], `, ${json}`)
      else {
        const [from, , after] = rangeOf(last)
        const indent = /^ */.exec(text.slice(lineStart(from)))?.[0] ?? ''
        const gap = text.slice(0, after).endsWith('\n') ? '' : end
        replace(after, after, `${gap}${indent}- ${json}${end}`)
      }
    },
    removeFrom(list, isGone) {
      for (;;) {
        const items = (seqOf(list)?.items ?? []) as readonly Node[]
        const at = items.findIndex((item) => isGone(item.toJSON()))
        const [gone, previous, next] = [items[at], items[at - 1], items[at + 1]]
        if (gone === undefined) return
        const [from, to, after] = rangeOf(gone)
        if (!seqOf(list)?.flow) replace(lineStart(from), after, '')
        else if (previous !== undefined) replace(rangeOf(previous)[1], to, '')
        else replace(from, next === undefined ? to : rangeOf(next)[0], '')
      }
    },
  }
}

function read(text: string): YAMLMap {
  const document = parseDocument(text)
  const [mistake] = document.errors
  if (mistake !== undefined) throw mistake
  if (!isMap(document.contents)) throw new Error('it is not a mapping')
  return document.contents
}

/** Start, end, and end with what belongs to it behind it (a comment, the end of its line). */
function rangeOf(node: unknown): readonly [number, number, number] {
  const range = (node as Node).range
  if (!range) throw new Error('it has no place in the text')
  return range
}
