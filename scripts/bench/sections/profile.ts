/** Where the gateway's time goes: its own CPU profile under load, by share. */
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { addSpread, type Bench, step } from '../bench.ts'
import type { Load } from '../driver/jobs.ts'
import { readProfiles } from '../profile/read.ts'
import { sharesOf } from '../profile/shares.ts'
import { cliWay } from '../ways.ts'
import { protocols } from '../settings.ts'

const clients = 16

export async function measureProfile(bench: Bench): Promise<void> {
  const { world, settings } = bench
  await world.tables.transactions(settings.scale)
  for (const protocol of settings.quick ? (['prepared'] as const) : protocols) {
    const what = `${protocol}, ${clients} clients`
    const profile = await mkdtemp(join(world.folder, 'profile-'))
    const door = await world.openDoor({ door: 'demo', profile })
    const load: Load = {
      reach: cliWay(door).reach,
      ...{ script: 'select', protocol, clients, seconds: settings.profileSeconds },
    }
    const span = await step(bench, `profile: ${what}`, () => bench.world.driver().run('load', load)).finally(door.stop)
    // Each thread writes its own when the gateway stops.
    for (const [part, share] of sharesOf(await readProfiles(profile), span))
      addSpread(bench, { section: 'profile', what: `${what}: ${part}`, way: 'cli', tool: 'driver' }, 'share', [
        share * 100,
      ])
  }
}
