/**
 * Our entries in the person's own kubeconfig, put in and taken out again. Everything else in it stays as it is, to the letter;
 * what would not is refused. The current context is the person's choice, unless there is none.
 */
import { isDeepStrictEqual } from 'node:util'
import { parse } from 'yaml'
import { hoopError } from '../contract/error-codes.ts'
import { clusterOf, contextOfEntry, type KubeEntry, userOf } from './kubeconfig.ts'
import { openYaml, type YamlText } from './yaml-text.ts'

const lists = { clusters: clusterOf, users: userOf, contexts: contextOfEntry } as const
const listNames = ['clusters', 'users', 'contexts'] as const

/** undefined: there is no file yet. Throws where an entry of that name is somebody else's. */
export function withEntries(text: string | undefined, entries: readonly KubeEntry[], file: string): string {
  const before = text?.trim() ? text : 'apiVersion: v1\nkind: Config\n'
  const names = namesOf(entries)
  const yaml = read(before, file)
  for (const cluster of yaml.itemsOf('clusters')) {
    if (!isNamed(cluster, names) || isOurs(cluster)) continue
    throw hoopError('usage', `${file} has a cluster "${cluster.name}" that hoop did not write`, {
      hint: 'rename it there, or leave out --merge',
    })
  }
  takeOut(yaml, names)
  for (const list of listNames) for (const entry of entries) yaml.addTo(list, lists[list](entry))
  const [first] = entries
  if (first !== undefined && !yaml.get('current-context')) yaml.set('current-context', first.name)
  return checked(before, yaml.text, entries, entries, file)
}

export function withoutEntries(text: string, entries: readonly KubeEntry[], file: string): string {
  const names = namesOf(entries)
  const yaml = read(text, file)
  takeOut(yaml, names)
  if (names.has(String(yaml.get('current-context')))) yaml.set('current-context', '')
  return checked(text, yaml.text, entries, [], file)
}

function read(text: string, file: string): YamlText {
  try {
    return openYaml(text)
  } catch (error) {
    throw hoopError('usage', `cannot read ${file} as a kubeconfig (${String(error).split('\n')[0]})`, {
      cause: error,
      hint: 'correct it, or leave out --merge: hoop connect then has a file of its own',
    })
  }
}

function takeOut(yaml: YamlText, names: ReadonlySet<string>): void {
  for (const list of listNames) yaml.removeFrom(list, (item) => isNamed(item, names))
}

function namesOf(entries: readonly KubeEntry[]): ReadonlySet<string> {
  return new Set(entries.map(({ name }) => name))
}

function isNamed(item: unknown, names: ReadonlySet<string>): item is { readonly name: string } {
  return typeof item === 'object' && item !== null && 'name' in item && names.has(String(item.name))
}

/** A port of this machine, and nothing that ours do not have. */
function isOurs(cluster: { readonly name: string; readonly cluster?: { readonly server?: unknown } }): boolean {
  const server = cluster.cluster?.server
  return (
    typeof server === 'string' &&
    /^http:\/\/127\.0\.0\.1:\d+$/.test(server) &&
    isDeepStrictEqual(cluster, clusterOf({ name: cluster.name, server }))
  )
}

/** Written only if whoever reads it finds everything of theirs as it was, and of ours just what is `wanted`. */
function checked(
  before: string,
  after: string,
  ours: readonly KubeEntry[],
  wanted: readonly KubeEntry[],
  file: string,
): string {
  const names = namesOf(ours)
  const [was, is] = [parsed(before, names), parsed(after, names)]
  const expected = listNames.map((list) => wanted.map((entry) => lists[list](entry)))
  if (isDeepStrictEqual(was.theirs, is.theirs) && isDeepStrictEqual(is.ours, expected)) return after
  throw hoopError('internal', `cannot change ${file} without changing what is yours in it`, {
    hint: 'leave out --merge: hoop connect then has a file of its own',
  })
}

function parsed(text: string, names: ReadonlySet<string>): { theirs: unknown; ours: unknown } {
  const config: Record<string, unknown> = parse(text)
  const items = (list: string): readonly unknown[] => (Array.isArray(config[list]) ? config[list] : [])
  const kept = listNames.map((list) => [list, items(list).filter((item) => !isNamed(item, names))] as const)
  const current = String(config['current-context'] ?? '')
  return {
    theirs: { ...config, ...Object.fromEntries(kept), 'current-context': names.has(current) ? '' : current },
    ours: listNames.map((list) => items(list).filter((item) => isNamed(item, names))),
  }
}
