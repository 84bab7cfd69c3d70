/** Processes below a process, as the system tells: for servers whose connections are processes that outlive them. */
import { readdirSync, readFileSync } from 'node:fs'

/** Nothing where there is no /proc: what is left there ends when its client goes. */
export function descendantsOf(root: number | undefined): readonly number[] {
  if (root === undefined) return []
  const children = new Map<number, number[]>()
  for (const { pid, parent } of processes()) children.set(parent, [...(children.get(parent) ?? []), pid])
  const found: number[] = []
  const wanted = [root]
  for (let at = wanted.pop(); at !== undefined; at = wanted.pop()) {
    const below = children.get(at) ?? []
    found.push(...below)
    wanted.push(...below)
  }
  return found
}

function processes(): readonly { readonly pid: number; readonly parent: number }[] {
  return numbersIn('/proc').flatMap((pid) => {
    try {
      // `pid (any name) state parent …`
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      return [{ pid, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }]
    } catch {
      // It ended while we looked.
      return []
    }
  })
}

function numbersIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .map(Number)
      .filter((number) => Number.isInteger(number))
  } catch {
    return []
  }
}
