/**
 * `hoop demo --tour`: the demo's story without a person. Every line it prints is a claim that was checked, against the
 * server itself where the claim is about the server. A claim that does not hold ends the tour with an error.
 */
import { once } from 'node:events'
import pg from 'pg'
import { visibleLine } from '../base/visible.ts'
import { runLogs } from '../commands/logs.ts'
import { createOutput } from '../commands/output/output.ts'
import { runReplay } from '../commands/replay.ts'
import { flawIn, genesis, hashAtEnd } from '../contract/chain.ts'
import { hoopError, isHoopError } from '../contract/error-codes.ts'
import { type AuditRecord, recordSchema } from '../contract/record.ts'
import type { Runtime } from '../runtime.ts'
import { openTargets } from './door.ts'
import { type Member, signIn } from './member.ts'
import { type Claim, must, patienceMs, pendingApproval } from './promises.ts'
import { customers, shopDatabase } from './shop.ts'
import { tourHttp } from './tour-http.ts'
import { tourSsh } from './tour-ssh.ts'
import type { World } from './world.ts'

export async function runTour(world: World, outer: Runtime, signal: AbortSignal): Promise<void> {
  const output = createOutput(outer, {})
  const chapter = (title: string) => output.write(`\n${output.style('heading', title)}\n`)
  const claim = (sentence: string) => output.write(`  ${output.style('good', '✓')} ${visibleLine(sentence)}\n`)

  await chapter('Sign in')
  const dev = await signIn(world, 'dev@demo', outer, signal)
  const dba = await signIn(world, 'dba@demo', outer, signal)
  const auditor = await signIn(world, 'auditor@demo', outer, signal)
  for (const { me } of [dev, dba, auditor])
    await claim(`${me.user} signed in by device flow; groups: ${me.groups.join(', ')}`)

  await chapter('Connect')
  const tunnel = await openTargets(dev, { reason: 'the tour', agent: null })
  const session = tunnel.session.id
  const client = new pg.Client({ connectionString: tunnel.postgres.url, application_name: 'hoop demo tour' })
  const notices: string[] = []
  client.on('notice', ({ message }) => notices.push(message ?? ''))
  client.on('error', () => {})
  try {
    await client.connect()
    await claim(`pg-prod is open on 127.0.0.1:${tunnel.postgres.port}, without a password; session ${session}`)

    await chapter('A masked SELECT')
    await tellMasking(client, claim)

    await chapter('A blocked statement')
    await tellBlocking(client, claim)

    await chapter('A DROP TABLE that waits for a human, and is approved')
    await tellApproval({ world, client, notices, dev, dba, claim })

    await chapter('Another one, denied')
    await tellDenial({ world, client, notices, dev, dba, claim })

    await tourSsh({ world, door: tunnel, dba, auditor, chapter, claim })
    await tourHttp({ world, door: tunnel, dba, chapter, claim })
  } finally {
    await client.end().catch(() => {})
    await tunnel.close()
  }

  await chapter('The audit of all of it')
  await runLogs(auditor.runtime, { session, tail: 1000, screen: false })
  await tellAudit(auditor, session, claim)

  await chapter('The session, replayed')
  await runReplay(auditor.runtime, { session, speed: Number.POSITIVE_INFINITY })
  await Promise.all([dev, dba, auditor].map((member) => member.runtime.close()))
}

async function tellMasking(client: pg.Client, claim: Claim): Promise<void> {
  const sql = 'SELECT id, name, email, card_number, password_hash FROM customers ORDER BY id'
  const { rows } = await client.query(sql)
  const shown = JSON.stringify(rows)
  must(rows.length === customers.length, `${rows.length} customers came, not ${customers.length}`)
  for (const customer of customers) {
    must(shown.includes(customer.name), `${customer.name} is missing`)
    for (const secret of [customer.email, customer.card, customer.passwordHash])
      must(!shown.includes(secret), `a masked value came through: ${secret}`)
  }
  const [first] = rows
  await claim(`${sql}`)
  await claim(`${rows.length} rows came, names as they are, and none of their ${customers.length * 3} secrets`)
  await claim(`the first: ${first.name}, ${first.email}, ${first.card_number}, ${first.password_hash}`)

  const { rows: disguised } = await client.query(
    `SELECT upper(c.email) || '!' AS x, to_jsonb(c) AS y FROM customers c WHERE id = 1`,
  )
  const text = JSON.stringify(disguised).toLowerCase()
  must(!text.includes(customers[0]?.email ?? '@'), `an expression over a masked column came through: ${text}`)
  await claim(`neither does an expression over them, nor the whole row as JSON`)
}

async function tellBlocking(client: pg.Client, claim: Claim): Promise<void> {
  const sql = "SELECT pg_read_file('/etc/passwd')"
  const refusal = await refused(client.query(sql))
  const detail = JSON.parse(refusal.detail ?? '{}')
  must(refusal.code === '42501', `SQLSTATE is ${refusal.code}, not 42501`)
  must(detail.verdict === 'denied' && detail.rule === 'no-files-or-programs', `the refusal says ${refusal.detail}`)
  await claim(`${sql} → ${refusal.message}`)
  const { rows } = await client.query('SELECT count(*)::int AS n FROM orders')
  must(rows[0]?.n === 1200, 'the connection did not survive the refusal')
  await claim('the connection goes on; an agent finds verdict, rule and command id as JSON in the error’s DETAIL')
}

interface Scene {
  readonly world: World
  readonly client: pg.Client
  readonly notices: string[]
  readonly dev: Member
  readonly dba: Member
  readonly claim: Claim
}

/** INSERT and DROP in one transaction; resolves when the DROP waits. */
async function dropInTransaction({ client, dba, notices }: Scene, table: string) {
  await client.query('BEGIN')
  await client.query("INSERT INTO orders (customer_id, product, amount) VALUES (1, 'from the tour', 1)")
  const known = notices.length
  const noticed =
    notices.length > known ? Promise.resolve() : once(client, 'notice', { signal: AbortSignal.timeout(patienceMs) })
  const drop = client.query(`DROP TABLE ${table}`)
  // Its end is looked at later; a failure before that must not count as unhandled.
  drop.catch(() => {})
  const approval = await pendingApproval(dba, table)
  await noticed
  return { drop, approval, notice: notices.at(-1) ?? '' }
}

async function tellApproval(scene: Scene): Promise<void> {
  const { world, client, dev, dba, claim } = scene
  const { drop, approval, notice } = await dropInTransaction(scene, 'old_carts')
  await claim(`BEGIN; INSERT …; DROP TABLE old_carts → the client is told: ${notice}`)
  must(await exists(world, 'old_carts'), 'the table is gone before anybody approved')
  await claim('the table is still there, asked of the server directly')

  const own = await dev.client.decide(approval.id, { decision: 'approve', reason: null, digest: approval.digest }).then(
    () => undefined,
    (error: unknown) => error,
  )
  must(isHoopError(own) && own.code === 'not-allowed', 'the asker could approve their own command')
  await claim(`dev@demo cannot approve it: ${isHoopError(own) ? own.message : ''}`)

  const seen = await dba.client.approval(approval.id)
  await claim(
    `dba@demo sees ${seen.id}: ${seen.commands.map(({ asked }) => `${asked.verb} ${asked.objects.join(', ')}`).join('; ')}; rule ${seen.needs.map((need) => need.rule).join(', ')}`,
  )
  const impact = await impactOf(dba, approval.id)
  await claim(`and what it would touch: ${impact.join('; ')}`)
  await dba.client.decide(seen.id, { decision: 'approve', reason: 'the carts are archived', digest: seen.digest })
  await drop
  await client.query('COMMIT')
  must(!(await exists(world, 'old_carts')), 'the approved DROP did not happen')
  must((await toursOrders(world)) === 1, 'the INSERT of the same transaction is missing')
  await claim('approved: the DROP ran inside its open transaction, COMMIT followed, the table is gone')
}

async function tellDenial(scene: Scene): Promise<void> {
  const { world, client, dba, claim } = scene
  const { drop, approval } = await dropInTransaction(scene, 'old_coupons')
  await dba.client.decide(approval.id, { decision: 'deny', reason: 'they are still in use', digest: approval.digest })
  const refusal = await refused(drop)
  await claim(`dba@demo denied ${approval.id} → ${refusal.message}`)
  const commit = await client.query('COMMIT')
  must(commit.command === 'ROLLBACK', `COMMIT after the refusal answered ${commit.command}`)
  must(await exists(world, 'old_coupons'), 'the denied DROP happened')
  must((await toursOrders(world)) === 1, 'the INSERT beside the denied DROP was committed')
  await claim('COMMIT answered ROLLBACK: the table is there, and the INSERT before it left nothing behind')
}

async function tellAudit(auditor: Member, session: string, claim: Claim): Promise<void> {
  let checked = 0
  let prev = genesis
  const records: AuditRecord[] = []
  for await (const line of auditor.client.lines({ after: 0 })) {
    const flaw = flawIn(line, { seq: checked + 1, prev })
    must(flaw === undefined, `record ${checked + 1} ${flaw}`)
    checked += 1
    prev = hashAtEnd(line)
    records.push(recordSchema.parse(JSON.parse(line)))
  }
  await claim(`${checked} records, numbered without a gap, each carrying the hash of the one before: intact`)
  const own = records.filter((record) => record.session === session)
  const commands = own.flatMap((record) => (record.type === 'command' ? [record] : []))
  const settled = new Set(own.flatMap((record) => (record.type === 'outcome' ? [record.command] : [])))
  must(commands.length >= 11, `only ${commands.length} commands are recorded`)
  for (const { command, asked } of commands) must(settled.has(command), `no outcome is recorded for ${asked.text}`)
  const text = JSON.stringify(records)
  for (const customer of customers)
    must(!text.includes(customer.email), `the audit holds a masked value: ${customer.email}`)
  await claim(
    `every one of the session's ${commands.length} commands has its decision and its outcome, and no masked value is among them`,
  )
}

async function impactOf(reviewer: Member, id: string): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(patienceMs)
  for await (const event of reviewer.client.watchApprovals({ signal })) {
    const candidates = event.event === 'snapshot' ? event.approvals : event.event === 'changed' ? [event.approval] : []
    const impact = candidates.find((approval) => approval.id === id)?.impact
    if (impact !== null && impact !== undefined) {
      must(impact.lines.length > 0, `nothing was found out about the impact: ${impact.unknown ?? ''}`)
      return impact.lines
    }
  }
  throw hoopError('internal', 'the reviewer was not told what the statement would touch')
}

async function refused(answer: Promise<unknown>): Promise<pg.DatabaseError> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof pg.DatabaseError) return error
  throw hoopError('internal', 'a statement went through that should have been refused', { cause: error })
}

async function exists(world: World, table: string): Promise<boolean> {
  const [row] = await world.server.query('SELECT to_regclass($1) IS NOT NULL AS there', [table], shopDatabase)
  return row?.there === true
}

async function toursOrders(world: World): Promise<number> {
  const [row] = await world.server.query(
    "SELECT count(*)::int AS n FROM orders WHERE product = 'from the tour'",
    [],
    shopDatabase,
  )
  return Number(row?.n)
}
