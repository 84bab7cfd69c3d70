/**
 * The subsystem sftp: files, by OpenSSH's own clients (sftp, scp since 9.0, sshfs) and most others. To begin one does
 * nothing by itself; each of its operations is a command (sftp/).
 */
import { runSftp } from '../sftp/run.ts'
import type { RelaySession } from './channel.ts'
import { relayFileChannel } from './file-channel.ts'

export const relaySftp: RelaySession = async (asked, connections, parts) => {
  await relayFileChannel({ asked, connections, parts, begin: () => connections.upstream.sftp(), run: runSftp })
}
