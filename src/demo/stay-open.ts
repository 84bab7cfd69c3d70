/** The demo for a person: says what to type where, shows what waits for approval, and stays until Ctrl-C. */
import { once } from 'node:events'
import { reasonOf } from '../base/errors.ts'
import { visibleLine } from '../base/visible.ts'
import type { Output } from '../commands/output/output.ts'
import type { Runtime } from '../runtime.ts'
import { type OpenDoor, openTargets } from './door.ts'
import { type Member, signIn } from './member.ts'
import type { World } from './world.ts'

export async function stayOpen(world: World, outer: Runtime, output: Output, signal: AbortSignal): Promise<void> {
  const [dev, dba, auditor] = await Promise.all([
    signIn(world, 'dev@demo', outer, signal),
    signIn(world, 'dba@demo', outer, signal),
    signIn(world, 'auditor@demo', outer, signal),
  ])
  const door = await openTargets(dev, {
    reason: 'trying the demo',
    agent: null,
    notify: ({ message }) => output.talk(message),
  })
  try {
    await output.write(welcome({ world, dev, dba, auditor, door, output }))
    const ended = signal.aborted ? Promise.resolve() : once(signal, 'abort')
    sayWhatWaits(dba, output, signal).catch((error: unknown) => {
      if (!signal.aborted) output.talk(`approvals are no longer shown here: ${reasonOf(error)}`)
    })
    await Promise.race([ended, door.done])
  } finally {
    output.talk(output.talkStyle('quiet', 'ending everything …'))
    await door.close()
    await Promise.all([dev, dba, auditor].map((member) => member.runtime.close()))
  }
}

interface Facts {
  readonly world: World
  readonly dev: Member
  readonly dba: Member
  readonly auditor: Member
  readonly door: OpenDoor
  readonly output: Output
}

function welcome({ world, dev, dba, auditor, door, output }: Facts): string {
  const { style } = output
  const quiet = (text: string) => style('quiet', text)
  const type = (line: string) => `    ${style('name', line)}`
  const sql = (statement: string, effect: string) => `      ${statement.padEnd(52)}${quiet(effect)}`
  const { host, port, version } = world.server
  const { ssh, api, cluster } = world
  return `
${style('heading', 'hoop is running')}, all of it in ${world.folder} until Ctrl-C

  identity provider  ${world.provider.issuer}  ${quiet('dev@demo, dba@demo, auditor@demo')}
  PostgreSQL ${version.padEnd(8)}${host}:${port}  ${quiet('a small shop; only the gateway has its password')}
  SSH server         ${ssh.host}:${ssh.port}  ${quiet(`${ssh.about}; only the gateway has its key`)}
  gateway            ${world.gateway}  ${quiet(`rules and masks: ${world.configFile}`)}
  customers API      ${api.host}:${api.port}  ${quiet('HTTP; only the gateway has its token')}
  pg-prod, ssh-demo, api-demo  127.0.0.1:${door.postgres.port}, :${door.ssh.port} and :${door.api.port}  ${quiet(`open for ${dev.me.user}, who is signed in (${dev.me.groups.join(', ')})`)}

${style('heading', 'In a second terminal')}, in this folder, as dev@demo: psql as always, without a password
${type(door.postgres.command)}
${quiet('  or, without psql:')}
${type(`npx hoop demo sql '${door.postgres.url}'`)}
${sql('SELECT name, email, card_number FROM customers;', 'is masked')}
${sql("SELECT pg_read_file('/etc/passwd');", 'is blocked')}
${sql('BEGIN; DROP TABLE old_carts;', 'waits for a human, inside the session')}

${quiet('  and a machine, without a key:')}
${type(door.ssh.command)}
${sql('cat app/log/orders.log', 'is masked')}
${sql('sudo id', 'is blocked')}
${sql('rm -rf releases/2025-11-02', 'waits for a human')}

${quiet('  and an API, without a token:')}
${type(`curl ${door.api.url}/v1/customers/1`)}  ${quiet('is masked')}
${type(`curl -X DELETE ${door.api.url}/v1/customers/7`)}  ${quiet('waits for a human')}
${cluster === undefined ? '' : `\n${quiet(`  and your own cluster, context ${visibleLine(cluster.context)}:`)}\n${type(`${dev.prefix} npx hoop connect k8s-demo -- kubectl get pods -A`)}  ${quiet('changes wait for a human')}\n`}
${style('heading', 'In a third')}, as dba@demo: see what it would touch, and decide
${type(`${dba.prefix} npx hoop approve`)}

${style('heading', 'In a fourth')}, as auditor@demo: watch everything, then prove that nothing is missing
${type(`${auditor.prefix} npx hoop logs --follow`)}
${type(`${auditor.prefix} npx hoop logs --verify`)}

`
}

async function sayWhatWaits(reviewer: Member, output: Output, signal: AbortSignal): Promise<void> {
  const said = new Set<string>()
  for await (const event of reviewer.client.watchApprovals({ signal })) {
    const approvals = event.event === 'snapshot' ? event.approvals : event.event === 'changed' ? [event.approval] : []
    for (const { id, state, user, commands } of approvals) {
      if (said.has(`${id} ${state}`)) continue
      said.add(`${id} ${state}`)
      const what = visibleLine(commands.map(({ asked }) => asked.text).join('; '))
      const waits = state === 'pending'
      output.talk(
        `${output.talkStyle(waits ? 'waiting' : 'quiet', waits ? 'waits   ' : state.padEnd(8))} ${id}  ${user}: ${what}`,
      )
    }
  }
}
