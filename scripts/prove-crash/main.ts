/**
 * `npm run prove:crash [-- --rounds N] [--only kill,power,flush,full] [--subject audit|gateway]`: clients write while the program or its disk dies
 * under them; afterwards everything that really happened has to be on record. The power cut is also tried with flushes
 * off, where it has to lose something: a proof that cannot fail proves nothing.
 */
import { parseArgs } from 'node:util'
import { auditSubject } from './audit-subject.ts'
import { check } from './check.ts'
import { gatewaySubject } from './gateway-subject.ts'
import type { Life, Subject } from './subject.ts'
import { type Way, ways } from './ways.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    only: { type: 'string' },
    subject: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const only = values.only?.split(',')
const wanted = ways.filter((way) => only === undefined || only.includes(way.name))
if (!Number.isInteger(rounds) || rounds < 1 || wanted.length === 0) {
  console.error(`usage: npm run prove:crash -- [--rounds N] [--only ${ways.map(({ name }) => name).join(',')}]`)
  process.exit(2)
}

const subjects = (['audit', 'gateway'] as const).filter(
  (name) => values.subject === undefined || values.subject === name,
)
let failed = false
for (const name of subjects) {
  const subject = name === 'audit' ? auditSubject : await gatewaySubject()
  for (const way of wanted) {
    const trouble = way.trouble()
    if (trouble !== undefined) {
      console.log(`SKIPPED  ${subject.name} ${way.name}: ${trouble}`)
      continue
    }
    try {
      await prove(subject, way)
      if (way.name === 'power') await control(subject, way)
    } catch (error) {
      failed = true
      console.log(`FAILED   ${subject.name} ${way.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  await subject.close()
}
process.exitCode = failed ? 1 : 0

async function prove(given: Subject, way: Way): Promise<void> {
  const place = way.prepare()
  const { subject, endAll } = watched(given)
  let operations = 0
  let unknown = 0
  let newest = { store: '', records: 0 }
  try {
    for (let round = 1; round <= rounds; round++) {
      const happened = await place.round(subject, true)
      if (happened.size === 0) throw new Error(`round ${round}: nothing happened, so it proves nothing`)
      const found = await check(place.store, happened)
      if (found.missing.length > 0)
        throw new Error(
          `round ${round}: ${found.missing.length} of ${happened.size} happened and are not on record: ${found.missing.slice(0, 3).join(', ')}`,
        )
      if (found.flaws.length > 0) throw new Error(`round ${round}: ${found.flaws.join('; ')}`)
      if (newest.store === place.store && found.records < newest.records)
        throw new Error(`round ${round}: records vanished`)
      newest = { store: place.store, records: found.records }
      operations += happened.size
      unknown = found.unknown
    }
  } finally {
    await endAll()
    place.remove()
  }
  console.log(
    `ok       ${subject.name} ${way.name}: ${way.rule} (${rounds} rounds, ${operations} operations, last trail ${newest.records} records, ${unknown} of them settled as unknown)`,
  )
}

/** Knows what a round has left running, because it failed: its clients would go on for ever. */
function watched(given: Subject): { readonly subject: Subject; endAll(): Promise<void> } {
  const alive = new Set<Life>()
  const subject: Subject = {
    name: given.name,
    close: () => given.close(),
    async start(store, options) {
      const life = await given.start(store, options)
      const watchedLife: Life = {
        ...life,
        kill() {
          alive.delete(watchedLife)
          return life.kill()
        },
      }
      alive.add(watchedLife)
      return watchedLife
    },
  }
  return {
    subject,
    async endAll() {
      for (const life of alive) await life.kill()
    },
  }
}

/** Without flushes the same power cut loses records, or the proof above is blind. */
async function control(subject: Subject, way: Way): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const place = way.prepare()
    try {
      const happened = await place.round(subject, false)
      const { missing } = await check(place.store, happened)
      if (missing.length === 0) continue
      console.log(
        `ok       ${subject.name} ${way.name}: without flushes the same cut loses records (${missing.length} of ${happened.size}), so the proof can fail`,
      )
      return
    } finally {
      place.remove()
    }
  }
  throw new Error('ten power cuts without flushes lost nothing: the proof is blind here')
}
