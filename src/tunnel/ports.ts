/**
 * Which local port a target gets: the same one next time, so that a saved connection in a client program keeps working.
 * Derived from gateway and target, so that it is the same on a fresh machine too; remembered where another was used.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hoopError } from '../contract/error-codes.ts'

export interface Ports {
  /**
   * Listens on the best port that is free. `instead` is the port this target had last time, when that one is taken.
   * Throws `port-in-use` when the wanted port is taken, or none is free.
   */
  claim<Listening>(
    target: string,
    wanted: number | undefined,
    listen: (port: number) => Promise<Listening>,
  ): Promise<{ port: number; listening: Listening; instead?: number }>
}

export interface PortsOptions {
  /** Where `ports.json` is kept. */
  readonly folder: string
  /** The gateway's URL: two gateways may both have a `pg-prod`. */
  readonly gateway: string
}

/** Below the ports that systems hand out by themselves (Linux from 32768), above what services commonly use. */
const lowest = 17_000
const highest = 29_999
const attempts = 50

const rememberedSchema = z.record(z.string(), z.record(z.string(), z.int().min(1).max(65_535)))

export function createPorts({ folder, gateway }: PortsOptions): Ports {
  const file = join(folder, 'ports.json')
  return {
    async claim(target, wanted, listen) {
      if (wanted !== undefined) {
        const listening = await unlessTaken(listen(wanted))
        if (listening === undefined)
          throw hoopError('port-in-use', `port ${wanted} is taken`, { hint: 'choose another with --port' })
        await remember(file, gateway, target, wanted)
        return { port: wanted, listening: listening.value }
      }
      const last = (await read(file))[gateway]?.[target]
      const derived = derivedPort(gateway, target)
      for (let n = 0; n < attempts; n++) {
        const port = n === 0 && last !== undefined ? last : following(derived, last === undefined ? n : n - 1)
        const listening = await unlessTaken(listen(port))
        if (listening === undefined) continue
        if (last === undefined) await remember(file, gateway, target, port)
        const moved = last !== undefined && port !== last
        return { port, listening: listening.value, ...(moved ? { instead: last } : {}) }
      }
      throw hoopError('port-in-use', `no free port for ${target} near ${derived}`, { hint: 'choose one with --port' })
    },
  }
}

/** The one that the target had last time, or would get. */
export async function usualPort({ folder, gateway }: PortsOptions, target: string): Promise<number> {
  return (await read(join(folder, 'ports.json')))[gateway]?.[target] ?? derivedPort(gateway, target)
}

/** A port that gateway and target alone decide. */
function derivedPort(gateway: string, target: string): number {
  const digest = createHash('sha256').update(`${gateway}\n${target}`).digest()
  return lowest + (digest.readUInt32BE(0) % (highest - lowest + 1))
}

function following(port: number, n: number): number {
  return lowest + ((port - lowest + n) % (highest - lowest + 1))
}

/** undefined when the port is taken, or may not be used by this person. */
async function unlessTaken<T>(listening: Promise<T>): Promise<{ value: T } | undefined> {
  try {
    return { value: await listening }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES'))
      return undefined
    throw error
  }
}

/** What cannot be read is as good as nothing: the derived port then serves. */
async function read(file: string): Promise<Record<string, Record<string, number>>> {
  try {
    return rememberedSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}

async function remember(file: string, gateway: string, target: string, port: number): Promise<void> {
  const all = await read(file)
  if (all[gateway]?.[target] === port) return
  const next = { ...all, [gateway]: { ...all[gateway], [target]: port } }
  const draft = `${file}.${randomUUID()}`
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  await writeFile(draft, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 })
  await rename(draft, file)
}
