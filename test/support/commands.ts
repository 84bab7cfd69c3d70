/** Commands and configurations in a few words, for tests of what stands above protocols. */
import type { Action, Command, Facts } from '../../src/contract/command.ts'
import { kinds } from '../../src/contract/command.ts'
import type { Person } from '../../src/contract/record.ts'
import { type Config, configSchema } from '../../src/gateway/config/schema.ts'

export function action(given: Partial<Action> = {}): Action {
  return { verb: 'SELECT', kind: 'read', objects: ['public.orders'], unbounded: false, ...given }
}

export function command(
  given: {
    actions?: Partial<Action>[]
    facts?: Partial<Facts>
    text?: string
    parameters?: Command['parameters']
  } = {},
): Command {
  const actions = (given.actions ?? [{}]).map(action)
  return {
    protocol: 'postgres',
    verb: actions[0]?.verb ?? '',
    objects: [...new Set(actions.flatMap(({ objects }) => objects))],
    text: given.text ?? actions.map(({ verb, objects }) => `${verb} ${objects.join(', ')}`).join('; '),
    parameters: given.parameters ?? [],
    actions,
    facts: {
      kind: kinds.find((kind) => actions.some((action) => action.kind === kind)) ?? 'admin',
      unbounded: actions.some(({ unbounded }) => unbounded),
      dynamic: false,
      parsed: true,
      functions: [],
      reaches: [],
      ...given.facts,
    },
  }
}

export function person(name: string, ...groups: string[]): Person {
  return { user: `${name}@demo`, subject: `sub-${name}`, groups }
}

/** A whole configuration out of the part that a test is about. */
export function config(part: Record<string, unknown> = {}): Config {
  const parsed = configSchema.parse({
    identity: { issuer: 'http://127.0.0.1:1/', clientId: 'hoop', audience: 'hoop' },
    store: { path: 'hoop.sqlite' },
    targets: [target('pg-prod', { env: 'prod' })],
    ...part,
  })
  return { ...parsed, hash: 'c0ffee' }
}

export function target(name: string, labels: Record<string, string> = {}, more: Record<string, unknown> = {}): unknown {
  return {
    name,
    protocol: 'postgres',
    host: '127.0.0.1',
    port: 5432,
    user: 'app',
    labels,
    access: { groups: ['engineering', 'dba'] },
    ...more,
  }
}
