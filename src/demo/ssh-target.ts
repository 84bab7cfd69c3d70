/**
 * The demo's SSH target: OpenSSH's server where it is installed, the small one elsewhere; and what lies in its folder, with
 * things in it that must not be seen. Nothing here belongs to anybody.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { customers } from './shop.ts'

export interface SshTarget {
  /** For people: what it is. */
  readonly about: string
  /** Whether it has terminals, SFTP and forwards. */
  readonly isOpenSsh: boolean
  readonly host: string
  readonly port: number
  readonly user: string
  /** `ssh-ed25519 AAAA…`: what the server shows. */
  readonly hostKey: string
  /** The private key of who may log in, in OpenSSH's format. */
  readonly clientKey: string
  /** HOME of what runs there, and where it starts. */
  readonly home: string
  /** What it was asked to run, byte for byte and in order; null stands for a shell. */
  asked(): Promise<readonly (string | null)[]>
  /** Ends it with everything that runs there. */
  stop(): Promise<void>
}

const shownCustomers = customers.slice(0, 12)

/** Addresses and cards in them are the ones of the shop's customers. */
export const sampleFiles: Readonly<Record<string, string>> = {
  'app/README.md': '# The shop\n\nDeployed by hand, sadly. Old releases are below ../releases.\n',
  'app/config/settings.ini': '[shop]\nname = The Shop\nworkers = 4\n',
  'app/log/orders.log': shownCustomers
    .map(
      ({ id, email, card }) => `2026-01-${String(id).padStart(2, '0')} order ${1000 + id} by ${email} card ${card}\n`,
    )
    .join(''),
  'releases/2025-11-02/shop.tar': 'not really an archive\n',
  'releases/2025-12-14/shop.tar': 'not really an archive\n',
  'cache/pages/index.html': '<p>cached</p>\n',
}

export async function fillFolder(home: string): Promise<void> {
  for (const [path, text] of Object.entries(sampleFiles)) {
    await mkdir(dirname(join(home, path)), { recursive: true })
    await writeFile(join(home, path), text)
  }
}
