/** The version of this very program, as its package says. */
import { readFileSync } from 'node:fs'

export function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}
