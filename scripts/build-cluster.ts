/** `npm run build:cluster`: the programs of the cluster that the Kubernetes tests run against. */
import { buildPrograms } from '../test/support/cluster/programs.ts'

await buildPrograms((line) => process.stdout.write(`${line}\n`)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
