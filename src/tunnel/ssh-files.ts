/** Files of ours that OpenSSH reads: written whole or not at all, and only when something changed. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { knownHostsText, type SshTarget } from './ssh-settings.ts'

/** Where those of one gateway are: two gateways may both have an `ssh-prod`, with keys of their own. */
export function sshFolder(state: string, gateway: string): string {
  return gatewayFolder(state, 'ssh', gateway)
}

export function gatewayFolder(state: string, kind: 'ssh' | 'kube', gateway: string): string {
  return join(state, kind, gateway.replace(/^https?:\/\//, '').replace(/[^\w.-]+/g, '_'))
}

export function knownHostsPath(folder: string): string {
  return join(folder, 'known_hosts')
}

export async function writeKnownHosts(path: string, targets: readonly SshTarget[]): Promise<void> {
  await writeWhole(path, knownHostsText(targets))
}

/**
 * Keeps the file's permissions, and follows a symbolic link instead of replacing it. Says whether anything changed. OpenSSH
 * refuses a file that others may write.
 */
export async function writeWhole(path: string, text: string): Promise<boolean> {
  const before = await readText(path)
  if (before === text) return false
  const file = before === undefined ? path : await realpath(path)
  const mode = before === undefined ? 0o600 : (await stat(file)).mode & 0o7777
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true })
    await chmod(draft, mode)
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  return true
}

/** undefined: there is no such file. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
