/** `hoop logout`: revokes the tokens at the identity provider and forgets them. */
import type { Command } from 'commander'
import { reasonOf } from '../base/errors.ts'
import { visibleLine } from '../base/visible.ts'
import { hoopError } from '../contract/error-codes.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { createOutput } from './output/output.ts'

export type LogoutOptions = SharedFlags

export function logoutCommand(runtime: Runtime, run = runLogout): Command {
  const command = gatewayCommandOf('logout')
    .description('revoke the tokens of this sign-in and forget them')
    .addHelpText('after', examples([['hoop logout', 'end the sign-in at the gateway of the last sign-in']]))
  return command.action(() => run(runtime, command.optsWithGlobals()))
}

export async function runLogout(runtime: Runtime, options: LogoutOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const keeper = await runtime.keeper()
  const { gatewayName } = await import('../gateway-client/address.ts')
  const named = options.gateway ?? runtime.settings.gateway ?? (await keeper.current())
  const gateway = named === undefined ? undefined : gatewayName(named)
  const forgotten = gateway === undefined ? undefined : await keeper.forget(gateway)
  if (gateway === undefined || forgotten === undefined) {
    if (output.json) return output.document({ gateway: gateway ?? null, forgotten: false, revoked: false })
    return output.talk('not signed in: nothing to forget')
  }

  const { signIn, tokens } = forgotten
  const { revoke } = await import('../gateway-client/sign-in.ts')
  // Forgotten first: whatever the provider says, this machine has no tokens any more.
  const trouble = await (tokens === undefined ? Promise.resolve(false) : revoke(signIn, tokens)).then(
    (revoked) => (revoked ? undefined : 'the identity provider offers no revocation'),
    (error: unknown) => reasonOf(error),
  )
  if (output.json)
    await output.document({ gateway, user: signIn.user, forgotten: true, revoked: trouble === undefined })
  else output.talk(`Signed out ${visibleLine(signIn.user)} from ${gateway}`)
  if (trouble !== undefined)
    throw hoopError('identity-unavailable', `the tokens are forgotten here but could not be revoked (${trouble})`, {
      hint: 'they end by themselves; to be sure end the sign-in at the identity provider',
    })
}
