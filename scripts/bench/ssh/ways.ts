/** Ways to the server, each a host of one ssh_config: what is run on them is the same line but for that name. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { targetName, type SshWorld } from './world.ts'

const program = fileURLToPath(new URL('../../../bin/hoop.js', import.meta.url))

export const sshWays = ['direct', 'jump', 'proxy', 'cli'] as const
export type SshWay = (typeof sshWays)[number]

const gcmFirst = 'Ciphers ^aes128-gcm@openssh.com,aes256-gcm@openssh.com'

/** Gives back the file. Host keys are looked at on each way as usual; which key is right is not what is measured. */
export async function writeConfig({ folder, target, jump, port }: SshWorld): Promise<string> {
  const file = join(folder, 'ssh_config')
  const host = (name: string, lines: readonly string[]) =>
    `Host ${name}\n${lines.map((line) => `  ${line}\n`).join('')}`
  const at = (to: { readonly port: number }, key: string) => [
    'HostName 127.0.0.1',
    `Port ${to.port}`,
    `IdentityFile ${key}`,
    `HostKeyAlias ${to.port}`,
  ]
  const text = [
    host('direct', at(target, target.clientKeyFile)),
    host('hop', at(jump, jump.clientKeyFile)),
    host('jump', [...at(target, target.clientKeyFile), 'ProxyJump hop']),
    host('proxy', [
      `ProxyCommand ${process.execPath} ${program} proxy ${targetName}`,
      'PubkeyAuthentication no',
      // As "hoop ssh-config" writes it.
      gcmFirst,
    ]),
    host('cli', [
      'HostName 127.0.0.1',
      `Port ${port}`,
      'HostKeyAlias cli',
      'PubkeyAuthentication no',
      // As the config has it that "hoop connect" gives to its program.
      gcmFirst,
    ]),
    host('*', [
      `User ${target.user}`,
      'IdentitiesOnly yes',
      'BatchMode yes',
      'StrictHostKeyChecking accept-new',
      `UserKnownHostsFile ${join(folder, 'known_hosts')}`,
      'LogLevel ERROR',
    ]),
  ]
  await writeFile(file, text.join('\n'))
  return file
}
