/** The tour keeps its promises also where OpenSSH is not installed. */
import { expect, onTestFinished, test } from 'vitest'
import { startSmallSshServer } from '../../src/demo/ssh-server.ts'
import { runTour } from '../../src/demo/tour.ts'
import { startWorld } from '../../src/demo/world.ts'
import { createTerminal } from '../support/terminal.ts'

test('the tour over the small SSH server says that it is one, and every step happens', async () => {
  const world = await startWorld({ startSsh: startSmallSshServer })
  onTestFinished(() => world.stop())
  const { runtime, stdout } = createTerminal()
  await runTour(world, runtime, runtime.signal)
  expect(stdout()).toContain('a small SSH server of the demo’s own, because OpenSSH’s is not installed')
  expect(stdout().match(/✓/g)?.length).toBeGreaterThanOrEqual(34)
})
