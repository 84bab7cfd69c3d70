/** `npm run check`: everything that has to hold before a change is committed, in the order in which it fails fastest. */
import { spawnSync } from 'node:child_process'

const steps = [
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'lint', command: ['biome', 'lint', '--error-on-warnings', '.'] },
  { name: 'format', command: ['biome', 'format', '.'] },
  { name: 'dead code', command: ['knip', '--no-progress'] },
  // Layering is one of the tests.
  { name: 'tests', command: ['npm', 'test', '--silent'] },
] as const

const failed: string[] = []
for (const { name, command } of steps) {
  const started = performance.now()
  process.stdout.write(`── ${name}\n`)
  const [program, ...args] = command
  const { status } = spawnSync(program, args, { stdio: 'inherit' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`── ${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)\n`)
  if (status !== 0) failed.push(name)
}
if (failed.length > 0) {
  process.stdout.write(`\ncheck failed: ${failed.join(', ')}\n`)
  process.exitCode = 1
}
