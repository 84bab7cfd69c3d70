/**
 * Sessions: opened, listed, ended, killed; and the way from an admitted link to a running connection.
 *
 * A session outlives the gateway: what is open in the audit when the gateway starts is taken up again, so that `hoop
 * connect` goes on with the same session after a restart. Whoever does not come back is ended after a grace time.
 */
import type { Clock } from '../../base/clock.ts'
import { createId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { CreateSession, Session, TargetInfo } from '../../contract/api.ts'
import type { ProtocolName } from '../../contract/command.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { LoneSession } from '../../contract/link.ts'
import type { Person, RecordDraft } from '../../contract/record.ts'
import type { Refusal } from '../../contract/refusal.ts'
import type { Approvals } from '../approvals/approvals.ts'
import type { Audit, SessionSummary } from '../audit/audit.ts'
import type { Asker } from '../checkpoint/asked.ts'
import { createCheckpoint } from '../checkpoint.ts'
import { isRefusal } from '../checkpoint/refusals.ts'
import type { Loaded } from '../config/load.ts'
import type { OpenCredential } from '../credentials/open-credential.ts'
import type { Caller } from '../identity/caller.ts'
import type { Metrics } from '../metrics.ts'
import { isAdmitted, isOpen } from '../policy/decide.ts'
import type { RuleTarget } from '../policy/rules.ts'
import type { AnyProtocol, Recordings } from '../protocols/protocol.ts'
import { createEnds, endedBecause, killedBecause } from './ends.ts'
import { inForceFor } from './in-force.ts'
import { LiveSession, type SessionFacts } from './live-session.ts'
import { runConnection } from './run-session.ts'
import type { Admission, Sessions } from './sessions.ts'

export interface SessionsOptions {
  /** The configuration in force: asked anew each time. */
  readonly current: () => Loaded
  readonly protocols: Readonly<Record<ProtocolName, AnyProtocol>>
  readonly audit: Audit
  readonly approvals: Approvals
  /** Where what a connection shows is kept. */
  readonly recordingsOf: (asker: Asker) => Recordings
  readonly openCredential: OpenCredential
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
  /** Keys the hashes of masked values; drawn when the gateway starts. */
  readonly hashKey: Uint8Array
}

const lookForIdleEveryMs = 60_000
/** How long ending a session waits for its connections to be over. */
const endWithinMs = 5_000
/** Enough for every session that was open when the gateway stopped. */
const mostResumed = 10_000

export async function createSessions(options: SessionsOptions): Promise<Sessions> {
  const { current, protocols, audit, approvals, recordingsOf, openCredential, metrics, clock, log, hashKey } = options
  const live = new Map<string, LiveSession>()
  const ends = createEnds(audit)
  let stopping = false

  for (const summary of await audit.sessions({ live: true, limit: mostResumed }))
    live.set(summary.id, new LiveSession(factsOf(summary), clock.now()))
  metrics.watch('hoop_live_sessions', 'Sessions that have not ended', () => live.size)
  metrics.watch('hoop_open_connections', 'Client connections open now', () =>
    [...live.values()].reduce((sum, { connections }) => sum + connections, 0),
  )
  const sweep = setInterval(endIdle, lookForIdleEveryMs).unref()

  function endIdle(): void {
    const longestMs = current().config.limits.session
    for (const session of live.values())
      if (session.idleFor(clock.now()) > longestMs) {
        const why = 'no connection and no word from its client for too long'
        endSession(session, endedBecause(session.facts.id, why), why).catch((error: unknown) =>
          log.warn({ session: session.facts.id, err: error }, 'the end of an idle session could not be written down'),
        )
      }
  }

  /** The caller's own session while it lives, or why it does not. Throws `not-found`. */
  async function ownSession(caller: Caller, id: string): Promise<LiveSession | Refusal> {
    const session = live.get(id) ?? (await takenUp(id))
    if (session === undefined) return await endOf(caller, id)
    if (session.facts.person.subject !== caller.subject) throw noSession(id)
    session.heardOf(clock.now())
    return session
  }

  /** What is open in the audit lives, also when more was open at the start than is taken up at once. */
  async function takenUp(id: string): Promise<LiveSession | undefined> {
    const summary = await audit.session(id)
    if (summary === undefined || summary.ended !== null) return undefined
    // The audit may be behind: what was ended here must never come back.
    if (ends.get(id) !== undefined) return undefined
    const session = live.get(id) ?? new LiveSession(factsOf(summary), clock.now())
    live.set(id, session)
    return session
  }

  async function endOf(caller: Caller, id: string): Promise<Refusal> {
    const end = await ends.find(id)
    if (end?.subject !== caller.subject) throw noSession(id)
    return end.refusal
  }

  /** Connections first, so that it is over even when its end cannot be written down. */
  async function endSession(session: LiveSession, refusal: Refusal, why: string, before: readonly RecordDraft[] = []) {
    const { id } = session.facts
    live.delete(id)
    ends.add(id, session.facts.person.subject, refusal)
    await session.end(refusal, endWithinMs)
    const drafts: RecordDraft[] = [...before, { ...aboutSession(session.facts), type: 'session.end', why }]
    try {
      await audit.append(drafts)
    } catch (error) {
      // It has ended all the same; the record follows when there is room.
      for (const draft of drafts) audit.note(draft)
      throw error
    }
  }

  /** The subject whose session it is, if the caller may see it; asks the audit only where nothing is known here. */
  async function ownerOf(caller: Caller, id: string): Promise<string> {
    const here = live.get(id)?.facts.person.subject ?? ends.get(id)?.subject
    const subject = here ?? (await audit.session(id))?.subject
    if (subject === undefined || (subject !== caller.subject && caller.roles.length === 0)) throw noSession(id)
    return subject
  }

  async function find(caller: Caller, id: string): Promise<SessionSummary> {
    const summary = await audit.session(id)
    if (summary === undefined || (summary.subject !== caller.subject && caller.roles.length === 0)) throw noSession(id)
    return summary
  }

  function view(summary: SessionSummary): Session {
    const { id, user, agent, reason, targets, started, ended, why, commands } = summary
    const connections = live.get(id)?.connections ?? 0
    return { id, user, agent, reason, targets: [...targets], started, ended, why, connections, commands }
  }

  /** One sentence why not; null: may be used. */
  function whyNot(person: Person, agent: string | null, name: string): string | null {
    const { policy } = current()
    const target = policy.target(name)
    if (target === undefined) return `there is no target "${name}"`
    if (!isAdmitted(target.access, person.groups)) return `"${name}" is for ${target.access.join(', ')}`
    if (!isOpen(policy, { target, person, agent })) return `no rule allows you anything on "${name}"`
    return null
  }

  /** Throws what the caller is told. */
  function demandAccess(person: Person, agent: string | null, name: string): void {
    const why = whyNot(person, agent, name)
    if (why === null) return
    const code = current().targets.has(name) ? 'not-allowed' : 'not-found'
    throw hoopError(code, why, { hint: 'see "hoop targets"' })
  }

  async function admit(caller: Caller, id: string, name: string): Promise<Admission> {
    const session = await ownSession(caller, id)
    if (stopping) throw hoopError('gateway-unreachable', 'the gateway is stopping', { hint: 'try again in a moment' })
    if (isRefusal(session))
      throw hoopError(session.code === 'killed' ? 'killed' : 'conflict', session.message, { hint: session.next })
    const { agent, reason, targets } = session.facts
    if (!targets.includes(name))
      throw hoopError('not-allowed', `session ${id} is not for "${name}"`, {
        hint: `its targets: ${targets.join(', ')}`,
      })
    demandAccess(caller, agent, name)
    const { connections } = current().config.limits
    if (session.connections >= connections)
      throw hoopError('conflict', `session ${id} has ${session.connections} connections, which is the most it may have`)

    const { targets: known, config } = current()
    const target = known.get(name)
    const settings = config.targets.find((target) => target.name === name)
    if (target === undefined || settings === undefined) throw hoopError('not-found', `there is no target "${name}"`)

    const { user, subject, groups } = caller
    const person: Person = { user, subject, groups }
    const asker = { session: id, connection: createId('con'), target: name, person, agent, reason }
    const ruleTarget: RuleTarget = settings
    const onDefect = (what: string, error: unknown) => log.error({ session: id, target: name, err: error }, what)
    const { history } = session
    return {
      run: (socket) =>
        session.run(async () => {
          const age = aged(config.limits.connection)
          const signal = AbortSignal.any([session.signal, age.signal])
          const inForce = inForceFor(current, { target: ruleTarget, person, agent }, hashKey)
          const given = { asker, audit, signal }
          const checkpoint = createCheckpoint({ ...given, inForce, approvals, history, metrics, clock, onDefect })
          await runConnection(
            {
              ...given,
              protocol: protocols[target.protocol],
              target,
              checkpoint,
              recordings: recordingsOf(asker),
              log,
              connectTimeoutMs: config.limits.connect,
              admit: () => refusalUnless(whyNot(person, agent, name)),
              openCredential: (signal) => openCredential(settings.secret, signal),
            },
            socket,
          ).finally(age.cancel)
          session.heardOf(clock.now())
        }),
      decline: () => Promise.resolve(),
    }
  }

  /** Written down before it is there. */
  async function begin(caller: Caller, { targets, reason, agent }: CreateSession): Promise<LiveSession> {
    if (stopping) throw hoopError('gateway-unreachable', 'the gateway is stopping', { hint: 'try again in a moment' })
    // Rules say `none` for people without an agent.
    if (agent === 'none' || agent === '') throw hoopError('usage', `an agent cannot be named "${agent}"`)
    for (const name of targets) demandAccess(caller, agent, name)
    const { user, subject, groups } = caller
    const id = createId('ses')
    const facts = { id, person: { user, subject, groups }, agent, reason, targets: [...new Set(targets)] }
    await audit.append([{ ...aboutSession(facts), type: 'session.start', reason, targets: facts.targets }])
    const session = new LiveSession(facts, clock.now())
    live.set(id, session)
    return session
  }

  async function admitAlone(caller: Caller, target: string, wish: LoneSession): Promise<Admission> {
    const session = await begin(caller, { ...wish, targets: [target] })
    const { id } = session.facts
    const over = async () => {
      // Killed, say: then its end is written down already. A gateway that stops ends connections, not sessions; but this
      // one's client cannot come back to it.
      if (live.get(id) !== session) return
      const why = 'its connection ended'
      await endSession(session, endedBecause(id, why), why).catch((error: unknown) =>
        log.warn({ session: id, err: error }, 'the end of a session could not be written down'),
      )
    }
    try {
      const { run } = await admit(caller, id, target)
      return { run: (socket) => run(socket).finally(over), decline: over }
    } catch (error) {
      await over()
      throw error
    }
  }

  return {
    targets(caller) {
      const { config, targets } = current()
      return config.targets.map(({ name, protocol, labels, description = null }): TargetInfo => {
        const target = targets.get(name)
        const defaults = target === undefined ? {} : { ...protocols[protocol].defaults(target) }
        return { name, protocol, labels, description, whyNot: whyNot(caller, null, name), defaults }
      })
    },

    async start(caller, wish) {
      const { facts } = await begin(caller, wish)
      return view(await find(caller, facts.id))
    },

    async list(caller, { live: onlyLive, limit }) {
      const own = caller.roles.length === 0
      const summaries = await audit.sessions({ live: onlyLive, limit, ...(own && { user: caller.user }) })
      return summaries.filter(({ subject }) => !own || subject === caller.subject).map(view)
    },

    async get(caller, id) {
      const session = live.get(id)
      if (session?.facts.person.subject === caller.subject) session.heardOf(clock.now())
      return view(await find(caller, id))
    },

    async end(caller, id) {
      if ((await ownerOf(caller, id)) !== caller.subject)
        throw hoopError('not-allowed', `session ${id} is not yours to end`, {
          hint: `admins type: hoop sessions kill ${id}`,
        })
      const session = await ownSession(caller, id)
      if (isRefusal(session)) return
      const why = 'ended by the user'
      await endSession(session, endedBecause(id, why), why)
    },

    async whenEnded(caller, id, signal) {
      const session = await ownSession(caller, id)
      if (isRefusal(session)) return session
      await session.watch(AbortSignal.any([session.signal, signal]))
      session.heardOf(clock.now())
      // A gateway that stops ends connections, not sessions.
      return ends.get(id)?.refusal
    },

    async kill(caller, id, reason) {
      if ((await ownerOf(caller, id)) !== caller.subject && !caller.roles.includes('admin'))
        throw hoopError('not-allowed', `session ${id} is not yours, and only admins kill those of others`)
      const session = live.get(id) ?? (await takenUp(id))
      if (session === undefined) throw hoopError('conflict', `session ${id} has ended already`)
      const why = `killed by ${caller.user}: ${reason}`
      const { user, groups } = caller
      const record: RecordDraft = {
        ...aboutSession({ ...session.facts, person: { user, subject: caller.subject, groups }, agent: null }),
        type: 'admin',
        action: 'session.kill',
        detail: why,
      }
      await endSession(session, killedBecause(why), why, [record])
    },

    admit,
    admitAlone,

    async close() {
      stopping = true
      clearInterval(sweep)
      const refusal: Refusal = {
        code: 'cancelled',
        message: 'the gateway is stopping',
        next: 'connect again in a moment: the session goes on',
      }
      await Promise.all([...live.values()].map((session) => session.end(refusal, endWithinMs)))
    },
  }
}

/** Aborted when a connection has lasted long enough: whoever lost their rights since then does not keep it for ever. */
function aged(mostMs: number): { readonly signal: AbortSignal; cancel(): void } {
  const old = new AbortController()
  const refusal: Refusal = {
    code: 'cancelled',
    message: 'the connection has reached the age that limits.connection allows',
    next: 'connect again: the session goes on',
  }
  const timer = setTimeout(() => old.abort(refusal), mostMs).unref()
  return { signal: old.signal, cancel: () => clearTimeout(timer) }
}

function refusalUnless(why: string | null): Refusal | undefined {
  return why === null ? undefined : { code: 'not-allowed', message: why, next: 'see "hoop targets"' }
}

function noSession(id: string): Error {
  return hoopError('not-found', `there is no session ${id} of yours`, { hint: 'see "hoop sessions"' })
}

function aboutSession({ id, person, agent }: SessionFacts) {
  const { user, subject, groups } = person
  return { session: id, user, subject, groups: [...groups], agent, target: null, connection: null }
}

/** Of a session of an earlier run; its groups are those of the token that comes back with it. */
function factsOf({ id, user, subject, agent, reason, targets }: SessionSummary): SessionFacts {
  return { id, person: { user, subject, groups: [] }, agent, reason, targets }
}
