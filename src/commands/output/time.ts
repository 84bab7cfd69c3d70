/** Times and durations, to read and to write. Pure: the moment "now" is an argument. */
import { hoopError } from '../../contract/error-codes.ts'

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** `500ms`, `30s`, `10m`, `2h`, `1d`, `1w` → milliseconds; undefined if it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = text.match(/^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/)
  if (match === null) return undefined
  const unit = match[2] as keyof typeof units // The expression above lists exactly these.
  return Number(match[1]) * units[unit]
}

/** How long ago (`10m`), or a moment (`2026-01-31`, `2026-01-31T09:00`, `…Z`); local time where no zone is named. */
export function parseMoment(text: string, now: number, flag: string): string {
  const ago = parseDuration(text)
  if (ago !== undefined) return new Date(now - ago).toISOString()
  const local = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text
  const moment = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(local) ? Date.parse(local.replace(' ', 'T')) : Number.NaN
  if (Number.isNaN(moment))
    throw hoopError('usage', `${flag} does not understand "${text}"`, {
      hint: 'give how long ago (30s, 10m, 2h, 1d) or a moment (2026-01-31T09:00, with Z for UTC)',
    })
  return new Date(moment).toISOString()
}

/** `14:03:11` today, `01-31 14:03:11` on another day; local time. */
export function clockTime(iso: string, now: number): string {
  const moment = new Date(iso)
  if (Number.isNaN(moment.getTime())) return iso
  const two = (value: number) => String(value).padStart(2, '0')
  const time = `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}`
  if (moment.toDateString() === new Date(now).toDateString()) return time
  return `${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${time}`
}

/** `340 ms`, `4.2 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function inWords(durationMs: number): string {
  const ms = Math.max(0, durationMs)
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`
  if (ms < 10_000) return `${Math.round(ms / 100) / 10} s`
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** `in 12 min` or `4.2 s ago`. */
export function fromNow(iso: string, now: number): string {
  const distance = Date.parse(iso) - now
  if (Number.isNaN(distance)) return iso
  return distance >= 0 ? `in ${inWords(distance)}` : `${inWords(-distance)} ago`
}
