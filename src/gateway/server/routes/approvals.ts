/** Held commands: look, decide, watch. */
import { z } from 'zod'
import {
  type ApprovalEvent,
  apiErrorSchema,
  approvalSchema,
  approvalsQuerySchema,
  approvalsSchema,
  decideSchema,
  paths,
} from '../../../contract/api.ts'
import { type Api, callerOf, pattern, type RouteContext } from '../context.ts'
import { streamLines } from './stream-lines.ts'

const idSchema = z.object({ id: z.string() })
const beat = JSON.stringify({ event: 'beat' } satisfies ApprovalEvent)

export function approvalRoutes(app: Api, context: RouteContext): void {
  const { approvals } = context

  app.get(
    paths.approvals,
    {
      schema: {
        summary: 'Approvals one may see, newest first',
        querystring: approvalsQuerySchema,
        response: { 200: approvalsSchema, default: apiErrorSchema },
      },
    },
    async (request) => [...approvals.list(callerOf(request), request.query.state)],
  )

  app.get(
    paths.approvalEvents,
    { schema: { summary: 'All pending approvals, then each change, as NDJSON', produces: ['application/x-ndjson'] } },
    (request, reply) => {
      const caller = callerOf(request)
      return streamLines(reply, context, beat, async (signal) => asLines(approvals.watch(caller, signal)))
    },
  )

  app.get(
    pattern(paths.approval(':id')),
    {
      schema: { summary: 'One approval', params: idSchema, response: { 200: approvalSchema, default: apiErrorSchema } },
    },
    async (request) => approvals.get(callerOf(request), request.params.id),
  )

  app.post(
    pattern(paths.decide(':id')),
    {
      schema: {
        summary: 'Approve or deny what was seen',
        params: idSchema,
        body: decideSchema,
        response: { 200: approvalSchema, default: apiErrorSchema },
      },
    },
    async (request) => approvals.decide(callerOf(request), request.params.id, request.body),
  )
}

async function* asLines(events: AsyncIterable<ApprovalEvent>): AsyncGenerator<string> {
  for await (const event of events) yield JSON.stringify(event)
}
