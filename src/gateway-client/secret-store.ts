/**
 * Where tokens are kept on this machine: the operating system's keychain where it works, else a file that only its owner
 * can read. Which of the two is decided at sign-in and remembered, so that no later command has to probe.
 */
import { existsSync } from 'node:fs'
import { chmod, mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { hoopError } from '../contract/error-codes.ts'
import { reasonOf } from '../base/errors.ts'
import { withLock } from './lock.ts'

export type StoreKind = 'keychain' | 'file'

export interface SecretStore {
  readonly kind: StoreKind
  /** For people: `the Secret Service keychain`, `/home/ana/.local/state/hoop/tokens.json (mode 0600)`. */
  readonly where: string
  get(account: string): Promise<string | undefined>
  set(account: string, value: string): Promise<void>
  delete(account: string): Promise<void>
}

/** What we need of a keychain: keytar's interface. */
export interface Keychain {
  getPassword(service: string, account: string): Promise<string | null>
  setPassword(service: string, account: string, password: string): Promise<void>
  deletePassword(service: string, account: string): Promise<boolean>
}

const service = 'hoop'
/** A keychain may ask its owner to unlock it; beyond that it is not going to answer. */
const answerMs = 30_000

export function fileStore(folder: string): SecretStore {
  const path = join(folder, 'tokens.json')

  async function read(): Promise<Record<string, string>> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}'
      throw hoopError('internal', `cannot read ${path} (${reasonOf(error)})`, { cause: error })
    })
    try {
      const entries = Object.entries(JSON.parse(text) as Record<string, unknown>)
      return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
    } catch {
      // Half a file from elsewhere: as good as none, and the next sign-in replaces it.
      return {}
    }
  }

  /** Two processes that sign in to two gateways must not write over each other. */
  async function alone(change: () => Promise<void>): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await withLock(`${path}.lock`, change)
  }

  return {
    kind: 'file',
    where: `${path} (mode 0600)`,
    get: async (account) => (await read())[account],
    set: (account, value) =>
      alone(async () => writePrivately(path, JSON.stringify({ ...(await read()), [account]: value }))),
    delete: (account) =>
      alone(async () => {
        const { [account]: _gone, ...rest } = await read()
        if (Object.keys(rest).length > 0) await writePrivately(path, JSON.stringify(rest))
        else await unlink(path).catch(ignoreMissing)
      }),
  }
}

/** Whole or not at all, and never readable by others, not even for an instant. */
export async function writePrivately(path: string, text: string): Promise<void> {
  const folder = join(path, '..')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

export function keychainStore(keychain: Keychain, name: string): SecretStore {
  return {
    kind: 'keychain',
    where: name,
    get: async (account) => (await inTime(keychain.getPassword(service, account), name)) ?? undefined,
    set: (account, value) => inTime(keychain.setPassword(service, account, value), name),
    delete: async (account) => {
      await inTime(keychain.deletePassword(service, account), name)
    },
  }
}

async function inTime<T>(answer: Promise<T>, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          hoopError('internal', `${name} does not answer`, { hint: 'set HOOP_TOKEN_STORE=file and sign in again' }),
        ),
      answerMs,
    )
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What the keychain is called here; undefined where there can be none. Opens no more than a socket. */
export async function keychainName(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  if (platform === 'darwin') return 'the macOS keychain'
  if (platform === 'win32') return 'the Windows credential manager'
  if (platform !== 'linux' && platform !== 'freebsd') return undefined
  // The native library waits for a D-Bus that does not answer, blocking the whole process: look before it does.
  return (await isBusAlive(env)) ? 'the Secret Service keychain' : undefined
}

async function isBusAlive(env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  const address = env.DBUS_SESSION_BUS_ADDRESS ?? (env.XDG_RUNTIME_DIR ? `unix:path=${env.XDG_RUNTIME_DIR}/bus` : '')
  const path = address.match(/^unix:(?:.*,)?path=([^,;]+)/)?.[1]
  const abstract = address.match(/^unix:(?:.*,)?abstract=([^,;]+)/)?.[1]
  if (path !== undefined && !existsSync(path)) return false
  const socketPath = path ?? (abstract === undefined ? undefined : `\0${abstract}`)
  if (socketPath === undefined) return false
  return new Promise((resolve) => {
    const socket = createConnection(socketPath)
    // A bus speaks when spoken to (https://dbus.freedesktop.org/doc/dbus-specification.html#auth-protocol): a socket that
    // accepts and says nothing is the case that hangs.
    const finish = (alive: boolean) => {
      socket.destroy()
      resolve(alive)
    }
    socket.setTimeout(1000, () => finish(false))
    socket.on('error', () => finish(false))
    socket.on('close', () => resolve(false))
    socket.on('data', (answer) => finish(/^(OK|REJECTED|DATA|ERROR)/.test(answer.toString('latin1'))))
    socket.write('\0AUTH\r\n')
  })
}

/**
 * The native keychain. On Linux pinned to the Secret Service: left alone the library falls back to the kernel's keyring
 * without a word, and what is kept there is gone after the next start of the machine.
 */
export async function loadKeychain(platform: NodeJS.Platform): Promise<Keychain> {
  if (platform === 'darwin' || platform === 'win32') {
    const { default: keytar } = await import('@napi-rs/keyring/keytar.js')
    return keytar
  }
  const { AsyncEntry } = await import('@napi-rs/keyring')
  const entry = (name: string, account: string) => new AsyncEntry(name, account, { linux: { store: 'secret-service' } })
  return {
    getPassword: async (name, account) => (await entry(name, account).getPassword()) ?? null,
    setPassword: (name, account, password) => entry(name, account).setPassword(password),
    deletePassword: async (name, account) => entry(name, account).deletePassword(),
  }
}

export interface StoreChoice {
  /** `auto`: the keychain if it works. */
  readonly wish: 'auto' | StoreKind
  readonly folder: string
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  /** Replaced in tests. */
  readonly load?: ((platform: NodeJS.Platform) => Promise<Keychain>) | undefined
}

/** For a sign-in: a store that has just proved that it can keep a secret and give it back. */
export async function chooseStore(choice: StoreChoice): Promise<{ store: SecretStore; why?: string }> {
  if (choice.wish === 'file') return { store: fileStore(choice.folder) }
  try {
    const store = await openStore('keychain', choice)
    const proof = randomBytes(8).toString('hex')
    await store.set('probe', proof)
    const back = await store.get('probe')
    await store.delete('probe')
    if (back !== proof) throw hoopError('internal', `${store.where} does not give back what it keeps`)
    return { store }
  } catch (error) {
    if (choice.wish === 'keychain') throw error
    return { store: fileStore(choice.folder), why: reasonOf(error) }
  }
}

/** The store that a sign-in has chosen before. */
export async function openStore(kind: StoreKind, choice: StoreChoice): Promise<SecretStore> {
  if (kind === 'file') return fileStore(choice.folder)
  const name = await keychainName(choice.platform, choice.env)
  if (name === undefined) throw hoopError('internal', 'there is no keychain here (no session bus)')
  try {
    return keychainStore(await (choice.load ?? loadKeychain)(choice.platform), name)
  } catch (error) {
    throw hoopError('internal', `${name} cannot be used (${reasonOf(error)})`, { cause: error })
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
