/** Milliseconds by a clock that all processes and threads of a machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
