/** Recordings: which there are of a session, and one whole. Who may see a session's records may see its recordings. */
import { z } from 'zod'
import { apiErrorSchema, paths, recordingsSchema } from '../../../contract/api.ts'
import { castType } from '../../../contract/asciicast.ts'
import { hoopError } from '../../../contract/error-codes.ts'
import { isId } from '../../audit/recordings.ts'
import { type Api, callerOf, pattern, type RouteContext } from '../context.ts'

const idSchema = z.string().refine(isId, 'is not an id')

export function recordingRoutes(app: Api, { sessions, recordings }: RouteContext): void {
  app.get(
    pattern(paths.recordings(':id')),
    {
      schema: {
        summary: "A session's recordings, oldest first",
        params: z.object({ id: idSchema }),
        response: { 200: recordingsSchema, default: apiErrorSchema },
      },
    },
    async (request) => {
      const { id } = request.params
      await sessions.get(callerOf(request), id)
      return [...(await recordings.list(id))]
    },
  )

  app.get(
    pattern(paths.recording(':id', ':command')),
    {
      schema: {
        summary: 'One recording as it is up to now, as asciicast v3',
        params: z.object({ id: idSchema, command: idSchema }),
        produces: [castType],
      },
    },
    async (request, reply) => {
      const { id, command } = request.params
      await sessions.get(callerOf(request), id)
      const recording = await recordings.read(id, command)
      if (recording === undefined)
        throw hoopError('not-found', `there is no recording of ${command} in ${id}`, {
          hint: `see "hoop replay ${id}"`,
        })
      return reply
        .header('content-type', castType)
        .header('content-length', recording.bytes)
        .header('cache-control', 'no-store')
        .send(recording.stream)
    },
  )
}
