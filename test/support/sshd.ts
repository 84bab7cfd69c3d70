/**
 * OpenSSH's server as tests use it: src/demo/sshd.ts with an authority for certificates, and questions about what it saw.
 * It knows no passwords (that needs PAM or the system's shadow file): logins by password are tested against
 * src/demo/ssh-server.ts.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '../../src/gateway/protocols/ssh/index.ts'
import { findSshd, type Sshd, type SshdOptions, startSshd } from '../../src/demo/sshd.ts'

export interface TestSshdOptions extends SshdOptions {
  /** Environment variables (globs) that the server takes. */
  readonly acceptEnv?: readonly string[]
  /** Lets in by certificate only. */
  readonly authority?: boolean
}

export interface TestSshd extends Sshd {
  /** The private key of the authority whose certificates are taken; with `authority` only. */
  readonly authorityKey: string
  /** Was it asked to run exactly this? */
  hasSeen(command: string): Promise<boolean>
}

export async function startTestSshd({
  acceptEnv = [],
  authority = false,
  ...options
}: TestSshdOptions = {}): Promise<TestSshd> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'hoop-test-sshd-')))
  const { private: authorityKey, public: authorityPublic } = generateKeyPair()
  const trusted = join(folder, 'authority.pub')
  if (authority) await writeFile(trusted, `${authorityPublic}\n`)
  const sshd = await startSshd({
    ...options,
    folder,
    lines: [
      ...(options.lines ?? []),
      ...(acceptEnv.length === 0 ? [] : [`AcceptEnv ${acceptEnv.join(' ')}`]),
      ...(authority ? [`TrustedUserCAKeys ${trusted}`, 'AuthorizedKeysFile none'] : []),
    ],
  })
  return { ...sshd, authorityKey, hasSeen: async (command) => (await sshd.asked()).includes(command) }
}

/** In CI it has to be there; elsewhere its tests are left out, loudly. */
export function hasSshd(): boolean {
  if (findSshd() !== undefined) return true
  if (process.env.CI !== undefined) throw new Error('sshd is missing, and CI has to have it')
  console.warn('LEFT OUT: the tests with OpenSSH’s server, because there is no sshd here')
  return false
}
