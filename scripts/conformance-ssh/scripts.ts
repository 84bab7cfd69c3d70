/** Which of OpenSSH's scripts are run, and which lines of them may differ through the door: with the reason for each. */

export interface Difference {
  /** What a script says only through the door, or only directly. */
  readonly line: RegExp
  /** So often at most; a line more is not explained by it. */
  readonly times?: number
  readonly why: string
}

export interface Script {
  readonly name: string
  readonly differences?: readonly Difference[]
}

/** What the gateway offers to clients: src/gateway/protocols/ssh/algorithms.ts. */
const notOffered: readonly Difference[] = [
  {
    line: /cipher (3des-cbc|aes(128|192|256)-cbc|rijndael-cbc@lysator\.liu\.se)$/,
    why: 'ciphers in CBC mode are offered to no client',
  },
  {
    line: /cipher chacha20-poly1305@openssh\.com$/,
    why: 'chacha20-poly1305 is not offered: AES-GCM is several times as fast here',
  },
  {
    line: /mac (?!hmac-sha2-(256|512)-etm@openssh\.com )\S+ cipher aes(128|192|256)-ctr$/,
    why: 'the only MACs offered are SHA-2 over what was encrypted (-etm): the others are graded weak, or ssh2 has not got them',
  },
]

/** `ssh: corrupted copy` is also what a forward over TCP would be told by: once is the socket's. */
const noSockets: readonly Difference[] = [
  /cmp: EOF on OBJ\/copy which is empty$/,
  /ssh: corrupted copy of OBJ\/data$/,
  /connect to local forward path failed$/,
  /request remote forward failed$/,
  /connect to remote forwarded path failed$/,
].map((line) => ({ line, times: 1, why: 'sockets in the file system are not forwarded: rules know hosts and ports' }))

export const scripts: readonly Script[] = [
  { name: 'connect' },
  { name: 'connect-uri' },
  { name: 'transfer' },
  { name: 'exit-status' },
  { name: 'exit-status-signal' },
  { name: 'envpass' },
  { name: 'stderr-data' },
  { name: 'stderr-after-eof' },
  { name: 'broken-pipe' },
  { name: 'yes-head' },
  { name: 'sftp' },
  { name: 'sftp-cmds' },
  { name: 'sftp-badcmds' },
  { name: 'sftp-batch' },
  { name: 'sftp-glob' },
  { name: 'sftp-perm' },
  { name: 'sftp-uri' },
  { name: 'sftp-chroot' },
  { name: 'scp' },
  { name: 'scp3' },
  { name: 'scp-uri' },
  { name: 'multiplex', differences: noSockets },
  { name: 'forwarding' },
  { name: 'dynamic-forward' },
  { name: 'try-ciphers', differences: notOffered },
]
