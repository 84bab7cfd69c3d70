/** Kubeconfig files on disk: our own, for as long as a tunnel is open; and the person's, with our entries for that long. */
import { copyFile, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hoopError } from '../contract/error-codes.ts'
import type { KubeEntry } from './kubeconfig.ts'
import { kubeconfigName, kubeconfigText } from './kubeconfig.ts'
import { readText, writeWhole } from './ssh-files.ts'

/** undefined: there is no Kubernetes target. */
export function kubeconfigPath(folder: string, entries: readonly KubeEntry[]): string | undefined {
  const name = kubeconfigName(entries)
  return name === undefined ? undefined : join(folder, name)
}

export async function writeKubeconfig(file: string, entries: readonly KubeEntry[]): Promise<() => Promise<void>> {
  await writeWhole(file, kubeconfigText(entries))
  return () => rm(file, { force: true })
}

/** As kubectl chooses: of several in KUBECONFIG the first that exists, or else the last. */
export async function ownKubeconfig(setting: string | undefined, home: string): Promise<string> {
  const files = (setting ?? '').split(':').filter((file) => file !== '')
  for (const file of files) if (await isThere(file)) return file
  return files.at(-1) ?? join(home, '.kube', 'config')
}

export interface Merged {
  readonly file: string
  /** What it was before; undefined if there was none. */
  readonly backup: string | undefined
  /** Takes our entries out again. What others wrote meanwhile stays. */
  remove(): Promise<void>
}

export async function mergeInto(file: string, entries: readonly KubeEntry[]): Promise<Merged> {
  const { withEntries, withoutEntries } = await import('./kubeconfig-merge.ts')
  const existed = await isThere(file)
  const backup = existed ? `${file}.before-hoop` : undefined
  const added = await locked(file, async () => {
    const text = withEntries(await readText(file), entries, file)
    if (backup !== undefined) await copyFile(file, backup)
    await writeWhole(file, text)
    return text
  })
  return {
    file,
    backup,
    remove: () =>
      locked(file, async () => {
        const text = await readText(file)
        if (text === undefined) return
        if (!existed && text === added) await rm(file)
        else await writeWhole(file, withoutEntries(text, entries, file))
      }),
  }
}

const patienceMs = 2000

/** kubectl's own lock: whoever makes FILE.lock writes. */
async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const lock = `${file}.lock`
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close()
      break
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      if (performance.now() > deadline)
        throw hoopError('usage', `${file} is being changed by another program`, {
          hint: `if none is running, delete ${lock}`,
          cause: error,
        })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}
