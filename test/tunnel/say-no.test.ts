/** What a person sees whose connection cannot be opened: OpenSSH's own words for it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sayNo } from '../../src/tunnel/say-no.ts'
import { isInstalled } from '../support/built-cli.ts'

describe.runIf(isInstalled('ssh', '-V'))('ssh', () => {
  test.each([
    ['a sentence and what to do', 'session ses_1 was killed by root@acme: enough', 'ask them'],
    ['a sentence whose packet needs another padding', 'no', undefined],
  ])('prints %s, and ends with 255', async (_what, message, hint) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      sayNo('ssh', socket, { message, hint })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no address')
    const child = spawn('ssh', ['-F', 'none', '-p', String(address.port), '127.0.0.1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    const [code] = await once(child, 'close')
    expect(stderr).toContain(`Received disconnect from 127.0.0.1 port ${address.port}:11: ${message}`)
    if (hint !== undefined) expect(stderr).toContain(`; ${hint}`)
    expect(code).toBe(255)
  })
})
