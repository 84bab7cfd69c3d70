/** The tour's part about SSH: what the shop's chapters do with SQL, with command lines; and a recording of what was shown. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runReplay } from '../commands/replay.ts'
import type { OpenDoor } from './door.ts'
import type { Member } from './member.ts'
import { type Claim, must, patienceMs, pendingApproval } from './promises.ts'
import { customers } from './shop.ts'
import { connectSsh, type SshClient } from './ssh-client.ts'
import { sampleFiles } from './ssh-target.ts'
import type { World } from './world.ts'

export interface SshTour {
  readonly world: World
  readonly door: OpenDoor
  readonly dba: Member
  readonly auditor: Member
  readonly chapter: (title: string) => Promise<void>
  readonly claim: Claim
}

const log = 'app/log/orders.log'

export async function tourSsh(tour: SshTour): Promise<void> {
  const { door, world, chapter, claim } = tour
  const client = await connectSsh(door.ssh)
  try {
    await chapter('A machine over SSH, without a key')
    await claim(
      `ssh-demo is open on 127.0.0.1:${door.ssh.port} (${world.ssh.about}); the client pins the gateway’s host key`,
    )
    await tellCommands(tour, client)

    await chapter('An rm -rf that waits for a human, and another that is denied')
    await tellHolds(tour, client)
  } finally {
    client.close()
  }

  await chapter('What was shown, recorded')
  await tellRecording(tour)
}

async function tellCommands({ world, claim }: SshTour, client: SshClient): Promise<void> {
  const listed = await client.run('ls releases')
  must(listed.stdout === '2025-11-02\n2025-12-14\n' && listed.status === 0, `ls said ${JSON.stringify(listed)}`)
  await claim(`ls releases → ${listed.stdout.trim().replace('\n', ', ')}`)

  const shown = await client.run(`cat ${log}`)
  const lines = shown.stdout.split('\n').length
  must(lines === sampleFiles[log]?.split('\n').length, `${lines} lines came of ${log}`)
  must(secretsIn(shown.stdout).length === 0, `a masked value came through: ${secretsIn(shown.stdout)[0]}`)
  await claim(`cat ${log} → its lines, and no address or card in them: ${shown.stdout.split('\n')[0]}`)

  const refused = await client.run('id; sudo id')
  must(refused.status === 126, `a refused command ended with ${refused.status}`)
  must(refused.stderr.includes('nobody-becomes-root'), `the refusal says ${refused.stderr}`)
  must(!(await world.ssh.asked()).includes('id; sudo id'), 'a refused command reached the server')
  await claim(`id; sudo id → ${refused.stderr.split('\n')[0]}`)
  await claim('it never reached the server: not even its first half')
}

async function tellHolds(tour: SshTour, client: SshClient): Promise<void> {
  const { world, dba, claim } = tour
  const { answer, approval, notice } = await removal(tour, client, 'releases/2025-11-02')
  await claim(`rm -rf releases/2025-11-02 → the client is told: ${notice}`)
  must(existsSync(join(world.ssh.home, 'releases/2025-11-02')), 'the folder is gone before anybody approved')
  await claim('the folder is still there, seen on the disk itself')
  await dba.client.decide(approval.id, { decision: 'approve', reason: 'an old release', digest: approval.digest })
  const done = await answer
  must(done.status === 0, `the approved rm ended with ${done.status}: ${done.stderr}`)
  must(!existsSync(join(world.ssh.home, 'releases/2025-11-02')), 'the approved rm did not happen')
  must((await world.ssh.asked()).includes('rm -rf releases/2025-11-02'), 'the server was asked for something else')
  await claim('approved by dba@demo: it ran as it was written, and the folder is gone')

  const second = await removal(tour, client, 'app')
  await dba.client.decide(second.approval.id, {
    decision: 'deny',
    reason: 'that is the shop itself',
    digest: second.approval.digest,
  })
  const denied = await second.answer
  must(denied.status === 126, `a denied command ended with ${denied.status}`)
  must(existsSync(join(world.ssh.home, log)), 'the denied rm happened')
  await claim(`rm -rf app → denied: ${denied.stderr.split('\n').find((line) => line.includes('denied')) ?? ''}`)
}

/** Asks for a folder to be removed; resolves when that waits and the client knows it. */
async function removal({ dba }: SshTour, client: SshClient, folder: string) {
  const told = Promise.withResolvers<string>()
  const late = setTimeout(() => told.reject(new Error('the client was not told that its command waits')), patienceMs)
  const answer = client.run(`rm -rf ${folder}`, (text) => told.resolve(text.split('\n')[0] ?? ''))
  // Its end is looked at later; a failure before that must not count as unhandled.
  answer.catch(() => {})
  const approval = await pendingApproval(dba, `rm -rf ${folder}`)
  const notice = await told.promise
  clearTimeout(late)
  return { answer, approval, notice }
}

async function tellRecording({ door, auditor, claim }: SshTour): Promise<void> {
  const session = door.session.id
  const records = []
  for await (const { record } of auditor.client.records({ session }, AbortSignal.timeout(patienceMs)))
    records.push(record)
  const asked = records.find((record) => record.type === 'command' && record.asked.text === `cat ${log}`)
  must(asked?.type === 'command', 'the audit does not know the command')
  const end = records.find((record) => record.type === 'outcome' && record.command === asked.command)
  const proof = end?.type === 'outcome' ? end.outcome.recording : undefined
  must(proof !== undefined, 'the outcome names no recording')
  const pieces: Uint8Array[] = []
  for await (const piece of auditor.client.recording(session, asked.command)) pieces.push(piece)
  const recording = Buffer.concat(pieces)
  const hash = createHash('sha256').update(recording).digest('hex')
  must(hash === proof.sha256, `the recording’s hash is ${hash}, the audit says ${proof.sha256}`)
  must(recording.includes('order 1001 by'), 'the recording does not hold what was shown')
  must(secretsIn(recording.toString()).length === 0, 'the recording holds a masked value')
  await claim(`cat ${log} was recorded as it was shown, masked: ${proof.bytes} bytes, their SHA-256 as in the audit`)
  await runReplay(auditor.runtime, { session, command: asked.command, speed: Number.POSITIVE_INFINITY })
}

function secretsIn(text: string): readonly string[] {
  return customers.flatMap(({ email, card }) => [email, card]).filter((secret) => text.includes(secret))
}
