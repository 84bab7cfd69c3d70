/** `hoop proxy` as ssh runs it: the built program between two pipes, and a gateway whose targets only say what they hear. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createScope, type Scope } from '../../src/base/scope.ts'
import { hoop } from '../support/built-cli.ts'
import { type Door, echo, startDoor, startHttp1Front } from '../support/door.ts'
import { emptyHome } from '../support/terminal.ts'

const program = fileURLToPath(new URL('../../bin/hoop.js', import.meta.url))

let scope: Scope
let door: Door
let run: (stream: Duplex) => Promise<void>
beforeEach(async () => {
  scope = createScope()
  run = echo
  door = await startDoor({ run: (stream) => run(stream) })
  scope.defer(() => door.close())
})
afterEach(() => scope.close())

async function env(change: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const home = emptyHome()
  return {
    HOOP_GATEWAY: door.url,
    HOOP_TOKEN: await door.token(),
    XDG_STATE_HOME: home,
    XDG_CONFIG_HOME: home,
    ...change,
  }
}

async function proxy(words: readonly string[], change: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [program, 'proxy', ...words], {
    env: { PATH: process.env.PATH ?? '', ...(await env(change)) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  scope.defer(() => void child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  return child
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (chunk) => out.push(chunk))
  child.stderr?.on('data', (chunk) => err.push(chunk))
  const [code] = await once(child, 'close')
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }
}

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const sessions = () => [...door.sessions.all.values()]

describe('the built program', () => {
  test.each(['upgrade', 'websocket'] as const)(
    'gives every byte back and ends with 0, in a session of its own that ends too (%s)',
    async (transport) => {
      const gateway = transport === 'upgrade' ? door.url : (await front()).url
      const child = await proxy(['pg-prod.hoop'], { HOOP_GATEWAY: gateway, HOOP_REASON: 'für 7', HOOP_AGENT: 'devin' })
      const bytes = randomBytes(8 * 1024 * 1024)
      child.stdin.end(bytes)
      const { code, stdout, stderr } = await ended(child)
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(sha(stdout)).toBe(sha(bytes))
      expect(sessions()).toMatchObject([{ targets: ['pg-prod'], reason: 'für 7', agent: 'devin' }])
      await vi.waitFor(() => expect(door.sessions.ended).toEqual(sessions().map(({ id }) => id)))
    },
  )

  async function front() {
    const http1 = await startHttp1Front(door.port)
    scope.defer(() => http1.close())
    return http1
  }

  test('passes on the target’s end while ssh still talks, and ssh’s end while the target still talks', async () => {
    const heard = Promise.withResolvers<string>()
    run = async (stream) => {
      stream.end('bye')
      heard.resolve(Buffer.concat(await stream.toArray()).toString())
    }
    const child = await proxy(['pg-prod'])
    const out = Buffer.concat(await child.stdout.toArray()).toString()
    // Its stdout is closed, not just silent: ssh sees the end, and may still say something.
    expect(out).toBe('bye')
    child.stdin.end('last words')
    expect(await heard.promise).toBe('last words')
    expect((await ended(child)).code).toBe(0)
  })

  test('holds the target back when ssh does not read', async () => {
    let written = 0
    run = async (stream) => {
      const chunk = Buffer.alloc(64 * 1024)
      for (; written < 64 * 1024 * 1024 && !stream.destroyed; written += chunk.length)
        if (!stream.write(chunk)) await once(stream, 'drain').catch(() => undefined)
    }
    const child = await proxy(['pg-prod'])
    await once(child.stdout, 'readable')
    let before = -1
    await vi.waitFor(
      () => {
        const now = written
        const isStill = now === before
        before = now
        expect(isStill).toBe(true)
      },
      { interval: 300, timeout: 10_000 },
    )
    expect(written).toBeLessThan(16 * 1024 * 1024)
  })

  test('a target that breaks off is one sentence and exit code 1', async () => {
    run = async (stream) => {
      stream.destroy(new Error('pulled out'))
    }
    const child = await proxy(['pg-prod'])
    const { code, stderr } = await ended(child)
    expect(stderr).toMatch(/^hoop: the connection to pg-prod broke \(.+\)\n/)
    expect(code).toBe(1)
  })

  test.each([
    ['a gateway that is away', 'pg-prod', { HOOP_GATEWAY: 'http://127.0.0.1:1' }, 1, 'cannot reach 127.0.0.1:1'],
    ['no sign-in', 'pg-prod', { HOOP_TOKEN: '' }, 4, 'not signed in'],
    ['a bad token', 'pg-prod', { HOOP_TOKEN: 'bad' }, 4, ''],
  ])('%s is one sentence and its exit code', async (_what, target, change, expected, sentence) => {
    const child = await proxy([target], change)
    const { code, stdout, stderr } = await ended(child)
    expect(stdout.length).toBe(0)
    expect(stderr).toContain(sentence)
    expect(stderr).toMatch(/^hoop: .+\n {2}hint: .+\n$/)
    expect(code).toBe(expected)
  })

  test('joins the session of HOOP_SESSION while it lives', async () => {
    const session = await begun()
    const child = await proxy(['pg-prod'], { HOOP_SESSION: session })
    child.stdin.end('x')
    expect((await ended(child)).stdout.toString()).toBe('x')
    expect(sessions()).toHaveLength(1)
    expect(door.sessions.ended).toEqual([])
  })

  test('opens one of its own where that of HOOP_SESSION is forgotten', async () => {
    const child = await proxy(['pg-prod'], { HOOP_SESSION: 'ses_gone' })
    child.stdin.end('x')
    expect((await ended(child)).stdout.toString()).toBe('x')
    expect(sessions()).toHaveLength(1)
  })

  test('does not get around a session that was killed', async () => {
    const session = await begun()
    door.sessions.killed.add(session)
    const { code, stderr } = await ended(await proxy(['pg-prod'], { HOOP_SESSION: session }))
    expect(stderr).toContain('was killed by root@acme')
    expect(code).toBe(1)
    expect(sessions()).toHaveLength(1)
  })

  async function begun(): Promise<string> {
    const answer = await fetch(`${door.url}/v1/sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await door.token()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ targets: ['pg-prod'], reason: null, agent: null }),
    })
    return ((await answer.json()) as { id: string }).id
  }

  test('goes on after Ctrl-C, which is for ssh; ends soon after SIGHUP, by which ssh says that it is done', async () => {
    const child = await proxy(['pg-prod'])
    child.stdin.write('one')
    await once(child.stdout, 'readable')
    child.kill('SIGINT')
    child.stdin.write('two')
    await vi.waitFor(() => expect(child.stdout.readableLength).toBe(6))
    child.kill('SIGHUP')
    child.stdin.end('three')
    const { code, stdout, stderr } = await ended(child)
    expect(stdout.toString()).toBe('onetwothree')
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  test('takes the long way to the same for other spellings of its words', async () => {
    const child = await proxy(['--reason', 'by flag', 'pg-prod'])
    child.stdin.end('x')
    expect((await ended(child)).stdout.toString()).toBe('x')
    expect(sessions()).toMatchObject([{ reason: 'by flag' }])
    expect((await hoop(['proxy'], await env())).code).toBe(2)
  })
})
