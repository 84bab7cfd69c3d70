import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOpenCredential } from '../../../src/gateway/credentials/open-credential.ts'

const never = new AbortController().signal
const open = createOpenCredential({ ...process.env, PG_Password: 's3cret', EMPTY: '' })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-credential-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text, { mode })
  await chmod(path, mode)
  return path
}

async function program(name: string, lines: string): Promise<string> {
  return await file(name, `#!/bin/sh\n${lines}\n`, 0o700)
}

describe('a credential', () => {
  it('is nothing where none is configured', async () => {
    expect(await open(undefined, never)).toBeUndefined()
  })

  it('comes from the environment, by its exact name', async () => {
    expect((await open('env://PG_Password', never))?.reveal()).toBe('s3cret')
  })

  it('comes from a file, without the newline that ends it', async () => {
    const path = await file('with space', ' pass word \n')
    expect((await open(pathToFileURL(path).href, never))?.reveal()).toBe(' pass word ')
  })

  it('comes from a program, whose arguments no shell looks at', async () => {
    const path = await program('args', 'printf "%s|" "$@"')
    const secret = await open(`exec://${path}?arg=a%20b&arg=$(id)`, never)
    expect(secret?.reveal()).toBe('a b|$(id)|')
  })

  it.each([
    ['env://NOT_SET', /NOT_SET is not set/],
    ['env://EMPTY', /empty/],
    ['file:///does/not/exist', /ENOENT/],
    ['exec:///does/not/exist', /ENOENT/],
    ['http://localhost/secret', /no way/],
  ])('%s is an error that says why', async (reference, why) => {
    const error = await open(reference, never).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'target-refused', cause: { message: expect.stringMatching(why) } })
  })

  it('from a program that fails does not repeat what the program said', async () => {
    const path = await program('fails', 'echo hunter2; echo hunter2 >&2; exit 3')
    const error = await open(`exec://${path}?arg=hunter2`, never).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'target-refused', cause: { message: 'the program ended with status 3' } })
    expect(inspect(error, { depth: 10 })).not.toContain('hunter2')
  })

  it('is not waited for when the connection has gone', async () => {
    const path = await program('slow', 'exec sleep 60')
    const gone = new AbortController()
    const opening = open(`exec://${path}`, gone.signal)
    gone.abort()
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('that is absurdly long is refused', async () => {
    const path = await file('long', 'x'.repeat(70_000))
    await expect(open(pathToFileURL(path).href, never)).rejects.toMatchObject({ code: 'target-refused' })
    const endless = await program('endless', 'while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done')
    await expect(open(`exec://${endless}`, never)).rejects.toMatchObject({ code: 'target-refused' })
  })
})
