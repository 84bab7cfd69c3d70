/**
 * Where hoop keeps its files: the XDG base directories (https://specifications.freedesktop.org/basedir-spec), which are
 * also used on macOS and Windows so that documentation has one answer. Names only; folders are made by who writes.
 */
import { isAbsolute, join } from 'node:path'

export interface Paths {
  /** What the person writes: `config.json`. */
  readonly config: string
  /** What hoop remembers: sign-ins, ports, and tokens where there is no keychain. */
  readonly state: string
  /** What may be deleted at any time. */
  readonly cache: string
}

export function createPaths(env: Readonly<Record<string, string | undefined>>, home: string): Paths {
  return {
    config: join(folder(env.XDG_CONFIG_HOME, join(home, '.config')), 'hoop'),
    state: join(folder(env.XDG_STATE_HOME, join(home, '.local', 'state')), 'hoop'),
    cache: join(folder(env.XDG_CACHE_HOME, join(home, '.cache')), 'hoop'),
  }
}

/** The specification: a relative path is invalid and is ignored. */
function folder(given: string | undefined, otherwise: string): string {
  return given !== undefined && isAbsolute(given) ? given : otherwise
}
