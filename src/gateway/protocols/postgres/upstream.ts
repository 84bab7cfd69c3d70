/** The target's end of a connection: logged in for a startup, nothing yet for a request to cancel. */
import { hoopError } from '../../../contract/error-codes.ts'
import type { Credential, Target } from '../protocol.ts'
import type { Client, StartupClient } from './greeting.ts'
import { type LoggedIn, type LoginWish, login } from './login.ts'
import { createSide, type Side, sideOptions } from './side.ts'

export type Upstream =
  | {
      readonly kind: 'startup'
      readonly target: Target
      readonly database: string
      readonly login: LoggedIn
      /** The same for all whose names mean the same: where, as whom, to which database, with which startup options. */
      readonly loginName: string
      /** The credential stays in here: whoever opens a side connection never sees it. */
      readonly side: Side
    }
  | { readonly kind: 'cancel'; readonly target: Target }

export interface ConnectWish {
  readonly target: Target
  readonly credential: Credential
  readonly client: Client
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

export async function connectUpstream({
  target,
  credential,
  client,
  signal,
  timeoutMs,
}: ConnectWish): Promise<Upstream> {
  if (client.kind === 'cancel') return { kind: 'cancel', target }
  const database = chooseDatabase(target, client)
  const within = (ends: AbortSignal) => AbortSignal.any([ends, AbortSignal.timeout(timeoutMs)])
  const loggedIn = await login({
    target,
    credential,
    database,
    options: client.options,
    signal: within(signal),
    onRefusal: (error) => {
      client.farewell = error
    },
  })
  const ours = new Set(sideOptions.map(([name]) => name.toString()))
  const options = [...client.options.filter(([name]) => !ours.has(name.toString())), ...sideOptions]
  const side = createSide((ends) => login({ target, credential, database, options, signal: within(ends) }))
  return {
    kind: 'startup',
    target,
    database: database.toString(),
    login: loggedIn,
    loginName: nameOf(target, database, options),
    side,
  }
}

function nameOf({ name, host, port, user }: Target, database: Buffer, options: LoginWish['options']): string {
  const texts = [database, ...options.flat()].map((bytes) => bytes.toString('latin1'))
  return JSON.stringify([name, host, port, user, ...texts])
}

function chooseDatabase(target: Target, client: StartupClient): Buffer {
  const [first] = target.databases
  // PostgreSQL's own default is a database named like the user.
  const asked = client.database ?? Buffer.from(first ?? target.user)
  if (target.databases.length > 0 && !target.databases.some((name) => asked.equals(Buffer.from(name)))) {
    throw hoopError('not-allowed', `target "${target.name}" does not open database "${asked.toString()}"`, {
      hint: `use one of: ${target.databases.join(', ')}`,
    })
  }
  return asked
}
