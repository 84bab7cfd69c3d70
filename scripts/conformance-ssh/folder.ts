/**
 * OpenSSH's own regression scripts as Debian's package openssh-tests installs them, in a folder where they can be run: they
 * write beside themselves. What is added lets each of them reach its sshd over another way than its own, and nothing else.
 */
import { chmod, cp, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const installed = '/usr/lib/openssh/regress'
export const sftpServer = '/usr/lib/openssh/sftp-server'

/** How clients get to the scripts' two servers; the scripts call the second one "proxy". */
export interface Road {
  /** Where clients find the server that listens. */
  readonly port: number
  /** Where that server listens itself. */
  readonly serverPort: number
  /** ProxyCommand to a server that is started for each connection. */
  readonly proxyCommand: string
  /** Public keys that clients meet on the road, beside those of the servers. */
  readonly hostKeys: readonly string[]
  /** Public keys with which somebody else logs in at the servers. */
  readonly logins: readonly string[]
}

export async function prepareFolder(folder: string, road: Road): Promise<void> {
  await cp(installed, folder, { recursive: true }).catch((cause: unknown) => {
    throw new Error(`no scripts in ${installed}: install openssh-tests`, { cause })
  })
  await runnable(join(folder, 'sftp-through'), sftpThrough)
  await rename(join(folder, 'scp-ssh-wrapper.sh'), join(folder, 'scp-hostile-server.sh'))
  await runnable(join(folder, 'scp-ssh-wrapper.sh'), scpThrough)
  await writeFile(join(folder, 'road.sh'), roadScript(road))
  const driver = join(folder, 'test-exec.sh')
  const text = await readFile(driver, 'utf8')
  const mark = '# source test body\n'
  if (text.split(mark).length !== 2) throw new Error('test-exec.sh is not the one that is known here')
  await writeFile(driver, text.replace(mark, `. "$OBJ/road.sh"\n${mark}`))
}

async function runnable(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o755)
}

/** After the configurations were written, before a script's own lines. */
function roadScript({ port, serverPort, proxyCommand, hostKeys, logins }: Road): string {
  const alias = 'localhost-with-alias,127.0.0.1,::1'
  return `
for f in sshd_config sshd_proxy; do
	sed -i 's/^\\([ 	]*Port[ 	]*\\)${port}$/\\1${serverPort}/' $OBJ/$f
done
sed -i 's|^proxycommand .*|proxycommand ${proxyCommand}|' $OBJ/ssh_proxy
cat >>$OBJ/known_hosts <<'END'
${hostKeys.map((key) => `${alias} ${key}\n`).join('')}END
cat >>$OBJ/authorized_keys_$USER <<'END'
${logins.map((key) => `${key}\n`).join('')}END
SFTPSERVER=$OBJ/sftp-through
export SFTPSERVER OBJ
`
}

/** Where a script would start sftp-server itself: asks the server for it instead, with its options as a command. */
const sftpThrough = `#!/bin/sh
if [ $# -eq 0 ]; then
	exec ssh -q -F "$OBJ/ssh_proxy" -s somehost sftp
fi
exec ssh -q -F "$OBJ/ssh_proxy" somehost "${sftpServer} $*"
`

/** Where a script would start scp itself; servers that lie are still played by the script. */
const scpThrough = `#!/bin/sh
if [ -n "$SCPTESTMODE" ]; then
	exec "$OBJ/scp-hostile-server.sh" "$@"
fi
for last in "$@"; do :; done
exec ssh -q -F "$OBJ/ssh_proxy" somehost "$last"
`
