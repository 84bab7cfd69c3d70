/** What a file is like, as a client wants it to be (draft-ietf-secsh-filexfer-02, section 5), in words. Pure. */
import type { Fields } from './wire.ts'

export interface Attributes {
  readonly size?: number
  readonly owner?: { readonly user: number; readonly group: number }
  /** Permissions, and what else `st_mode` has. */
  readonly mode?: number
  /** Seconds since 1970. */
  readonly times?: { readonly accessed: number; readonly modified: number }
  /** Names of what no version of the protocol defines. */
  readonly extended?: readonly string[]
}

const has = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x80000000 } as const

export function readAttributes(fields: Fields): Attributes {
  const flags = fields.uint32()
  const given = (flag: number) => (flags & flag) !== 0
  return {
    ...(given(has.size) && { size: fields.uint64() }),
    ...(given(has.owner) && { owner: { user: fields.uint32(), group: fields.uint32() } }),
    ...(given(has.mode) && { mode: fields.uint32() }),
    ...(given(has.times) && { times: { accessed: fields.uint32(), modified: fields.uint32() } }),
    ...(given(has.extended) && { extended: readExtended(fields) }),
  }
}

function readExtended(fields: Fields): readonly string[] {
  const names: string[] = []
  for (let count = fields.uint32(); count > 0; count -= 1) {
    names.push(fields.string().toString())
    fields.string()
  }
  return names
}

/** `size 0`, `mode 0644`, `owner 0:0`, `times`: what is set, one each. */
export function attributeWords({ size, owner, mode, times, extended = [] }: Attributes): readonly string[] {
  return [
    ...(size === undefined ? [] : [`size ${size}`]),
    ...(owner === undefined ? [] : [`owner ${owner.user}:${owner.group}`]),
    ...(mode === undefined ? [] : [`mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`]),
    ...(times === undefined ? [] : [`modified ${new Date(times.modified * 1000).toISOString()}`]),
    ...extended.map((name) => `attribute ${JSON.stringify(name)}`),
  ]
}
