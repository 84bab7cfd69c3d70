/** What a statement does to the session, for the conversation's bookkeeping (parts.ts: Effect). */
import type { Effect, Statement } from '../parts.ts'
import { type Fields, text, unwrap } from './nodes.ts'
import type { Reading, SettingChange } from './reading.ts'
import type { Resolved } from './outcome.ts'
import type { Tree } from './statement.ts'

/** `inner`: of PREPARE and DECLARE, what they prepare or declare. `hidden`: stands for what cannot be seen. */
export function effectsOf(
  tree: Tree | undefined,
  reading: Reading,
  resolved: Resolved,
  inner: Statement | undefined,
  hidden: Statement,
): readonly Effect[] {
  const effects: Effect[] = []
  const node = unwrap(tree)
  const own = node === undefined ? undefined : ownEffect(node.type, node.fields, inner ?? hidden)
  if (own !== undefined) effects.push(...own)
  // A PREPARE inside a DO block: the name means something that is not kept here.
  if (node?.type !== 'PrepareStmt')
    for (const name of reading.prepares) effects.push({ type: 'prepare', name, statements: [hidden] })
  for (const { name, value, local } of settingsOf(node?.type, resolved))
    effects.push({ type: 'set', ...(name === undefined ? {} : { name }), value, local })
  if (resolved.facts.kind === 'ddl' || resolved.facts.kind === 'admin' || resolved.facts.dynamic)
    effects.push({ type: 'ddl' })
  return effects
}

/**
 * Only a SET of its own says what a setting is afterwards: one inside a function or a set_config may be undone when that
 * ends, so its value cannot be known.
 */
export function settingsOf(type: string | undefined, { settings }: Resolved): readonly SettingChange[] {
  return type === 'VariableSetStmt' ? settings : settings.map((setting) => ({ ...setting, value: null, local: false }))
}

function ownEffect(type: string, fields: Fields, inner: Statement): readonly Effect[] | undefined {
  const named = (name: unknown) => {
    const given = text(name)
    return given === undefined ? {} : { name: given }
  }
  switch (type) {
    case 'PrepareStmt':
      return [{ type: 'prepare', name: text(fields.name) ?? '', statements: [inner] }]
    case 'DeallocateStmt':
      return [{ type: 'deallocate', ...named(fields.name) }]
    case 'DeclareCursorStmt':
      return [{ type: 'declare', name: text(fields.portalname) ?? '', statement: inner }]
    case 'ClosePortalStmt':
      return [{ type: 'close', ...named(fields.portalname) }]
    case 'DiscardStmt':
      return fields.target === 'DISCARD_ALL' ? [{ type: 'deallocate' }, { type: 'close' }] : undefined
    default:
      return undefined
  }
}
