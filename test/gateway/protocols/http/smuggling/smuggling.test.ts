/**
 * What two servers could read differently never gets past the first: the corpus through the door, with a real nginx behind
 * it that says what has reached it. In front it takes bodies whole before it passes requests on, so what the server behind
 * has seen are whole requests.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasNginx, type Nginx, startNginx } from '../../../../support/nginx.ts'
import { openRawClient, openTestDoor } from '../door.ts'
import { corpus, hidden } from './corpus.ts'

describe.skipIf(!hasNginx())('requests that leave a doubt, with nginx as the target', () => {
  let nginx: Nginx
  beforeAll(async () => {
    nginx = await startNginx(
      (port, folder) => `
        log_format asked '$request';
        server {
          listen 127.0.0.1:${port};
          access_log ${folder}/front.log asked;
          location / { proxy_pass http://unix:${folder}/behind.sock; }
        }
        server {
          listen unix:${folder}/behind.sock;
          access_log ${folder}/behind.log asked;
          location / { return 200 "here"; }
        }`,
    )
  })
  afterAll(() => nginx.stop())

  const log = async (name: string) => {
    const path = join(nginx.folder, name)
    return existsSync(path) ? await readFile(path, 'utf8') : ''
  }
  let asked = 0
  /** Asks for something of its own, so that what was asked before must have been written down as well. */
  async function seenUntil(port: number): Promise<{ mark: string; front: string; behind: string }> {
    asked += 1
    const mark = `mark-${asked}`
    const client = await openRawClient(port)
    client.say(`GET /${mark} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
    expect(await client.ended).toContain('here')
    while (!(await log('front.log')).includes(`${mark} `) || !(await log('behind.log')).includes(`${mark} `));
    return { mark, front: await log('front.log'), behind: await log('behind.log') }
  }

  it.each(corpus)('$name', async ({ name, bytes, status }) => {
    const door = await openTestDoor(nginx.port)
    const before = await seenUntil(door.port)
    const client = await openRawClient(door.port)
    client.say(bytes)
    // One answer, and the end: whatever stood behind it was not read as another request.
    const heard = await client.ended
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(heard.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    const after = await seenUntil(door.port)
    expect(after.behind).toBe(`${before.behind}GET /${after.mark} HTTP/1.0\n`)
    expect(after.front).not.toContain(hidden)
    // A body that is broken in its middle is found out when its beginning has gone; its request never becomes whole.
    if (!name.startsWith('chunk:')) expect(after.front).toBe(`${before.front}GET /${after.mark} HTTP/1.1\n`)
  })

  it('shows that a good request does reach it, whole', async () => {
    const door = await openTestDoor(nginx.port)
    const client = await openRawClient(door.port)
    client.say(
      'POST /good HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\n\r\n',
    )
    expect(await client.ended).toContain('here')
    expect((await seenUntil(door.port)).behind).toContain('POST /good HTTP/1.0\n')
  })
})
