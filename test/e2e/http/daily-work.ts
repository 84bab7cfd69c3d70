/**
 * What client programs do with an HTTP API, as one suite: run straight against the server, to know that server and clients do
 * what they claim, and through hoop, where all of it has to come out the same.
 */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { isInstalled } from '../../support/built-cli.ts'
import type { FileServer } from '../../support/file-server.ts'
import { bytesUpTo, type WebServer } from '../../support/web-server.ts'

/** Base URLs, and what stands at their other end. */
export interface Road {
  readonly url: string
  readonly server: WebServer
  readonly filesUrl: string
  readonly files: FileServer
  /** For files of the clients. */
  readonly folder: string
}

const run = promisify(execFile)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The road is asked for when a test runs, not before. */
export function dailyWork(road: () => Road): void {
  const url = (path: string) => road().url + path
  const curl = async (...words: string[]) => {
    const { stdout, stderr } = await run('curl', ['-sS', '--max-time', '40', ...words], {
      encoding: 'buffer',
      maxBuffer: 64 * 1024 * 1024,
    })
    return { bytes: stdout, stdout: stdout.toString(), stderr: stderr.toString() }
  }

  describe.runIf(isInstalled('curl', '--version'))('curl', () => {
    test('GET, POST, PUT, PATCH and DELETE arrive as they were asked', async () => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const body = method === 'GET' ? [] : ['-d', '{"a":1}', '-H', 'Content-Type: application/json']
        const { stdout } = await curl('-X', method, url(`/said/${method}?q=a%20b&q=2`), ...body)
        expect(JSON.parse(stdout)).toMatchObject({ method, url: `/said/${method}?q=a%20b&q=2` })
      }
    })

    test('HEAD has the head of GET and no body', async () => {
      const { stdout } = await curl('-I', url('/bytes/12345'))
      expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      expect(stdout).toMatch(/^content-length: 12345\r$/im)
    })

    test('a range of a file, and a download that goes on where it stopped', async () => {
      const bytes = randomBytes(100_000)
      await writeFile(join(road().files.folder, 'file.bin'), bytes)
      const file = `${road().filesUrl}/file.bin`
      expect((await curl('-r', '10-19', file)).bytes).toEqual(bytes.subarray(10, 20))
      expect((await curl('-r', '-5', file)).bytes).toEqual(bytes.subarray(-5))
      const part = join(road().folder, 'part.bin')
      await writeFile(part, bytes.subarray(0, 40_000))
      await curl('-C', '-', '-o', part, file)
      expect(sha256((await curl(`file://${part}`)).bytes)).toBe(sha256(bytes))
      const { stdout } = await curl('-r', '200000-', '-o', '/dev/null', '-w', '%{http_code}', file)
      expect(stdout).toBe('416')
    })

    test('what has not changed is not sent again', async () => {
      await writeFile(join(road().files.folder, 'page.txt'), 'page\n')
      const page = `${road().filesUrl}/page.txt`
      const [, etag = ''] = /^etag: (.*)\r$/im.exec((await curl('-I', page)).stdout) ?? []
      const { stdout } = await curl('-H', `If-None-Match: ${etag}`, '-w', '%{http_code} %{size_download}', page)
      expect(stdout).toBe('304 0')
    })

    test('a body that waits for 100-continue is sent after it', async () => {
      const bytes = randomBytes(2 * 1024 * 1024)
      const file = join(road().folder, 'upload.bin')
      await writeFile(file, bytes)
      const { stdout, stderr } = await curl('-v', '-T', file, '-H', 'Expect: 100-continue', url('/digest'))
      expect(stderr).toMatch(/^< HTTP\/1\.1 100 Continue/m)
      expect(JSON.parse(stdout)).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) })
    })

    test('a server that says no instead of 100-continue is heard', async () => {
      const file = join(road().folder, 'refused.bin')
      await writeFile(file, randomBytes(2 * 1024 * 1024))
      const words = ['-T', file, '-H', 'Expect: 100-continue', '-H', 'Content-Type: application/octet-stream']
      const { stdout } = await curl('-o', '/dev/null', '-w', '%{http_code}', ...words, url('/too-large'))
      expect(stdout).toBe('413')
    })

    test('a chunked upload and a chunked download are whole', async () => {
      const bytes = randomBytes(3 * 1024 * 1024)
      const file = join(road().folder, 'chunked.bin')
      await writeFile(file, bytes)
      const up = await curl('-T', file, '-H', 'Transfer-Encoding: chunked', '-H', 'Expect:', url('/digest'))
      expect(JSON.parse(up.stdout)).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) })
      const down = await curl(url('/chunked/3000001'))
      expect(sha256(down.bytes)).toBe(sha256(bytesUpTo(3_000_001)))
    })

    test.each(['gzip', 'br', 'zstd'])('an answer packed with %s is unpacked by the client', async (coding) => {
      const { stdout } = await curl('-H', `Accept-Encoding: ${coding}`, '--compressed', url(`/packed/${coding}`))
      expect(stdout).toBe('packed text\n'.repeat(1000))
    })

    test('a redirect leads to where the server meant', async () => {
      const { stdout } = await curl(
        '-L',
        '-w',
        ' %{num_redirects} %{http_code}',
        '-o',
        '/dev/null',
        url('/moved?to=/bytes/5'),
      )
      expect(stdout).toBe(' 1 200')
      const absolute = encodeURIComponent(`${road().server.url}/bytes/5`)
      const led = await curl(
        '-L',
        '-w',
        '%{http_code} %{url_effective}',
        '-o',
        '/dev/null',
        url(`/moved?to=${absolute}`),
      )
      expect(led.stdout).toBe(`200 ${url('/bytes/5')}`)
    })

    test('many requests share one connection', async () => {
      const urls = Array.from({ length: 20 }, (_, at) => url(`/said/${at}`))
      const { stdout } = await curl('-w', '\n%{num_connects}\n', ...urls)
      const connects = stdout.split('\n').filter((line) => /^\d$/.test(line))
      expect(connects).toEqual(['1', ...Array.from({ length: 19 }, () => '0')])
    })

    test('cookies of an answer come apart, and errors of the server as they are', async () => {
      const { stdout } = await curl('-i', url('/cookies'))
      expect(stdout.match(/^set-cookie: .*$/gim)?.map((line) => line.trim().slice(12))).toEqual([
        'a=1; Path=/',
        'b=2; HttpOnly',
      ])
      const missing = await curl('-w', '%{http_code}', '-o', '/dev/null', url('/missing'))
      expect(missing.stdout).toBe('404')
    })
  })

  describe('node’s fetch', () => {
    test('JSON both ways', async () => {
      const response = await fetch(url('/echo'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'ü', list: [1, 2.5, null] }),
      })
      expect(await response.json()).toEqual({ name: 'ü', list: [1, 2.5, null] })
    })

    test('a body as a stream, and an answer that begins before it is over', async () => {
      const body = new ReadableStream({
        async start(controller) {
          for (let at = 0; at < 64; at++) controller.enqueue(bytesUpTo((at + 1) * 65_536, at * 65_536))
          controller.close()
        },
      })
      const response = await fetch(url('/echo'), { method: 'POST', body, duplex: 'half' })
      expect(sha256(new Uint8Array(await response.arrayBuffer()))).toBe(sha256(bytesUpTo(64 * 65_536)))
    })

    test('two hundred requests at once are answered each with its own', async () => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, at) => (await fetch(url(`/bytes/${at}`))).arrayBuffer()),
      )
      expect(answers.map((bytes) => sha256(new Uint8Array(bytes)))).toEqual(
        answers.map((_, at) => sha256(bytesUpTo(at))),
      )
    })

    test('a client that goes away in the middle is no harm to the next', async () => {
      const leaving = new AbortController()
      const response = await fetch(url('/bytes/50000000'), { signal: leaving.signal })
      await response.body?.getReader().read()
      leaving.abort()
      expect(await (await fetch(url('/bytes/10'))).arrayBuffer()).toHaveProperty('byteLength', 10)
    })

    test('events come one by one, when they happen', async () => {
      const leaving = new AbortController()
      const response = await fetch(url('/events'), { headers: { accept: 'text/event-stream' }, signal: leaving.signal })
      expect(response.headers.get('content-type')).toBe('text/event-stream')
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      // Each is sent only after the one before was read: none is kept back for company.
      for (const word of ['one', 'two', 'three']) {
        road().server.event(word)
        expect(await reader?.read()).toEqual({ done: false, value: `data: ${word}\n\n` })
      }
      leaving.abort()
    })
  })

  test('trailers of an answer arrive, and those of a request do no harm', async () => {
    const headers = { trailer: 'X-Sum', 'transfer-encoding': 'chunked' }
    const asked = request(url('/digest'), { method: 'POST', headers })
    asked.write('body')
    asked.addTrailers({ 'X-Sum': 'of the request' })
    asked.end()
    const [answered] = await once(asked, 'response')
    expect(JSON.parse(Buffer.concat(await answered.toArray()).toString())).toMatchObject({ bytes: 4 })
    const [response] = await once(request(url('/trailers'), { headers: { te: 'trailers' } }).end(), 'response')
    expect(Buffer.concat(await response.toArray()).toString()).toBe('body\n')
    expect(response.trailers).toEqual({ 'x-digest': 'of the body' })
  })

  test('keep-alive: one connection of the client carries request after request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number>()
    for (let at = 0; at < 50; at++) {
      const asked = request(url(`/said/${at}`), { agent }).end()
      const [response] = await once(asked, 'response')
      ports.add(response.socket.localPort)
      expect(JSON.parse(Buffer.concat(await response.toArray()).toString()).url).toBe(`/said/${at}`)
    }
    expect(ports.size).toBe(1)
    agent.destroy()
  })

  describe('a WebSocket', () => {
    test('carries texts and bytes of every size both ways, and its close code', async () => {
      const socket = new WebSocket(url('/socket').replace('http', 'ws'), ['chat', 'other'])
      await once(socket, 'open')
      expect(socket.protocol).toBe('chat')
      for (const length of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
        socket.send(bytesUpTo(length))
        const [data, isBinary] = await once(socket, 'message')
        expect(isBinary).toBe(true)
        expect(sha256(data)).toBe(sha256(bytesUpTo(length)))
      }
      socket.send('ü')
      const [text, isBinary] = await once(socket, 'message')
      expect([text.toString(), isBinary]).toEqual(['ü', false])
      socket.ping('there?')
      expect((await once(socket, 'pong'))[0].toString()).toBe('there?')
      socket.close(4001, 'done')
      expect((await once(socket, 'close'))[0]).toBe(4001)
    })

    test('that the server refuses is refused with the server’s answer', async () => {
      const socket = new WebSocket(url('/missing').replace('http', 'ws'))
      socket.on('error', () => undefined)
      const [, response] = await once(socket, 'unexpected-response')
      expect(response.statusCode).toBe(404)
      socket.terminate()
    })
  })

  describe.runIf(isInstalled('python3', '-c', 'import requests'))('python3-requests', () => {
    const python = async (script: string) => {
      const { stdout } = await run('python3', [
        '-c',
        `import requests, json, hashlib, sys\nbase = sys.argv[1]\n${script}`,
        road().url,
      ])
      return stdout
    }

    test('a session with JSON, a form, files and a streamed download', async () => {
      const script = `
s = requests.Session()
print(s.post(base + '/echo', json={'a': [1, 2]}).json())
print(s.post(base + '/echo', data={'x': 'a b', 'y': 'ü'}).text)
answer = s.post(base + '/digest', files={'file': ('name.bin', b'z' * 1000000)}).json()
print(answer['bytes'] > 1000000)
h = hashlib.sha256()
with s.get(base + '/chunked/5000000', stream=True) as r:
    for chunk in r.iter_content(65536): h.update(chunk)
print(h.hexdigest())
def parts():
    for n in range(100): yield b'part' * 1000
print(s.post(base + '/digest', data=parts()).json()['bytes'])
print(s.get(base + '/packed/gzip').text.count('packed text'))
print(s.get(base + '/missing').status_code)
`
      expect(await python(script)).toBe(
        ["{'a': [1, 2]}", 'x=a+b&y=%C3%BC', 'True', sha256(bytesUpTo(5_000_000)), '400000', '1000', '404', ''].join(
          '\n',
        ),
      )
    })
  })

  test('100 MB up and down at once, byte for byte', async () => {
    const size = 100_000_000
    const upload = async () => {
      const hash = createHash('sha256')
      const asked = request(url('/digest'), { method: 'PUT', headers: { 'content-length': size } })
      for (let at = 0; at < size; at += 1_000_000) {
        const piece = large(at)
        hash.update(piece)
        if (!asked.write(piece)) await once(asked, 'drain')
      }
      asked.end()
      const [response] = await once(asked, 'response')
      const { sha256: heard, bytes } = JSON.parse(Buffer.concat(await response.toArray()).toString())
      expect({ bytes, heard }).toEqual({ bytes: size, heard: hash.digest('hex') })
    }
    const download = async () => {
      const file = join(road().files.folder, 'large.bin')
      const whole = createHash('sha256')
      await writeFile(
        file,
        (function* () {
          for (let at = 0; at < size; at += 1_000_000) {
            const piece = large(at)
            whole.update(piece)
            yield piece
          }
        })(),
      )
      const [response] = await once(request(`${road().filesUrl}/large.bin`).end(), 'response')
      const hash = createHash('sha256')
      for await (const chunk of response) hash.update(chunk)
      expect(hash.digest('hex')).toBe(whole.digest('hex'))
    }
    await Promise.all([upload(), download()])
  })
}

/** A megabyte that no other place has. */
function large(at: number): Buffer {
  return Buffer.alloc(1_000_000, `${at} `)
}
