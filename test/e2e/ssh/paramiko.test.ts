/** Another client than OpenSSH's: Python's paramiko, as scripts and Ansible use it. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isInstalled, program } from '../../support/built-cli.ts'
import { startSshWorld, type SshWorld } from '../../support/ssh-world.ts'
import { hasSshd } from '../../support/sshd.ts'

/** The system's own, which is the one that Debian's python3-paramiko is for. */
const python = '/usr/bin/python3'

const script = `
import sys, hashlib, io, paramiko
command, home = sys.argv[1:]
sock = paramiko.ProxyCommand(command)
transport = paramiko.Transport(sock)
transport.start_client()
transport.auth_none('anybody')

def run(text, data=b''):
    channel = transport.open_session()
    channel.exec_command(text)
    channel.sendall(data)
    channel.shutdown_write()
    out, err = channel.makefile('rb').read(), channel.makefile_stderr('rb').read()
    return channel.recv_exit_status(), out, err

print('status', run('exit 9')[0])
data = bytes(range(256)) * 4000
print('cat', run('cat', data)[1] == data)
status, out, err = run('sudo id')
print('refused', status, b'nobody-becomes-root' in err)
print('after', run('echo on')[1])

sftp = paramiko.SFTPClient.from_transport(transport)
sftp.putfo(io.BytesIO(data), home + '/put')
print('stat', sftp.stat(home + '/put').st_size)
back = io.BytesIO()
sftp.getfo(home + '/put', back)
print('sftp', back.getvalue() == data)
try:
    sftp.open(home + '/hidden/x', 'w')
except IOError as e:
    print('sftp refused', type(e).__name__)
print('list', 'put' in sftp.listdir(home))
transport.close()
`

describe.runIf(hasSshd() && isInstalled(python, '-c', 'import paramiko'))('paramiko', () => {
  let world: SshWorld
  beforeAll(async () => {
    world = await startSshWorld()
  })
  afterAll(() => world?.stop())

  test('runs commands, is refused, and moves files', async () => {
    const file = join(world.folder, 'client.py')
    await writeFile(file, script)
    const proxy = `${process.execPath} ${program} proxy open`
    const { stdout, stderr, code } = await world.run(python, [file, proxy, world.sshd.home])
    expect(stderr).not.toContain('Traceback')
    expect(stdout.split('\n')).toEqual([
      'status 9',
      'cat True',
      'refused 126 True',
      "after b'on\\n'",
      'stat 1024000',
      'sftp True',
      'sftp refused PermissionError',
      'list True',
      '',
    ])
    expect(code).toBe(0)
  })
})
