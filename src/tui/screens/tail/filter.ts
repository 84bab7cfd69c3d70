/** The tail's filter: `user:dev target:pg verdict:deny words …` typed, a TailFilter kept, and back. */
import { type AuditRecord, verdicts } from '../../../contract/record.ts'
import type { TailFilter } from '../../source.ts'
import { searchable } from './describe.ts'

type Parsed = { readonly filter: TailFilter } | { readonly mistake: string }

export function parseFilter(typed: string): Parsed {
  const found: { -readonly [K in keyof TailFilter]: TailFilter[K] } = {}
  const words: string[] = []
  for (const word of typed.split(/\s+/).filter(Boolean)) {
    const [, key, value = ''] = /^(user|target|session|verdict):(.*)$/.exec(word) ?? []
    if (key === undefined) words.push(word)
    else if (value === '') return { mistake: `what ${key}? Write ${key}:something.` }
    else if (key === 'user' || key === 'target' || key === 'session') found[key] = value
    else {
      const verdict = verdicts.find((name) => name === value)
      if (verdict === undefined) return { mistake: `a verdict is one of ${verdicts.join(', ')}.` }
      found.verdict = verdict
    }
  }
  if (words.length > 0) found.text = words.join(' ')
  return { filter: found }
}

export function formatFilter({ user, target, session, verdict, text }: TailFilter): string {
  const named = Object.entries({ user, target, session, verdict }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}:${value}`],
  )
  return [...named, ...(text === undefined ? [] : [text])].join(' ')
}

/** A record's test, with what can be prepared done once. */
export function createMatcher(filter: TailFilter): (record: AuditRecord) => boolean {
  const words = (filter.text ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const has = (value: string | null, wanted: string | undefined): boolean =>
    wanted === undefined || (value ?? '').toLowerCase().includes(wanted.toLowerCase())
  return (record) => {
    if (filter.verdict !== undefined && !(record.type === 'command' && record.decision.verdict === filter.verdict))
      return false
    if (!has(record.user, filter.user) || !has(record.target, filter.target) || !has(record.session, filter.session))
      return false
    if (words.length === 0) return true
    const text = searchable(record)
    return words.every((word) => text.includes(word))
  }
}
