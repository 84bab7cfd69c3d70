import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AbilitiesOf, loadConfig, readConfig } from '../../../src/gateway/config/load.ts'
import { sentenceOf } from '../../../src/gateway/config/mistakes.ts'

const able = { hold: true, maskColumns: true, maskText: true, maskFields: true }
const all: AbilitiesOf = { postgres: able, ssh: able, http: able, kubernetes: able }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hoop-config-'))
})
afterAll(() => rm(folder, { recursive: true }))

const head = `identity: { issuer: https://id.acme.dev, clientId: hoop, audience: hoop }
store: { path: hoop.sqlite }
`
const target = `targets:
  - name: pg-prod
    protocol: postgres
    host: 127.0.0.1
    port: 5432
    tls: { mode: disable }
    user: app
    labels: { env: prod }
    access: { groups: [dev] }
`
const open = `rules:
  - { name: all, effect: allow }
`

/** `line:column: message` of each finding. */
async function findings(text: string, abilities = all): Promise<string[]> {
  const file = join(folder, 'hoop.yaml')
  await writeFile(file, text)
  const reading = await readConfig(file, abilities)
  const located = 'mistakes' in reading ? reading.mistakes : reading.loaded.warnings
  return located.map((one) => sentenceOf(one).replace(`${file}:`, ''))
}

describe('a good file', () => {
  it('loads, with defaults, its hash, and paths from its own folder', async () => {
    const file = join(folder, 'good.yaml')
    await writeFile(file, head + target + open)
    const { config, policy, targets, warnings } = await loadConfig(file, all)
    const hash = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    expect(config).toMatchObject({
      hash,
      listen: { host: '127.0.0.1', port: 7117 },
      limits: { statement: 16 * 1024 ** 2 },
    })
    expect(config.store.path).toBe(join(folder, 'hoop.sqlite'))
    expect(policy.config).toBe(hash)
    expect(targets.get('pg-prod')).toMatchObject({ host: '127.0.0.1', tls: { mode: 'disable' } })
    expect(warnings).toEqual([])
  })

  it('is the example in the documentation', async () => {
    const { config, warnings } = await loadConfig('docs/examples/hoop.yaml', all)
    expect(warnings).toEqual([])
    expect(config.rules.map(({ effect }) => effect)).toContain('hold')
    expect(config.targets).toHaveLength(2)
  })

  it('brings the certificate authority of a target along', async () => {
    await writeFile(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n')
    const file = join(folder, 'ca.yaml')
    await writeFile(file, head + target.replace('mode: disable', 'ca: ca.pem, serverName: db') + open)
    const { targets } = await loadConfig(file, all)
    expect(targets.get('pg-prod')?.tls).toEqual({
      mode: 'verify-full',
      ca: '-----BEGIN CERTIFICATE-----\n',
      serverName: 'db',
    })
  })
})

describe('a mistake is named with its place and what was meant', () => {
  it.each([
    ['not YAML', 'a: [1', /^\d+:\d+: /],
    ['an empty file', '', /^1:1: the file is empty/],
    ['a key twice', `${head}store: { path: x }\n`, /^3:1: .*unique/],
    ['a misspelt key', `${head.replace('store', 'stroe')}`, /^2:1: there is no key "stroe"; did you mean "store"\?/],
    [
      'a misspelt key deep inside',
      head + target.replace('labels', 'lables'),
      /^10:5: there is no key "lables" in targets\[0\]; did you mean "labels"\?/,
    ],
    [
      'a key of another effect',
      `${head}${target}rules:\n  - { name: a, effect: allow, approvers: { groups: [x] } }\n`,
      /^13:31: there is no key "approvers" in rules\[0\]; known: /,
    ],
    ['a missing key', head + target.replace('    port: 5432\n', ''), /^4:5: "port" is missing in targets\[0\]/],
    ['a wrong type', head.replace('hoop.sqlite', '7'), /^2:16: "path" has to be a string, and is a number/],
    [
      'an unknown word',
      `${head}${target}rules:\n  - name: a\n    effect: alow\n`,
      /^14:13: "effect" has to be one of allow, deny, hold; did you mean "allow"\?/,
    ],
    [
      'an unknown word in a list',
      `${head}${target}rules:\n  - { name: a, effect: deny, match: { kinds: [reed] } }\n`,
      /^13:47: item 1 of "kinds" has to be one of admin, ddl, write, read; did you mean "read"\?/,
    ],
    [
      'a bad duration',
      `${head}${target}rules:\n  - { name: a, effect: hold, approvers: { groups: [x] }, expires: soon }\n`,
      /^13:67: "expires" has to be a duration like 30s/,
    ],
    [
      'an endless duration',
      `${head}${target}rules:\n  - { name: a, effect: hold, approvers: { groups: [x] }, expires: 90d }\n`,
      /20 days/,
    ],
    [
      'a duplicate rule',
      `${head}${target}${open}  - { name: all, effect: deny }\n`,
      /^14:13: there is another rule named "all"/,
    ],
    [
      'an unknown target',
      `${head}${target}${open}  - { name: b, effect: deny, match: { targets: [pg-prd] } }\n`,
      /^14:49: no target is named "pg-prd"; did you mean "pg-prod"\?/,
    ],
    [
      'an unknown label',
      `${head}${target}${open}  - { name: b, effect: deny, match: { labels: { evn: prod } } }\n`,
      /^14:49: no target has a label "evn"; did you mean "env"\?/,
    ],
    [
      'an unknown label value',
      `${head}${target}${open}  - { name: b, effect: deny, match: { labels: { env: prd } } }\n`,
      /no target has the label env: prd; did you mean "prod"\?/,
    ],
    [
      'a condition that does not parse',
      `${head}${target}${open}  - { name: b, effect: deny, when: '1 +' }\n`,
      /^14:36: the condition does not compile: .*character 4/,
    ],
    [
      'an unknown variable',
      `${head}${target}${open}  - { name: b, effect: deny, when: 'usr.name == "x"' }\n`,
      /Unknown variable: usr .*known: command, action, facts, target, user, agent/,
    ],
    [
      'an unknown fact',
      `${head}${target}${open}  - { name: b, effect: deny, when: 'facts.unbound' }\n`,
      /No such key: unbound/,
    ],
    [
      'a condition that is no question',
      `${head}${target}${open}  - { name: b, effect: deny, when: 'user.name' }\n`,
      /gives a string/,
    ],
    [
      'a pattern that is none',
      `${head}${target}${open}  - { name: b, effect: deny, match: { objects: ['{a'] } }\n`,
      /^14:49: .*never closes/,
    ],
    ['no TLS off loopback', `${head}${target}${open}listen: { host: 0.0.0.0 }\n`, /^14:9: "tls" is needed/],
    [
      'an issuer without https',
      head.replace('https', 'http') + target + open,
      /^1:21: the issuer has to be reached by https/,
    ],
    [
      'a file that is not there',
      `${head}${target}${open}listen: { tls: { cert: none.pem, key: none.pem } }\n`,
      /^14:24: cannot read .*none\.pem/,
    ],
    [
      'a mask of nothing',
      `${head}${target}${open}masks: [{ name: m, style: redact }]\n`,
      /a mask needs columns, fields or detectors/,
    ],
  ])('%s', async (_, text, expected) => {
    expect((await findings(text)).join('\n')).toMatch(new RegExp(expected, 'm'))
  })

  it('all of them at once, in the order of the file', async () => {
    const lines = (await findings(`${head.replace('store', 'stroe')}${target.replace('5432', 'x')}`)).map(
      Number.parseFloat,
    )
    expect(lines.length).toBeGreaterThanOrEqual(2)
    expect(lines).toEqual(lines.toSorted((a, b) => a - b))
  })

  it('a misspelt key once, and not as missing too', async () => {
    expect(await findings(head.replace('store', 'stroe'))).toHaveLength(1)
  })

  it('a secret given literally, which is not repeated', async () => {
    const found = (await findings(`${head}${target}    secret: hunter2hunter2\n${open}`)).join('\n')
    expect(found).toMatch(/^12:13: "secret" has to be a reference: env:\/\/NAME/)
    expect(found).not.toContain('hunter2')
  })

  it('a rule or mask that needs what its protocol cannot do', async () => {
    const unable: AbilitiesOf = {
      ...all,
      postgres: { hold: false, maskColumns: false, maskText: false, maskFields: false },
    }
    const text = `${head}${target}${open}  - { name: h, effect: hold, approvers: { groups: [x] } }
masks: [{ name: m, columns: [a.b.c], detectors: [email], style: redact }]
`
    expect(await findings(text, unable)).toMatchObject(
      [/postgres cannot wait/, /columns/, /text/].map((why) => expect.stringMatching(why)),
    )
  })

  it('also where it would be an attack: aliases that multiply', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefg'.replace(/./g, (name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[at]}`).join(',')}]\n`)}`
    expect((await findings(bomb)).join()).toMatch(/alias/i)
  })

  it('that cannot be read at all is one error', async () => {
    await expect(loadConfig(join(folder, 'none.yaml'), all)).rejects.toMatchObject({ code: 'config-invalid' })
  })

  it('refuses the file: the error names the first one and how to see all', async () => {
    const file = join(folder, 'bad.yaml')
    await writeFile(file, 'stroe: 1\n')
    await expect(loadConfig(file, all)).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(/bad\.yaml has 2 mistakes: .*:1:1:/),
      hint: expect.stringContaining('hoop gateway check'),
    })
  })
})

describe('a warning does not refuse the file', () => {
  it.each([
    ['a closed target', head + target, /^4:11: warning: target "pg-prod" is closed/],
    [
      'a target whose rules are about others',
      `${head}${target}rules: [{ name: a, effect: allow, match: { groups: [x] } }]\n`,
      /closed/,
    ],
    [
      'an unchecked certificate',
      head + target.replace('disable', 'require').replace('127.0.0.1', 'db.acme') + open,
      /^8:18: warning: the certificate of "pg-prod" is not checked/,
    ],
    [
      'a pattern that fits nothing',
      `${head}${target}${open}  - { name: b, effect: deny, match: { targets: ['my*'] } }\n`,
      /warning: no target is named "my\*"/,
    ],
    [
      'an allow rule about a bare name',
      `${head}${target}rules: [{ name: a, effect: allow, match: { objects: [users] } }]\n`,
      /warning: "users" has no schema/,
    ],
    [
      'records that are not flushed',
      `${head}${target}${open}audit: { flush: false }\n`,
      /warning: records are not flushed/,
    ],
  ])('%s', async (_, text, expected) => {
    const found = await findings(text)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(expected)
  })
})

describe('an HTTP target', () => {
  const http = (settings: string, more = '') => `${head}targets:
  - name: api
    protocol: http
    host: 127.0.0.1
    port: 80
    tls: { mode: disable }
    access: { groups: [dev] }
    ${more}
    http: ${settings}
${open}`

  it.each([
    ['{ login: header, name: X-Api-Key, paths: ["/v1/customers/{id}", "/files/{rest*}"] }', 'secret: env://KEY'],
    ['{ login: basic }', 'secret: env://KEY\n    user: app'],
    ['{ login: oauth2, oauth2: { tokenUrl: https://id.acme.dev/token, clientId: hoop } }', 'secret: env://KEY'],
    ['{}', ''],
  ])('is taken with %s', async (settings, more) => {
    expect(await findings(http(settings, more))).toEqual([])
  })

  it.each([
    ['{ login: header }', 'secret: env://KEY', 'login "header" of "api" needs "name"'],
    ['{ login: query }', 'secret: env://KEY', 'login "query" of "api" needs "name"'],
    ['{ login: header, name: Transfer-Encoding }', 'secret: env://KEY', 'carries no secret'],
    ['{ login: oauth2 }', 'secret: env://KEY', 'login "oauth2" of "api" needs "oauth2"'],
    ['{ login: basic }', 'secret: env://KEY', 'login "basic" of "api" needs "user"'],
    ['{ login: bearer }', '', 'login "bearer" of "api" needs "secret"'],
    ['{ login: bearer, name: X }', 'secret: env://KEY', '"name" goes with the logins header and query'],
    ['{ login: none }', 'secret: env://KEY', 'the secret of "api" is not used'],
    ['{ login: oauth2, oauth2: { tokenUrl: http://id.acme.dev/, clientId: c } }', 'secret: env://KEY', 'by https'],
    ['{ paths: ["/a/{b"] }', '', 'not one name in braces'],
    ['{ paths: ["/{a}/{a}"] }', '', 'names "a" twice'],
  ])('is not taken, or warned of, with %s %s', async (settings, more, message) => {
    expect((await findings(http(settings, more))).join('\n')).toContain(message)
  })

  it.each([
    ['{ fields: ["body:role=x"] }', 'write "body:/role=x"'],
    ['{ fields: ["query:{a=x"] }', 'opens a brace'],
  ])('is not taken with a rule about %s', async (match, message) => {
    const rules = open.replace('effect: allow', `effect: allow, match: ${match}`)
    expect((await findings(http('{}').replace(open, rules))).join('\n')).toContain(message)
  })
})
