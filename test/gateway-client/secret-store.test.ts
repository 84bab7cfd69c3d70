import { createServer } from 'node:net'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { chooseStore, fileStore, type Keychain, keychainName } from '../../src/gateway-client/secret-store.ts'
import { emptyHome } from '../support/terminal.ts'

/** A keychain as the native one behaves, kept in memory: there is none on a machine without a desktop. */
function memoryKeychain(change: Partial<Keychain> = {}): { keychain: Keychain; kept: Map<string, string> } {
  const kept = new Map<string, string>()
  const keychain: Keychain = {
    getPassword: async (service, account) => kept.get(`${service}/${account}`) ?? null,
    setPassword: async (service, account, password) => void kept.set(`${service}/${account}`, password),
    deletePassword: async (service, account) => kept.delete(`${service}/${account}`),
    ...change,
  }
  return { keychain, kept }
}

test('keeps several accounts in one file of mode 0600, also when they come at once', async () => {
  const folder = emptyHome()
  const store = fileStore(folder)
  await Promise.all([store.set('a', '1'), store.set('b', '2'), fileStore(folder).set('c', '3')])
  expect(await Promise.all(['a', 'b', 'c', 'd'].map((account) => store.get(account)))).toEqual([
    '1',
    '2',
    '3',
    undefined,
  ])
  expect((await stat(join(folder, 'tokens.json'))).mode & 0o777).toBe(0o600)
  await store.delete('b')
  expect(await store.get('b')).toBeUndefined()
  expect(await store.get('c')).toBe('3')
})

test('takes a broken file for an empty one', async () => {
  const folder = emptyHome()
  await writeFile(join(folder, 'tokens.json'), '{"a": "1')
  expect(await fileStore(folder).get('a')).toBeUndefined()
  await fileStore(folder).set('a', '2')
  expect(await fileStore(folder).get('a')).toBe('2')
})

test('uses the keychain where it works, and leaves no probe behind', async () => {
  const { keychain, kept } = memoryKeychain()
  const { store } = await chooseStore({
    wish: 'auto',
    folder: emptyHome(),
    platform: 'darwin',
    env: {},
    load: async () => keychain,
  })
  expect(store.kind).toBe('keychain')
  expect(store.where).toBe('the macOS keychain')
  expect([...kept]).toEqual([])
  await store.set('a', '1')
  expect(await store.get('a')).toBe('1')
})

test.each<[string, Partial<Keychain>]>([
  ['fails', { setPassword: () => Promise.reject(new Error('locked')) }],
  ['forgets', { getPassword: async () => null }],
])('falls back to the file where the keychain %s, and says why', async (_how, change) => {
  const { keychain } = memoryKeychain(change)
  const choice = { folder: emptyHome(), platform: 'darwin', env: {}, load: async () => keychain } as const
  const { store, why } = await chooseStore({ ...choice, wish: 'auto' })
  expect(store.kind).toBe('file')
  expect(why).not.toBe('')
  await expect(chooseStore({ ...choice, wish: 'keychain' })).rejects.toThrow()
})

test('falls back to the file on Linux without a session bus', async () => {
  const { store, why } = await chooseStore({ wish: 'auto', folder: emptyHome(), platform: 'linux', env: {} })
  expect(store.kind).toBe('file')
  expect(why).toBe('there is no keychain here (no session bus)')
})

test('does not wait for a session bus that accepts and says nothing', async () => {
  const path = join(emptyHome(), 'bus')
  const server = createServer(() => undefined).listen(path)
  onTestFinished(() => void server.close())
  expect(await keychainName('linux', { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` })).toBeUndefined()
})

test('finds a session bus that answers', async () => {
  const path = join(emptyHome(), 'bus')
  const server = createServer((socket) => {
    socket.once('data', () => socket.end('REJECTED EXTERNAL\r\n'))
  }).listen(path)
  onTestFinished(() => void server.close())
  expect(await keychainName('linux', { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path},guid=1` })).toBe(
    'the Secret Service keychain',
  )
})
