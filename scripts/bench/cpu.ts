/**
 * What processes cost: their CPU time (all threads) from /proc, watched while they work, so that the time for a span can
 * be told afterwards. Linux only; elsewhere there is nothing to read and the figures are left out.
 */
import { readFileSync } from 'node:fs'
import { now } from './clock.ts'

/** Linux counts in hundredths of a second for everybody, whatever the kernel's own tick is. */
const microsPerTick = 10_000
const everyMs = 20

export const hasProcesses = process.platform === 'linux'

export interface Sample {
  readonly at: number
  readonly micros: number
}

export interface Watch {
  /** CPU microseconds of each process in this span. */
  stop(span: { readonly from: number; readonly to: number }): ReadonlyMap<number, number>
}

export function watchCpu(pids: readonly number[]): Watch {
  const samples = new Map<number, Sample[]>(pids.map((pid) => [pid, []]))
  let gone: number | undefined
  const take = () => {
    for (const [pid, taken] of samples) {
      const micros = cpuMicros(pid)
      if (micros === undefined) gone = pid
      else taken.push({ at: now(), micros })
    }
  }
  if (hasProcesses) take()
  const timer = hasProcesses ? setInterval(take, everyMs) : undefined
  return {
    stop({ from, to }) {
      clearInterval(timer)
      if (hasProcesses) take()
      else samples.clear()
      if (gone !== undefined) throw new Error(`process ${gone} ended while it was measured`)
      return new Map([...samples].map(([pid, taken]) => [pid, valueAt(taken, to) - valueAt(taken, from)]))
    },
  }
}

/** Between two samples a straight line. Pure. */
export function valueAt(samples: readonly Sample[], at: number): number {
  const next = samples.findIndex((sample) => sample.at >= at)
  const after = samples[next] ?? samples.at(-1)
  if (after === undefined) throw new Error('no samples')
  const before = samples[next - 1]
  if (before === undefined || next < 0) return after.micros
  return before.micros + ((after.micros - before.micros) * (at - before.at)) / (after.at - before.at)
}

/** undefined: there is no such process any more. */
function cpuMicros(pid: number): number | undefined {
  try {
    return microsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** utime and stime, fields 14 and 15; the name in field 2 may hold anything, so counting starts behind it. Pure. */
export function microsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const [, kb] = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB/m) ?? []
  return Number(kb) * 1024
}
