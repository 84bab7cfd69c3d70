/** `hoop login`: signs this machine in at the gateway's identity provider, by device flow. */
import { type Command, Option } from 'commander'
import { reasonOf } from '../base/errors.ts'
import { visibleLine } from '../base/visible.ts'
import type { DeviceCode } from '../gateway-client/sign-in.ts'
import type { Runtime } from '../runtime.ts'
import { examples, gatewayCommandOf, type SharedFlags } from './flags.ts'
import { canOpenBrowser, openBrowser } from './output/browser.ts'
import { createOutput, type Output } from './output/output.ts'
import { qrCode } from './output/qr-code.ts'
import { fromNow } from './output/time.ts'

export interface LoginOptions extends SharedFlags {
  readonly browser: boolean
}

export function loginCommand(runtime: Runtime, run = runLogin): Command {
  const command = gatewayCommandOf('login')
    .description('sign in: prints a code to confirm in a browser, here or on another device')
    .addOption(new Option('--no-browser', 'print the address only (HOOP_NO_BROWSER=1)'))
    .addHelpText(
      'after',
      `${examples([
        ['hoop login --gateway https://hoop.example.com', 'the first time; remembered afterwards'],
        ['hoop login', 'again, at the same gateway'],
        ['hoop login --no-browser', 'on a server: confirm on your phone or laptop'],
      ])}

Tokens are kept in the system's keychain, or where there is none in a file that only you can read;
HOOP_TOKEN_STORE=keychain|file decides. Agents need no sign-in: give them a token in HOOP_TOKEN.`,
    )
  return command.action(() => run(runtime, command.optsWithGlobals()))
}

export async function runLogin(runtime: Runtime, options: LoginOptions): Promise<void> {
  const output = createOutput(runtime, options)
  const { signInByDevice } = await import('../gateway-client/sign-in.ts')
  const { chooseStore } = await import('../gateway-client/secret-store.ts')
  const { givenToken } = await import('../gateway-client/token-source.ts')
  const { createGatewayClient } = await import('../gateway-client/client.ts')

  const { client, gateway, proxy } = await runtime.door(options.gateway)
  const issuer = await client.wellKnown()
  output.talk(`Signing in to ${gateway} through ${visibleLine(issuer.issuer)}`)

  const codes: Promise<void>[] = []
  const tokens = await signInByDevice(issuer, {
    signal: runtime.signal,
    now: () => runtime.clock.now(),
    onCode: (code) => codes.push(present(runtime, output, code, options.browser && runtime.settings.browser)),
  })
  await Promise.all(codes)

  // Asked with the new token before it is kept: a sign-in that the gateway does not accept is none.
  const fresh = createGatewayClient({ url: gateway, token: givenToken(tokens.accessToken), proxy })
  const me = await fresh.me().finally(() => fresh.close())
  const { store, why } = await chooseStore(runtime.stores())
  await (await runtime.keeper()).keep(gateway, { ...issuerOf(issuer), user: me.user }, tokens, store)

  if (output.json)
    return output.item({
      event: 'signed-in',
      gateway,
      user: me.user,
      groups: me.groups,
      expires: tokens.expires,
      store: store.kind,
      where: store.where,
    })
  const style = output.talkStyle
  output.talk(
    `${style('good', 'Signed in')} as ${style('name', visibleLine(me.user))} (${visibleLine(me.groups.join(', ')) || 'no groups'})`,
  )
  output.talk(
    `Tokens are kept in ${store.where}${why === undefined ? '' : style('quiet', `; no keychain: ${visibleLine(why)}`)}`,
  )
  if (runtime.settings.token !== undefined)
    output.talk(style('waiting', 'HOOP_TOKEN is set and goes before this sign-in'))
}

function issuerOf<T extends { issuer: string; clientId: string; audience: string | null; scopes: string[] }>(given: T) {
  return { issuer: given.issuer, clientId: given.clientId, audience: given.audience, scopes: given.scopes }
}

async function present(runtime: Runtime, output: Output, device: DeviceCode, wantsBrowser: boolean): Promise<void> {
  if (output.json) return output.item({ event: 'code', ...device })
  const style = output.talkStyle
  const address = device.completeUrl ?? device.url
  output.talk('')
  const picture = await qrCode(address, runtime.io.stderr, runtime.env)
  if (picture !== undefined) output.talk(picture)
  output.talk(`  Open     ${style('name', visibleLine(device.url))}`)
  output.talk(`  Code     ${style('heading', visibleLine(device.code))}`)
  if (device.completeUrl !== null) output.talk(`  or open  ${style('name', visibleLine(device.completeUrl))}`)
  output.talk('')
  if (wantsBrowser && canOpenBrowser(runtime.env, runtime.platform)) {
    const trouble = await openBrowser(address).then(
      () => undefined,
      (error: unknown) => reasonOf(error),
    )
    output.talk(
      trouble === undefined ? 'Your browser was opened.' : `No browser could be opened (${visibleLine(trouble)}).`,
    )
  }
  output.talk(style('quiet', `Waiting; the code ends ${fromNow(device.expires, output.now)} (Ctrl-C gives up)`))
}
