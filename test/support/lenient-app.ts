/**
 * An API on Python's own HTTP server, which takes requests as leniently as frameworks are known to: JSON whatever its type is
 * said to be (Go's encoding/json), names in any case (the same), the last of two values, `_method` and its headers (Rack,
 * Express), X-Original-URL (IIS, Symfony), matrix parameters (Tomcat), paths in any case (IIS) and decoded up to three times. It answers
 * `FORBIDDEN EFFECT` where it was made to show /admin, delete something, or give the role admin.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const program = String.raw`
import email, http.server, json, posixpath, re, sys, urllib.parse as url

def values_of(body, kind):
    found = []
    if kind.startswith('multipart/form-data'):
        message = email.message_from_bytes(b'Content-Type: ' + kind.encode() + b'\r\n\r\n' + body)
        for part in message.get_payload():
            name = part.get_param('name', header='content-disposition')
            found.append((name, part.get_payload(decode=True).decode()))
        return found
    for encoding in ('utf-8-sig', 'utf-16'):
        try:
            read = json.loads(body.decode(encoding))
            if isinstance(read, dict):
                return list(read.items())
        except ValueError:
            pass
    text = body.decode('latin-1')
    return url.parse_qsl(text.replace(';', '&'), keep_blank_values=True)

class App(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def serve(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
        if self.headers.get('Transfer-Encoding') == 'chunked':
            while (size := int(self.rfile.readline(), 16)) > 0:
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        target = self.headers.get('X-Original-URL') or self.headers.get('X-Rewrite-URL') or self.path
        path, _, query = target.partition('?')
        path = url.unquote(url.unquote(re.sub(r';[^/]*', '', url.unquote(path)))).replace('\\', '/')
        path = re.sub(r';[^/]*', '', path).rstrip('. \x85\xa0')
        path = re.sub(r'\.(json|xml)$', '', posixpath.normpath(re.sub('/+', '/', path)).lower())
        given = url.parse_qsl(query.replace(';', '&'), keep_blank_values=True)
        given += values_of(body, self.headers.get('Content-Type') or '')
        values = {str(name).lower(): value for name, value in given}
        method = self.command
        for named in ('X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'):
            method = self.headers.get(named) or method
        method = str(values.get('_method') or method).strip().upper()
        bad = path == '/admin' or path.startswith('/admin/') or method == 'DELETE' or values.get('role') == 'admin'
        said = b'FORBIDDEN EFFECT' if bad else b'fine'
        self.send_response(200)
        self.send_header('Content-Length', str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass

for verb in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE'):
    setattr(App, 'do_' + verb, App.serve)
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), App)
print(server.server_address[1], flush=True)
server.serve_forever()
`

/** In CI it has to be there; elsewhere its tests are left out, loudly. */
export function hasPython(): boolean {
  if (spawnSync('python3', ['--version']).status === 0) return true
  if (process.env.CI !== undefined) throw new Error('python3 is missing, and CI has to have it')
  console.warn('LEFT OUT: the tests with python3, because there is none here')
  return false
}

export interface PythonServer {
  readonly port: number
  stop(): Promise<void>
}

export function startLenientApp(): Promise<PythonServer> {
  return start(['-c', program], /^(\d+)$/)
}

/** Python's own server of files: `python3 -m http.server`. */
export function startPythonFiles(folder: string): Promise<PythonServer> {
  return start(['-u', '-m', 'http.server', '--bind', '127.0.0.1', '--directory', folder, '0'], /port (\d+)/)
}

async function start(args: readonly string[], says: RegExp): Promise<PythonServer> {
  const child: ChildProcess = spawn('python3', args, { stdio: ['ignore', 'pipe', 'ignore'] })
  if (child.stdout === null) throw new Error('python3 has no output')
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => ['it ended']),
  ])
  const port = Number(says.exec(String(line))?.[1])
  if (!(port > 0)) throw new Error(`python3 does not say where it listens: ${String(line)}`)
  return {
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
