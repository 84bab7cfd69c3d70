/** What a reviewer and an auditor see, asked of the built program. */
import type { Approval } from '../../src/contract/api.ts'
import { type AuditRecord, recordSchema } from '../../src/contract/record.ts'
import { type Env, hoop } from './built-cli.ts'

/** The first pending approval that asks for this; waits for it. */
export async function firstHeld(dba: Env, text: string): Promise<Approval> {
  for (;;) {
    const { stdout, stderr, code } = await hoop(['approve', '--list', '--json'], dba)
    if (code !== 0) throw new Error(stderr)
    const pending = lines(stdout).map((line) => JSON.parse(line) as Approval | Approval[])
    const found = pending.flat().find(({ commands }) => commands.some(({ asked }) => asked.text.includes(text)))
    if (found !== undefined) return found
  }
}

export async function allRecords(dba: Env): Promise<readonly AuditRecord[]> {
  const { stdout, stderr, code } = await hoop(['logs', '--json', '--tail', '10000'], dba)
  if (code !== 0) throw new Error(stderr)
  return lines(stdout).map((line) => recordSchema.parse(JSON.parse(line)))
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}
