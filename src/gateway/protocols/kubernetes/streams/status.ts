/** How a remote command ended, as the error channel tells: a Status since v4 of its protocol, plain words before. Pure. */
import { z } from 'zod'
import type { Outcome } from '../../../../contract/record.ts'
import type { Refusal } from '../../../../contract/refusal.ts'

const statusSchema = z.object({
  status: z.enum(['Success', 'Failure']),
  message: z.string().default(''),
  reason: z.string().default(''),
  details: z.object({ causes: z.array(z.object({ reason: z.string(), message: z.string() })).nullish() }).nullish(),
})

export interface CommandEnd {
  /** null: it never ran, or was ended otherwise than by itself. */
  readonly exitStatus: number | null
  readonly outcome: Pick<Outcome, 'status' | 'error'>
}

/** undefined: it says nothing that can be understood. */
export function readCommandEnd(said: string, how: 'status' | 'text'): CommandEnd | undefined {
  if (how === 'text')
    return { exitStatus: null, outcome: { status: 'failed', error: { code: 'error', message: said } } }
  const parsed = statusSchema.safeParse(jsonOf(said))
  if (!parsed.success) return undefined
  const { status, message, reason, details } = parsed.data
  if (status === 'Success') return { exitStatus: 0, outcome: { status: 'done' } }
  const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message
  if (reason === 'NonZeroExitCode' && code !== undefined && /^\d{1,10}$/.test(code))
    return { exitStatus: Number(code), outcome: { status: 'failed', error: { code, message: `exit status ${code}` } } }
  return { exitStatus: null, outcome: { status: 'failed', error: { code: reason || 'Failure', message } } }
}

/** What kubectl makes its own exit status of. The reason has been said on stderr by then. */
export function ownEnd(exitStatus: number, refusal: Refusal, how: 'status' | 'text'): Buffer {
  if (how === 'text') return Buffer.from(`hoop: ${refusal.message}`)
  return Buffer.from(
    JSON.stringify({
      metadata: {},
      status: 'Failure',
      message: `hoop: ${refusal.message}`,
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(exitStatus) }] },
    }),
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
