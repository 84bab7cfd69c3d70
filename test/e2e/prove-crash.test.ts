/** `npm run prove:crash`, as part of the tests: ten rounds of each way to die in CI, one elsewhere. Most ways need root. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/prove-crash/main.ts', import.meta.url))
const isCi = process.env.CI !== undefined

test(
  'whatever dies, every statement that reached PostgreSQL has its durable record',
  async () => {
    const child = spawn(process.execPath, [script, '--rounds', isCi ? '10' : '1'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk
      })
    const [code] = await once(child, 'close')
    console.log(said)
    expect(code, said).toBe(0)
    // Two subjects, four ways: each was proved, or left out with a reason that is on the screen.
    expect(said.match(/^(ok|SKIPPED) .* (kill|power|flush|full):/gm)?.length).toBeGreaterThanOrEqual(8)
    if (isCi && process.getuid?.() === 0) expect(said).not.toContain('SKIPPED')
  },
  isCi ? 1_200_000 : 300_000,
)
