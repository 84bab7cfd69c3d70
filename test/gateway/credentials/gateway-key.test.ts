import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openGatewayKey } from '../../../src/gateway/credentials/gateway-key.ts'
import { generateKeyPair, publicKeyOf } from '../../../src/gateway/protocols/ssh/index.ts'

describe('the host key of a gateway', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hoop-key-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  })

  it('is made at the first start and stays', async () => {
    const store = join(folder, 'made', 'hoop.db')
    const first = await openGatewayKey(store, undefined)
    expect(publicKeyOf(first)).toMatch(/^ssh-ed25519 AAAA/)
    expect(await openGatewayKey(store, undefined)).toBe(first)
    expect(statSync(`${store}.hostkey`).mode & 0o777).toBe(0o600)
  })

  it('is the one that the config names', async () => {
    const { private: key } = generateKeyPair()
    writeFileSync(join(folder, 'shared'), key)
    expect(await openGatewayKey(join(folder, 'hoop.db'), join(folder, 'shared'))).toBe(key)
  })

  it.each([
    ['is not there', undefined],
    ['is no key', 'hello'],
    ['is only public', generateKeyPair().public],
  ])('stops the start when it %s', async (_what, text) => {
    const file = join(folder, 'shared')
    if (text !== undefined) writeFileSync(file, text)
    await expect(openGatewayKey(join(folder, 'hoop.db'), file)).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('is never replaced where the kept one cannot be read', async () => {
    writeFileSync(join(folder, 'hoop.db.hostkey'), 'damaged')
    await expect(openGatewayKey(join(folder, 'hoop.db'), undefined)).rejects.toMatchObject({ code: 'config-invalid' })
  })
})
