/** The audit: what is there, and what comes. Lines go out exactly as they were sealed. */
import { hoopError } from '../../../contract/error-codes.ts'
import { paths, recordFilterSchema } from '../../../contract/api.ts'
import { type Api, callerOf, type RouteContext } from '../context.ts'
import { visible } from '../visible-records.ts'
import { streamLines } from './stream-lines.ts'

export function recordRoutes(app: Api, context: RouteContext): void {
  const { audit, sessions } = context
  const schema = { querystring: recordFilterSchema, produces: ['application/x-ndjson'] }

  app.get(paths.records, { schema: { ...schema, summary: 'Records one may see, as NDJSON' } }, (request, reply) => {
    const asked = () => visible(request.query, sessions, callerOf(request))
    return streamLines(reply, context, '', async () => audit.read(await asked()))
  })

  app.get(
    paths.followRecords,
    { schema: { ...schema, summary: 'Records one may see, then those that come, as NDJSON' } },
    (request, reply) => {
      if (request.query.tail !== undefined || request.query.limit !== undefined)
        throw hoopError('usage', 'tail and limit do not fit following', { hint: `ask ${paths.records} for them first` })
      const asked = () => visible(request.query, sessions, callerOf(request))
      return streamLines(reply, context, '', async (signal) => audit.follow(await asked(), signal))
    },
  )
}
