/** What the lines of scp's old protocol say: how the side that has the files announces each. Pure. */
import { isUtf8 } from 'node:buffer'
import { ScpBroken } from './wire.ts'

export type Announcement =
  | { readonly kind: 'file'; readonly mode: string; readonly size: number; readonly name: string }
  | { readonly kind: 'directory'; readonly mode: string; readonly name: string }
  | { readonly kind: 'end of directory' }
  /** When the next one was changed and looked at. */
  | { readonly kind: 'times' }
  /** Something about a file went wrong, and it goes on; or it does not. */
  | { readonly kind: 'warning' | 'end' }

const announced = /^([CD])([0-7]{4}) (\d{1,16}) (.+)$/s

/** Throws ScpBroken. `who` sends it. */
export function readAnnouncement(line: Buffer, who: string): Announcement {
  if (line[0] === 1) return { kind: 'warning' }
  if (line[0] === 2) return { kind: 'end' }
  if (!isUtf8(line)) throw new ScpBroken(`${who} names a file in bytes that are not UTF-8`)
  const text = line.toString()
  if (text === 'E') return { kind: 'end of directory' }
  if (/^T\d+ \d+ \d+ \d+$/.test(text)) return { kind: 'times' }
  const [, letter, mode, size, name] = announced.exec(text) ?? []
  if (mode === undefined || name === undefined) throw new ScpBroken(`${who} sent a line that is not scp's`)
  checkName(name, who)
  if (letter === 'D') return { kind: 'directory', mode, name }
  return { kind: 'file', mode, size: Number(size), name }
}

/** CVE-2019-6111, CVE-2018-20685: a name that leads elsewhere, or does something to a terminal. */
function checkName(name: string, who: string): void {
  if (name === '.' || name === '..' || name.includes('/') || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name))
    throw new ScpBroken(`${who} names a file ${JSON.stringify(name)}, which is no name for one`)
}
