/**
 * The configuration file as a schema: one YAML file, kept in the team's git. `docs/config.md` explains every key;
 * load.ts reads a file through this and names file and line of each mistake.
 */
import { z } from 'zod'
import { isLoopback } from '../../base/loopback.ts'
import { kinds, protocolNames, reaches } from '../../contract/command.ts'
import { maskStyles } from '../policy/masking.ts'

/** `90`, `30s`, `15m`, `2h`, `7d` → milliseconds; a bare number is seconds. */
const durationSchema = z
  .union([z.number().positive(), z.string().regex(/^\d+(ms|s|m|h|d)$/, 'a duration like 30s, 15m or 2h')])
  .transform((given) => {
    if (typeof given === 'number') return given * 1000
    const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
    const [, amount, unit] = given.match(/^(\d+)(ms|s|m|h|d)$/) ?? []
    return Number(amount) * units[unit as keyof typeof units]
  })

/** `16MiB`, `64KiB`, `1GiB` or a number of bytes → bytes. */
const sizeSchema = z
  .union([z.int().positive(), z.string().regex(/^\d+(B|KiB|MiB|GiB)$/, 'a size like 64KiB or 16MiB')])
  .transform((given) => {
    if (typeof given === 'number') return given
    const units = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }
    const [, amount, unit] = given.match(/^(\d+)(B|KiB|MiB|GiB)$/) ?? []
    return Number(amount) * units[unit as keyof typeof units]
  })

const nameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'lower-case letters, digits, dot, dash and underscore')
const labelsSchema = z.record(z.string(), z.string())
const groupsSchema = z.array(z.string()).min(1)

/** Where a secret is, never what it is: `env://NAME`, `file:///path`, `exec:///program?arg=a&arg=b`. */
const secretReferenceSchema = z
  .string()
  .regex(/^(env|file|exec):\/\/.+/, 'a reference: env://NAME, file:///path or exec:///program')

const listenSchema = z
  .strictObject({
    host: z.string().default('127.0.0.1'),
    port: z.int().min(0).max(65_535).default(7117),
    /** PEM files. Required unless host is loopback. */
    tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
    /** On loopback: further host names that requests may carry, for a reverse proxy on the same machine. */
    names: z.array(z.string()).optional(),
  })
  .refine(({ host, tls }) => tls !== undefined || isLoopback(host), {
    path: ['tls'],
    message: 'is needed, because the host can be reached from outside (or listen on 127.0.0.1)',
  })

const identitySchema = z.strictObject({
  issuer: z.url(),
  clientId: z.string(),
  /** The `aud` that an access token must carry. */
  audience: z.string(),
  scopes: z.array(z.string()).default(['openid', 'email', 'profile', 'offline_access']),
  userClaim: z.string().default('email'),
  groupsClaim: z.string().default('groups'),
  /** Signature algorithms that are accepted; `none` and HMAC never are. */
  algorithms: z.array(z.enum(['RS256', 'PS256', 'ES256', 'EdDSA'])).default(['RS256', 'PS256', 'ES256', 'EdDSA']),
})

const targetTlsSchema = z
  .strictObject({
    mode: z.enum(['verify-full', 'require', 'disable']).default('verify-full'),
    /** PEM file. */
    ca: z.string().optional(),
    serverName: z.string().optional(),
  })
  .default({ mode: 'verify-full' })

const sshSchema = z.strictObject({
  /** What `secret` is: a password, a private key, or the private key of a certificate authority that the target trusts. */
  login: z.enum(['password', 'key', 'certificate']).default('key'),
  /** `ssh-ed25519 AAAA…`: what the target may show. Left out: the first key it shows is taken, recorded and kept. */
  hostKeys: z.array(z.string().regex(/^(?:ssh|ecdsa)-\S+ [A-Za-z0-9+/]+={0,2}(?: .*)?$/, 'a public key')).default([]),
  /** hold: a hold rule has to make it wait. */
  shell: z.enum(['allow', 'hold', 'deny']).default('deny'),
  /** Forwards that rules may allow (verbs `forward` and `reverse-forward`). */
  forwards: z.array(z.enum(['local', 'remote'])).default([]),
  /** Environment variables that a client may set; globs. */
  env: z.array(z.string()).default(['LANG', 'LC_*', 'TERM', 'COLORTERM', 'NO_COLOR']),
})

const httpSchema = z.strictObject({
  /**
   * How `secret` lets the gateway in: Authorization (bearer; basic with `user`), a header or query parameter (`name`), a
   * client certificate (PEM of certificate and key), or the client secret of an OAuth 2 client (RFC 6749, 4.4).
   */
  login: z.enum(['none', 'bearer', 'basic', 'header', 'query', 'certificate', 'oauth2']).default('none'),
  /** Of the header or query parameter that carries the secret. */
  name: z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]+$/, 'a name without spaces')
    .optional(),
  oauth2: z.strictObject({ tokenUrl: z.url(), clientId: z.string(), scope: z.string().optional() }).optional(),
  /** Path templates, so that rules and lists can name parts of a path: `/v1/customers/{id}`. The first that fits counts. */
  paths: z.array(z.string().startsWith('/', 'a path like /v1/customers/{id}')).default([]),
})

const kubernetesSchema = z.strictObject({
  /** What `secret` is: a bearer token, PEM of client certificate and key, or the ExecCredential that a plugin prints. */
  login: z.enum(['token', 'certificate', 'exec-plugin']).default('token'),
  /** Act as the person (Impersonate-User, Impersonate-Group), so that the cluster's own RBAC and audit see them. */
  impersonate: z.boolean().default(false),
  /** Values of Secrets in answers. */
  secrets: z.enum(['mask', 'show']).default('mask'),
})

const targetConfigSchema = z.strictObject({
  name: nameSchema,
  protocol: z.enum(protocolNames),
  description: z.string().optional(),
  host: z.string(),
  port: z.int().min(1).max(65_535),
  tls: targetTlsSchema,
  /** Login name at the target; PostgreSQL and SSH need one, HTTP for basic authentication. */
  user: z.string().default(''),
  databases: z.array(z.string()).default([]),
  ssh: sshSchema.prefault({}),
  http: httpSchema.prefault({}),
  kubernetes: kubernetesSchema.prefault({}),
  secret: secretReferenceSchema.optional(),
  labels: labelsSchema.default({}),
  /** Who may open it at all; what they may do there is the rules' business. */
  access: z.strictObject({ groups: groupsSchema }),
})
export type TargetConfig = z.infer<typeof targetConfigSchema>

/** Every list: any of its patterns fits. Every key that is given has to fit. Patterns are globs (`*`, `?`, `{a,b}`). */
const matchSchema = z.strictObject({
  targets: z.array(z.string()).optional(),
  labels: labelsSchema.optional(),
  protocols: z.array(z.enum(protocolNames)).optional(),
  users: z.array(z.string()).optional(),
  groups: z.array(z.string()).optional(),
  /** Agent names; `none` fits a person without an agent. */
  agents: z.array(z.string()).optional(),
  /** Whole words from the start: `DROP` fits `DROP TABLE`. */
  verbs: z.array(z.string()).optional(),
  kinds: z.array(z.enum(kinds)).optional(),
  objects: z.array(z.string()).optional(),
  functions: z.array(z.string()).optional(),
  /** Arguments of a program that runs (globs over one argument each). */
  arguments: z.array(z.string()).optional(),
  reaches: z.array(z.enum(reaches)).optional(),
  /** Globs over `place=value` of the named values of a request: `query:limit=*`, `body:/role=admin`. */
  fields: z.array(z.string()).optional(),
  unbounded: z.boolean().optional(),
  dynamic: z.boolean().optional(),
  /** Commands that the protocol's grammar did not accept, or that were too large to judge. Without it they never match. */
  unparsed: z.boolean().optional(),
})
export type Match = z.infer<typeof matchSchema>

const ruleBase = {
  name: nameSchema,
  description: z.string().optional(),
  match: matchSchema.default({}),
  /** A CEL expression over command, action, facts, target, user and agent; true: the rule applies. */
  when: z.string().optional(),
}

const ruleSchema = z.discriminatedUnion('effect', [
  z.strictObject({ ...ruleBase, effect: z.literal('allow') }),
  z.strictObject({
    ...ruleBase,
    effect: z.literal('deny'),
    /** Told to whoever is refused. */
    message: z.string().optional(),
  }),
  z.strictObject({
    ...ruleBase,
    effect: z.literal('hold'),
    approvers: z.strictObject({ groups: groupsSchema, count: z.int().positive().default(1) }),
    expires: durationSchema.default(900_000),
    message: z.string().optional(),
  }),
])
export type Rule = z.infer<typeof ruleSchema>

export const detectorNames = ['email', 'card', 'iban', 'us-ssn', 'jwt', 'private-key', 'cloud-key'] as const
export type DetectorName = (typeof detectorNames)[number]

const maskRuleSchema = z
  .strictObject({
    name: nameSchema,
    match: matchSchema
      .pick({ targets: true, labels: true, protocols: true, users: true, groups: true, agents: true })
      .default({}),
    /** `schema.table.column` globs. */
    columns: z.array(z.string().regex(/^[^.]+\.[^.]+\.[^.]+$/, 'schema.table.column')).optional(),
    /** Members of JSON answers: a JSON pointer with globs (`/customer/password`), or a name at any depth (`password`). */
    fields: z.array(z.string().min(1)).optional(),
    detectors: z.array(z.enum(detectorNames)).optional(),
    style: z.enum(maskStyles),
    /** These see it all the same. */
    except: z.strictObject({ groups: groupsSchema }).optional(),
  })
  .refine(
    ({ columns, fields, detectors }) => columns !== undefined || fields !== undefined || detectors !== undefined,
    'a mask needs columns, fields or detectors',
  )
export type MaskRule = z.infer<typeof maskRuleSchema>

export const configSchema = z.strictObject({
  listen: listenSchema.prefault({}),
  identity: identitySchema,
  roles: z
    .strictObject({
      admin: z.strictObject({ groups: z.array(z.string()) }).default({ groups: [] }),
      auditor: z.strictObject({ groups: z.array(z.string()) }).default({ groups: [] }),
    })
    .prefault({}),
  store: z.strictObject({ path: z.string() }),
  ssh: z
    .strictObject({
      /** File with the ed25519 private key that SSH clients see. Left out: made at the first start, beside the store. */
      hostKey: z.string().optional(),
    })
    .prefault({}),
  audit: z
    .strictObject({
      /** Rows of each answer (after masking) to keep for replay. */
      rows: z.int().min(0).max(1000).default(0),
      /** How much of the body of each HTTP answer (after masking) and request is kept; larger ones are cut off. */
      bodies: sizeSchema.prefault('16KiB'),
      /** The most that is kept of one recording of a shell or a program. */
      recording: sizeSchema.prefault('256MiB'),
      /** false: records are written but not flushed before forwarding. For benchmarks; a power cut may lose records. */
      flush: z.boolean().default(true),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Longest statement that is judged; a longer one counts as unparsed. */
      statement: sizeSchema.prefault('16MiB'),
      /** Time to reach a target and log in. */
      connect: durationSchema.prefault('10s'),
      /** Connections of one session at a time. */
      connections: z.int().positive().default(1000),
      /** A connection ends after this: rights are looked at again when it is opened anew. */
      connection: durationSchema.prefault('24h'),
      /** A session without a connection and without a word from its client ends after this. */
      session: durationSchema.prefault('24h'),
    })
    .prefault({}),
  targets: z.array(targetConfigSchema).default([]),
  rules: z.array(ruleSchema).default([]),
  masks: z.array(maskRuleSchema).default([]),
})
/** The file, read and completed with defaults. `hash` is SHA-256 of the file's bytes: what records name as `config`. */
export type Config = z.infer<typeof configSchema> & { readonly hash: string }
