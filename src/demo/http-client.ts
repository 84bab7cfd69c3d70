/** One request as people make it from a shell: with curl, or with Node's own fetch where there is no curl. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hoopError } from '../contract/error-codes.ts'

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

export type Ask = (method: string, url: string, fields?: Readonly<Record<string, string>>) => Promise<HttpAnswer>

export interface HttpClient {
  /** `curl`, or what stands in for it. */
  readonly name: string
  readonly ask: Ask
}

export async function findHttpClient(): Promise<HttpClient> {
  const isThere = await run(['--version']).then(
    () => true,
    () => false,
  )
  return isThere ? { name: 'curl', ask: askByCurl } : { name: 'fetch, because curl is not installed', ask: askByFetch }
}

const askByCurl: Ask = async (method, url, fields = {}) => {
  const headers = Object.entries(fields).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const said = await run(['-sS', '--max-time', '60', '-X', method, ...headers, '-w', '\n%{http_code}', url])
  const end = said.lastIndexOf('\n')
  return { status: Number(said.slice(end + 1)), text: said.slice(0, end) }
}

const askByFetch: Ask = async (method, url, headers = {}) => {
  const answer = await fetch(url, { method, headers, signal: AbortSignal.timeout(60_000) })
  return { status: answer.status, text: await answer.text() }
}

async function run(args: readonly string[]): Promise<string> {
  // Without the user's own .curlrc, and around any proxy: the port is on this machine.
  const child = spawn('curl', ['-q', '--noproxy', '*', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { out: '', error: '' }
  child.stdout.on('data', (chunk) => {
    said.out += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    said.error += String(chunk)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw hoopError('internal', `curl ended with ${code}: ${said.error.trim()}`)
  return said.out
}
