/** `hoop logs --verify`: every line of the audit, checked here, so that the gateway need not be believed. */
import { flawIn, genesis, hashAtEnd } from '../contract/chain.ts'
import { exitCodes, hoopError } from '../contract/error-codes.ts'
import type { GatewayClient } from '../gateway-client/client.ts'
import type { Runtime } from '../runtime.ts'
import type { Output } from './output/output.ts'

export async function verifyAudit(runtime: Runtime, client: GatewayClient, output: Output): Promise<void> {
  const me = await client.me()
  // Whoever sees a part only would take what is not shown for missing.
  if (me.roles.length === 0)
    throw hoopError('not-allowed', 'checking the chain takes every record, and you see your own only', {
      hint: 'ask somebody with the role admin or auditor',
    })
  let checked = 0
  let prev = genesis
  let flaw: string | undefined
  for await (const line of client.lines({ after: 0 }, runtime.signal)) {
    flaw = flawIn(line, { seq: checked + 1, prev })
    if (flaw !== undefined) break
    checked += 1
    prev = hashAtEnd(line)
  }
  const head = checked === 0 ? null : { seq: checked, hash: prev }
  if (output.json) {
    await output.document({
      ok: flaw === undefined,
      checked,
      head,
      flaw: flaw === undefined ? null : { seq: checked + 1, what: flaw },
    })
  } else if (flaw === undefined) {
    const end = head === null ? '' : `; the last one's hash is ${head.hash}`
    await output.write(`${output.style('good', 'intact')}: ${checked} ${checked === 1 ? 'record' : 'records'}${end}\n`)
  } else {
    await output.write(
      `${output.style('bad', 'not intact')}: record ${checked + 1} ${flaw}; ${checked} before it are good\n`,
    )
  }
  if (flaw !== undefined) runtime.exitWith(exitCodes.error)
}
