/** V8's CPU profiles, as `node --cpu-prof` writes them: one file a thread. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.int()).optional(),
    }),
  ),
  /** Microseconds of the machine's monotonic clock. */
  startTime: z.number(),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
})
export type Profile = z.infer<typeof profileSchema>

export async function readProfiles(folder: string): Promise<readonly Profile[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'))
  if (files.length === 0) throw new Error(`the gateway left no profile in ${folder}`)
  return Promise.all(
    files.map(async (name) => profileSchema.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))),
  )
}
