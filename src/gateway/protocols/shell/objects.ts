/** The files and hosts that a program's words name, and how much of a disk they mean. */
import { posix } from 'node:path'
import { unknownName } from '../../../contract/command.ts'
import type { Word } from './tree.ts'

/** Everything that words may name: operands, and paths in options (`--file=/etc/x`, `if=/dev/sda`). */
export function named(words: readonly Word[]): readonly string[] {
  return words.flatMap(objectsOf)
}

function objectsOf(word: Word): readonly string[] {
  const { value, fixed } = word
  const own = /^-./.test(value) ? [] : [normal(value)]
  const slash = value.indexOf('/')
  const equals = value.indexOf('=')
  const inner = equals >= 0 ? value.slice(equals + 1) : value.startsWith('-') && slash > 0 ? value.slice(slash) : ''
  const all = inner === '' || (equals >= 0 && slash < 0 && !value.startsWith('-')) ? own : [...own, normal(inner)]
  return fixed || isPlainGlob(word) ? all : [...all, unknownName]
}

/** A pattern fits nothing outside the folder that is written before it, but for `.*`, which fits `..` in many shells. */
export function isPlainGlob({ raw, hidden, scripts }: Word): boolean {
  return !hidden && scripts.length === 0 && !/[$`{~\\]|(?:^|\/)\.[*?[]/.test(raw)
}

/** Words as a rule may compare them: beside those that are expanded stands that they may be anything. */
export function shown(words: readonly Word[]): string[] {
  return words.flatMap((word) => (word.fixed ? [word.value] : [word.value, unknownName]))
}

/** Absolute paths without `//`, `.` and `..`; relative ones as written, because nobody knows from where. */
export function normal(path: string): string {
  if (!path.startsWith('/')) return path
  const plain = posix.normalize(path).replace(/^\/\//, '/')
  return plain.length > 1 ? plain.replace(/\/$/, '') : plain
}

/** A whole disk's, system's, person's or folder's content, or what may be that. */
export function isBroad(word: Word): boolean {
  if (!word.fixed && !isPlainGlob(word) && /^[/.~]*$|^\/[^/]*$/.test(word.head.replace(/[*?[].*$/, ''))) return true
  const path = normal(word.value).replace(/(?:\/(?:\.|\*|\.\*|\{.*\})?)+$/, '')
  return /^(?:\.{0,2}|~[^/]*|\/[^/]*|[*?.]+|(?:\.\.\/?)+)$/.test(path) || /^\/home\/[^/]*$/.test(path)
}

/** Devices that hold disks, and what the kernel does when it is written to. */
export function isDevice(path: string): boolean {
  return /^\/(?:dev|proc|sys)(?:\/|$)/.test(normal(path)) && !isSink(path)
}

/** What takes whatever is written to it, and changes nothing. */
export function isSink(path: string): boolean {
  return /^\/dev\/(?:null|stdout|stderr|tty|fd\/\d+)$/.test(normal(path))
}
