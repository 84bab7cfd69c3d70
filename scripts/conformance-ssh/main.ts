/**
 * OpenSSH's own regression scripts, run directly and through the door with everything allowed: what they say must be the
 * same, line by line, or there is a reason. `npm run conformance:ssh -- --help`.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePort } from '../../src/demo/postgres.ts'
import { findSshd, makePrivilegeSeparationFolder } from '../../src/demo/sshd.ts'
import { compare, type Verdict } from './compare.ts'
import { openDoor } from './door.ts'
import { prepareFolder } from './folder.ts'
import { startInetd } from './inetd.ts'
import { type Ran, runScript } from './run-script.ts'
import { scripts } from './scripts.ts'

const { values } = parseArgs({
  options: {
    scripts: { type: 'string' },
    timeout: { type: 'string', default: '300' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const names = values.scripts?.split(',') ?? scripts.map(({ name }) => name)
const unknown = names.filter((name) => !scripts.some((script) => script.name === name))

if (values.help || unknown.length > 0) {
  for (const name of unknown) console.error(`there is no script "${name}"`)
  console.log(`usage: npm run conformance:ssh -- [--scripts a,b,c] [--timeout SECONDS] [--keep]

--scripts  only these, of ${scripts.map(({ name }) => name).join(', ')}
--timeout  for each script (300)
--keep     leave what the runs wrote, and say where`)
  process.exitCode = values.help ? 0 : 2
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const sshd = findSshd()
  if (sshd === undefined) throw new Error('sshd is not installed')
  if (process.getuid?.() === 0) await makePrivilegeSeparationFolder()
  const work = await mkdtemp(join(tmpdir(), 'hoop-conformance-ssh-'))
  try {
    const direct = await runDirect(work, sshd)
    const through = await runThrough(work, sshd)
    return report(direct, through)
  } finally {
    if (values.keep) console.log(`everything is in ${work}`)
    else await rm(work, { recursive: true, force: true })
  }
}

async function runDirect(work: string, sshd: string): Promise<readonly Ran[]> {
  const port = await freePort()
  const folder = join(work, 'direct')
  const proxyCommand = `${sshd} -i -f ${folder}/sshd_proxy -E ${folder}/sshd.log`
  await prepareFolder(folder, { port, serverPort: port, proxyCommand, hostKeys: [], logins: [] })
  return runAll('directly', folder, port, {})
}

async function runThrough(work: string, sshd: string): Promise<readonly Ran[]> {
  const folder = join(work, 'through')
  const own = join(work, 'door')
  await mkdir(own, { mode: 0o700 })
  const inetd = await startInetd(sshd, ['-i', '-f', join(folder, 'sshd_proxy'), '-E', join(folder, 'sshd.log')])
  try {
    const serverPort = await freePort()
    const door = await openDoor({ folder: own, serverPort, proxyPort: inetd.port, log: join(own, 'hoop.log') })
    try {
      const { port, proxyCommand, env } = door
      await prepareFolder(folder, { port, serverPort, proxyCommand, hostKeys: [door.hostKey], logins: [door.login] })
      return await runAll('through the door', folder, port, env)
    } finally {
      await door.close()
    }
  } finally {
    await inetd.close()
  }
}

async function runAll(
  way: string,
  folder: string,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<readonly Ran[]> {
  const ran: Ran[] = []
  for (const name of names) {
    const one = await runScript({ name, folder, port, env, timeoutMs: Number(values.timeout) * 1000 })
    ran.push(one)
    console.log(`${way}: ${name} ${one.passed ? 'passes' : 'fails'} (${one.seconds.toFixed(1)} s)`)
  }
  return ran
}

/** 0 if every script is the same, or differs for reasons that are known. */
function report(direct: readonly Ran[], through: readonly Ran[]): number {
  const counts: Record<Verdict, number> = { same: 0, explained: 0, different: 0 }
  for (const script of scripts) {
    const one = direct.find(({ name }) => name === script.name)
    const other = through.find(({ name }) => name === script.name)
    if (one === undefined || other === undefined) continue
    const { verdict, changes, reasons } = compare(script, one, other)
    counts[verdict] += 1
    const passes = one.passed ? '' : ', failing directly too'
    console.log(`${script.name}: ${verdict}${verdict === 'same' ? passes : ''}`)
    for (const reason of reasons) console.log(`  because ${reason}`)
    for (const change of changes.slice(0, 40)) console.log(`  ${change}`)
  }
  const { same, explained, different } = counts
  console.log(`${same} the same, ${explained} different for a reason, ${different} different`)
  return different === 0 && same > 0 ? 0 : 1
}
