/**
 * The shell grammar of mvdan/sh (https://github.com/mvdan/sh), compiled to WebAssembly. Loaded once, and then synchronous:
 * an instance is made anew, in a few milliseconds, after a text broke it and before its heap is full.
 *
 * What it tells of a text is little: where its statements are, and the words of redirections with their parts. The
 * commands themselves are not in its answer.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const position = z.object({ Offset: z.number() })
const node = z.object({ Pos: position, End: position })
const statement = z.object({
  Pos: position,
  Background: z.boolean(),
  Redirs: z.array(z.object({ Word: node.extend({ Parts: z.array(node) }) })),
})
const answer = z.object({ file: z.object({ Stmts: z.array(statement) }), parseError: z.unknown(), message: z.string() })

export type ParsedStatement = z.infer<typeof statement>

export interface Parser {
  /** The statements of a text that holds one byte a character; undefined where the grammar does not accept it. */
  statements(text: string): readonly ParsedStatement[] | undefined
}

/** The exports of sh-syntax's module that are used; processor.js of that package shows how. */
interface Exports {
  readonly memory: WebAssembly.Memory
  wasmAlloc(bytes: number): number
  process(...settings: (number | boolean)[]): number
}

interface GoProgram {
  readonly importObject: WebAssembly.Imports
  run(instance: WebAssembly.Instance): Promise<number | undefined>
}

/**
 * Its heap begins with 10 MiB, and the collector that runs when that is full breaks it. One text takes some kilobytes, and
 * some hundred bytes for each of its own.
 */
const heapBudget = 6 * 1024 * 1024
const perText = 6 * 1024
const perByte = 100
const bash = 1

export async function createParser(): Promise<Parser> {
  loaded ??= load()
  const { Go, module } = await loaded
  let left = 0
  let wasm = start()

  function start(): Exports {
    left = heapBudget
    const go = new Go()
    const instance = new WebAssembly.Instance(module, go.importObject)
    // It ends when the program does, which is never; what goes wrong in it shows in the calls.
    go.run(instance).catch(() => undefined)
    // What a WebAssembly module exports has no types; processor.js of the package calls them so.
    return instance.exports as unknown as Exports
  }

  function parse(text: string): unknown {
    const bytes = Buffer.from(text, 'latin1')
    const cost = perText + perByte * bytes.length
    if (left < cost && left < heapBudget) wasm = start()
    left -= cost
    const place = wasm.wasmAlloc(bytes.length + 1)
    new Uint8Array(wasm.memory.buffer).set(bytes, place)
    const length = bytes.length
    const none = [place, 0, 0] as const
    // Name, text, print, comments, language, where to stop, errors to pass over; the rest is about printing.
    const result = wasm.process(...none, place, length, length, false, false, bash, ...none, 0, false, 2, ...printing)
    const memory = Buffer.from(wasm.memory.buffer)
    return JSON.parse(memory.toString('utf8', result, memory.indexOf(0, result)))
  }

  return {
    statements(text) {
      try {
        const { file, parseError, message } = answer.parse(parse(text))
        return (parseError ?? null) === null && message === '' ? file.Stmts : undefined
      } catch {
        // Fail closed: a text that breaks the parser (by its depth) is none that it accepted. Its memory is lost.
        wasm = start()
        return undefined
      }
    },
  }
}

const printing = Array<boolean>(7).fill(false)

interface Loaded {
  readonly Go: new () => GoProgram
  readonly module: WebAssembly.Module
}

/** Once a process: importing the loader again does nothing. */
let loaded: Promise<Loaded> | undefined

async function load(): Promise<Loaded> {
  const bytes = await readFile(fileURLToPath(import.meta.resolve('sh-syntax/main.wasm')))
  return { Go: await loadGo(), module: await WebAssembly.compile(bytes) }
}

/** The package's loader sets globals, which nothing else in this program shall come upon. */
async function loadGo(): Promise<new () => GoProgram> {
  const before = new Set(Object.getOwnPropertyNames(globalThis))
  await import('sh-syntax/vendors/wasm_exec')
  const Go: unknown = Reflect.get(globalThis, 'Go')
  for (const name of ['Go', 'fs', 'require']) if (!before.has(name)) Reflect.deleteProperty(globalThis, name)
  if (typeof Go !== 'function') throw new Error('the loader of sh-syntax is not as expected')
  // It is TinyGo's; vendors/wasm_exec.cjs of the package has the class.
  return Go as unknown as new () => GoProgram
}
