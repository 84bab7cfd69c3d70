/** The methods of the protocol interface: HTTP's, with a dialect for each connection. */
import { hoopError } from '../../../contract/error-codes.ts'
import { type Client, greet, type RelayParts, refuse, relay, type Upstream } from '../http/index.ts'
import type { Abilities, Credential, Protocol, Target } from '../protocol.ts'
import type { ShellReader } from '../shell/reader.ts'
import { createDialect } from './dialect.ts'
import { unnameable } from './outward.ts'
import { statusOf } from './refusals.ts'
import type { SecondTries } from './second-try.ts'

/** Known without making a protocol: the config is checked against them first. */
export const abilities: Abilities = { hold: true, maskColumns: false, maskText: true, maskFields: true }

export interface ProtocolParts extends Omit<RelayParts, 'dialect'> {
  readonly shell: Promise<ShellReader>
  readonly secondTries: SecondTries
  /** Throws a HoopError `target-refused` for a credential that cannot be one; the target itself is dialled for a request. */
  open(target: Target, credential: Credential): Upstream
}

export function createProtocol(parts: ProtocolParts): Protocol<Client, Upstream> {
  const { shell, secondTries, clock, open } = parts
  return {
    name: 'kubernetes',
    abilities,
    defaults: () => ({}),
    greet: async (socket) => greet(socket),
    describe: () => null,
    async connect(target, credential) {
      const why = target.kubernetes?.impersonate === true ? unnameable(credential.bearer) : undefined
      if (why === undefined) return open(target, credential)
      throw hoopError('target-refused', `target "${target.name}" acts as the person who asks, and ${why}`, {
        hint: 'change the name at the identity provider, or kubernetes.impersonate',
      })
    },
    async relay(client, upstream, conversation) {
      const { target, bearer } = upstream
      const { preview } = conversation.checkpoint
      const dialect = createDialect({ shell: await shell, clock, secondTries, target, bearer, preview })
      await relay({ ...parts, dialect }, client, upstream, conversation)
    },
    refuse: (client, refusal) =>
      refuse({ refusal: (refusal, _head, status) => statusOf(refusal, status) }, client, refusal),
  }
}
