/** Where the client gets its bearer token. */
export interface TokenSource {
  /** One that is good for a while yet. Throws `sign-in-needed`. */
  token(): Promise<string>
  /** Another one in place of this, which the gateway turned away; undefined where there is none. */
  renew(rejected: string): Promise<string | undefined>
}

/** A token from the environment: used as it is. */
export function givenToken(token: string): TokenSource {
  return { token: () => Promise.resolve(token), renew: () => Promise.resolve(undefined) }
}
