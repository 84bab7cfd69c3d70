import { describe, expect, it } from 'vitest'
import { foreignOf } from '../../../../src/gateway/protocols/http/hosts.ts'
import { openRawClient, openTestDoor, startRawTarget } from './door.ts'

describe('who may use the local port', () => {
  it.each([
    'localhost',
    'localhost:8080',
    'LocalHost:1',
    'api.localhost:8080',
    'localhost.:80',
    '127.0.0.1',
    '127.0.0.1:65535',
    '127.1.2.3',
    '[::1]:8080',
    '[::ffff:127.0.0.1]:80',
  ])('a program that names %s', (host) => {
    expect(foreignOf(host, [])).toBeUndefined()
    expect(foreignOf(host, [['Origin', `http://${host}`]])).toBeUndefined()
  })

  it.each([
    '',
    'example.com',
    'localhost.example.com',
    'localhostx',
    'xlocalhost',
    '.localhost',
    '127.0.0.1.example.com',
    '127.0.0.1.nip.io',
    '127.0.0',
    '128.0.0.1',
    '10.0.0.1:8080',
    '0.0.0.0:8080',
    '[::]:8080',
    '[::2]',
    'user@localhost',
    'localhost/path',
    'localhost:80:80',
    'localhost:x',
    'localhost, example.com',
    'localhost example.com',
  ])('nobody who names %j', (host) => {
    expect(foreignOf(host, [])).toBeDefined()
    expect(foreignOf('localhost', [['Origin', `http://${host}`]])).toBeDefined()
  })

  it.each([
    [['Origin', 'https://example.com']],
    [['Origin', 'null']],
    [['Origin', '']],
    [['Origin', 'file://']],
    [
      ['origin', 'http://localhost'],
      ['Origin', 'https://example.com'],
    ],
    [['Sec-Fetch-Site', 'cross-site']],
    [['sec-fetch-site', 'Cross-Site']],
    [
      ['Sec-Fetch-Site', 'none'],
      ['Sec-Fetch-Site', 'cross-site'],
    ],
    [['Sec-Fetch-Site', 'unknown']],
  ] as [string, string][][])('no web page of another site: %j', (...fields) => {
    expect(foreignOf('localhost', fields)).toBeDefined()
  })

  it('a page of the port itself, or a person at the address line', () => {
    for (const site of ['same-origin', 'none'])
      expect(foreignOf('localhost', [['Sec-Fetch-Site', site]])).toBeUndefined()
  })

  it('no page that another local port serves', () => {
    expect(foreignOf('localhost:8080', [['Origin', 'http://localhost:3000']])).toBeDefined()
    expect(foreignOf('localhost:8080', [['Origin', 'https://localhost:8080']])).toBeDefined()
    expect(foreignOf(undefined, [['Origin', 'http://localhost']])).toBeDefined()
    expect(foreignOf('localhost', [['Sec-Fetch-Site', 'same-site']])).toBeDefined()
  })

  it('tells a foreign one 403, closes, and judges nothing', async () => {
    const target = await startRawTarget(() => undefined)
    const door = await openTestDoor(target.port)
    for (const fields of [
      'Host: example.com\r\n',
      'Host: localhost\r\nOrigin: https://example.com\r\n',
      'Host: localhost\r\nSec-Fetch-Site: cross-site\r\n',
      'Host: localhost\r\nOrigin: https://example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n',
    ]) {
      const client = await openRawClient(door.port)
      client.say(`GET / HTTP/1.1\r\n${fields}\r\nGET /next HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      const heard = await client.ended
      expect(heard).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*Connection: close\r\n/)
      expect(heard.match(/HTTP\/1\.1/g)).toHaveLength(1)
    }
    expect(door.checkpoint.log).toEqual([])
    expect(target.seen()).toBe('')
  })
})
