/**
 * `hoop logs --verify`: every line of the audit, checked here, so that the gateway need not be believed; and with
 * `--recordings` every recording that it has the hash of.
 */
import { createHash } from 'node:crypto'
import { flawIn, genesis, hashAtEnd } from '../contract/chain.ts'
import { exitCodes, hoopError, isHoopError } from '../contract/error-codes.ts'
import { recordSchema } from '../contract/record.ts'
import type { GatewayClient } from '../gateway-client/client.ts'
import type { Runtime } from '../runtime.ts'
import type { Output } from './output/output.ts'

interface Proof {
  readonly session: string
  readonly command: string
  readonly sha256: string
}

interface RecordingFlaw {
  readonly session: string
  readonly command: string
  readonly what: string
}

export async function verifyAudit(
  runtime: Runtime,
  client: GatewayClient,
  output: Output,
  { recordings = false }: { readonly recordings?: boolean },
): Promise<void> {
  const me = await client.me()
  // Whoever sees a part only would take what is not shown for missing.
  if (me.roles.length === 0)
    throw hoopError('not-allowed', 'checking the chain takes every record, and you see your own only', {
      hint: 'ask somebody with the role admin or auditor',
    })
  let checked = 0
  let prev = genesis
  let flaw: string | undefined
  const proofs: Proof[] = []
  for await (const line of client.lines({ after: 0 }, runtime.signal)) {
    flaw = flawIn(line, { seq: checked + 1, prev })
    if (flaw !== undefined) break
    checked += 1
    prev = hashAtEnd(line)
    if (recordings) proofs.push(...proofIn(line))
  }
  const head = checked === 0 ? null : { seq: checked, hash: prev }
  const flaws: RecordingFlaw[] = []
  for (const proof of proofs) {
    const what = await flawOf(proof, client, runtime.signal)
    if (what !== undefined) flaws.push({ session: proof.session, command: proof.command, what })
  }
  if (output.json) {
    await output.document({
      ok: flaw === undefined && flaws.length === 0,
      checked,
      head,
      flaw: flaw === undefined ? null : { seq: checked + 1, what: flaw },
      ...(recordings ? { recordings: { checked: proofs.length, flaws } } : {}),
    })
  } else {
    await output.write(chainLine(output, checked, head, flaw))
    if (recordings) await output.write(recordingLines(output, proofs.length, flaws))
  }
  if (flaw !== undefined || flaws.length > 0) runtime.exitWith(exitCodes.error)
}

function chainLine(
  { style }: Output,
  checked: number,
  head: { readonly hash: string } | null,
  flaw: string | undefined,
): string {
  if (flaw !== undefined)
    return `${style('bad', 'not intact')}: record ${checked + 1} ${flaw}; ${checked} before it are good\n`
  const end = head === null ? '' : `; the last one's hash is ${head.hash}`
  return `${style('good', 'intact')}: ${checked} ${checked === 1 ? 'record' : 'records'}${end}\n`
}

function recordingLines({ style }: Output, checked: number, flaws: readonly RecordingFlaw[]): string {
  const bad = flaws.map(({ session, command, what }) => `  ${session} ${command} ${what}\n`).join('')
  const count = `${checked} ${checked === 1 ? 'recording' : 'recordings'}`
  if (flaws.length === 0) return `${style('good', 'intact')}: ${count}\n`
  return `${style('bad', 'not intact')}: ${flaws.length} of ${count}\n${bad}`
}

/** What the line says of a recording's hash, if it does. Read only when the line has been found good. */
function proofIn(line: string): readonly Proof[] {
  if (!line.includes('"recording"')) return []
  const record = recordSchema.parse(JSON.parse(line))
  if (record.type !== 'outcome' || record.outcome.recording === undefined || record.session === null) return []
  return [{ session: record.session, command: record.command, sha256: record.outcome.recording.sha256 }]
}

async function flawOf(
  { session, command, sha256 }: Proof,
  client: GatewayClient,
  signal: AbortSignal,
): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const bytes of client.recording(session, command, signal)) hash.update(bytes)
  } catch (error) {
    if (isHoopError(error) && error.code === 'not-found') return 'is missing'
    throw error
  }
  return hash.digest('hex') === sha256 ? undefined : 'was altered'
}
