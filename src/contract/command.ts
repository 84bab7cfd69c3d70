/**
 * One thing asked, as policy, approvals and the audit see it: the same shape for every protocol. A protocol turns bytes
 * into these (its commands.ts); everything above protocols knows nothing else of what was asked.
 */
import { z } from 'zod'

export const protocolNames = ['postgres', 'ssh', 'http', 'kubernetes'] as const
export type ProtocolName = (typeof protocolNames)[number]

/** Worst first. `admin` reaches beyond the data: settings, roles, files, programs, other sessions. */
export const kinds = ['admin', 'ddl', 'write', 'read'] as const
export type Kind = (typeof kinds)[number]

/** What a command can touch outside the target's own data. */
export const reaches = ['file', 'program', 'network', 'server', 'session'] as const

/**
 * Stands among objects or arguments for what is known only while it runs: `cat $X` may read anything. A rule that
 * restricts certain objects applies to it, a rule that allows certain objects does not cover it.
 */
export const unknownName = '<unknown>'

/**
 * One thing that a command does. A command may do several: a data-modifying CTE, the statements inside a DO block, the
 * programs of a pipeline. A deny or hold rule applies if *any* action matches; allow rules have to cover *every* action.
 */
export const actionSchema = z.object({
  /** In the protocol's own words: `SELECT`, `DROP TABLE`, `exec rm`, `GET`, `create pods/exec`. */
  verb: z.string(),
  kind: z.enum(kinds),
  /** Fully qualified where that can be known: `public.users`, `/srv/app`, `prod/api-7f`. */
  objects: z.array(z.string()),
  /**
   * A change without an effective bound on what it touches: UPDATE or DELETE without WHERE, or with WHERE true; `rm -rf /`.
   */
  unbounded: z.boolean(),
  /** A program's words behind its name, quotes taken away; where one runs. */
  arguments: z.array(z.string()).optional(),
})
export type Action = Readonly<z.infer<typeof actionSchema>>

export const factsSchema = z.object({
  /** The worst kind among the actions. */
  kind: z.enum(kinds),
  /** Any action is unbounded. */
  unbounded: z.boolean(),
  /** What will run cannot be known before it runs (EXECUTE of a computed string, eval). */
  dynamic: z.boolean(),
  /** False when the protocol's grammar did not accept it, or it was too large to judge: then kind is the worst. */
  parsed: z.boolean(),
  /** Functions called, schema-qualified where known (`pg_catalog.pg_read_file`); programs run, by their bare names. */
  functions: z.array(z.string()),
  reaches: z.array(z.enum(reaches)),
})
export type Facts = Readonly<z.infer<typeof factsSchema>>

export const parameterSchema = z.object({
  /** As a person reads it; null is SQL NULL or its like. Values no one can read are `\x` hexadecimal. */
  value: z.string().nullable(),
  /** The protocol's type name, where known: `int4`. */
  type: z.string().optional(),
  /** Set when value is only the beginning: the length of the whole, in bytes. */
  bytes: z.int().optional(),
})
export type Parameter = Readonly<z.infer<typeof parameterSchema>>

export const commandSchema = z.object({
  protocol: z.enum(protocolNames),
  /** The first action's verb. */
  verb: z.string(),
  /** Every object of every action, once each. */
  objects: z.array(z.string()),
  /** Exactly what was asked. */
  text: z.string(),
  parameters: z.array(parameterSchema),
  actions: z.array(actionSchema).min(1),
  facts: factsSchema,
})
export type Command = Readonly<z.infer<typeof commandSchema>> & {
  /** HTTP and Kubernetes: the request's named values. For rules alone: they stand in `text`, and are not written down twice. */
  readonly fields?: readonly Field[]
}

/** One named value of a request, wherever it stands. A name that is given twice is two fields. */
export interface Field {
  /** `query:limit`, `path:id` (of a path template), `header:x-tenant`, `body:/items/0/price` (a JSON pointer, RFC 6901). */
  readonly at: string
  /** A string as it is; a JSON number, `true`, `false` or `null` as it is written. Objects and arrays are their members. */
  readonly value: string
}

/** What a held command would touch, asked of the target itself, read-only and within a time limit. */
export const impactSchema = z.object({
  /** One line each, ready to show: `public.orders: about 12,400 rows, 3.1 MB`, `order_items.order_id refers to it`. */
  lines: z.array(z.string()),
  /** Rows that would change or vanish, by the planner's estimate; absent where there is none. */
  rows: z.number().optional(),
  /** Why nothing (more) could be found out: `timed out after 2 s`. */
  unknown: z.string().optional(),
})
export type Impact = Readonly<z.infer<typeof impactSchema>>
