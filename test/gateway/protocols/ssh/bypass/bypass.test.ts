/** Every attempt of the corpus at OpenSSH's own server, through the protocol: what counts is what becomes of the file. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from 'ssh2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Command } from '../../../../../src/contract/command.ts'
import type { Refusal } from '../../../../../src/contract/refusal.ts'
import { createShellReader } from '../../../../../src/gateway/protocols/shell/reader.ts'
import { hasSshd, startTestSshd, type TestSshd } from '../../../../support/sshd.ts'
import { openTestDoor, run, targetOn } from '../door.ts'
import { type Attempt, attempts, honest, placed } from './corpus.ts'
import { careful, judgeUnder, trusting } from './rules.ts'

/** What is held is not approved here: the file has to be as it was. */
function refusing(rules: readonly unknown[]): (batch: readonly Command[]) => Refusal | undefined {
  const judge = judgeUnder(rules)
  return (batch) => {
    const stopped = batch.map((command) => judge(command).decision).find(({ verdict }) => verdict !== 'allow')
    if (stopped === undefined) return undefined
    return { code: 'denied', message: `${stopped.verdict}: ${stopped.reason}`, next: 'ask' }
  }
}

interface Became {
  readonly victim: Attempt['victim']
  readonly stderr: string
}

async function attempt(client: Client, line: string): Promise<Became> {
  const dir = await mkdtemp(join(tmpdir(), 'hoop-bypass-'))
  const victim = join(dir, 'victim')
  try {
    await mkdir(dir, { recursive: true })
    await writeFile(victim, 'precious\n')
    const { stderr } = await run(client, placed(line, dir))
    // What was started in the background goes on for a moment.
    if (line.includes('&')) await pause(50)
    const seen = existsSync(victim) ? readFileSync(victim, 'utf8') : undefined
    return { victim: seen === undefined ? 'vanishes' : seen === 'precious\n' ? 'stays' : 'changes', stderr }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

describe.skipIf(!hasSshd())('over SSH', () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startTestSshd()
  })
  afterAll(() => sshd.stop())

  async function connect(rules: readonly unknown[]): Promise<Client> {
    const reader = createShellReader({ maxBytes: 1024 * 1024 })
    const world = await openTestDoor({
      target: targetOn(sshd),
      secret: sshd.clientKey,
      judge: refusing(rules),
      parts: { reader },
    })
    return await world.connect()
  }

  it('what is not allowed does nothing, and what is only reads', async () => {
    const client = await connect(careful)
    for (const { line, verdict } of [...honest, ...attempts]) {
      const { victim, stderr } = await attempt(client, line)
      expect({ line, victim }).toEqual({ line, victim: 'stays' })
      expect({ line, refused: /denied|hold:|deny:/.test(stderr) }).toEqual({ line, refused: verdict !== 'allow' })
    }
  }, 120_000)

  it('what is forbidden by its name does nothing, and the rest does what it always did', async () => {
    const client = await connect(trusting)
    for (const { line, trusting: verdict, victim: expected } of attempts) {
      const { victim } = await attempt(client, line)
      expect({ line, victim }).toEqual({ line, victim: verdict === 'deny' ? 'stays' : expected })
    }
  }, 120_000)
})
