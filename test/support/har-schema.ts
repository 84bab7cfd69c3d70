/** HAR 1.2 as its specification says it (http://www.softwareishard.com/blog/har-12-spec/): names with `_` are anybody's. */
import { z } from 'zod'

/** Nothing but what the specification names, and what it leaves to everybody. */
const only = <Shape extends z.ZodRawShape>(shape: Shape) => {
  const object = z.looseObject({ ...shape, comment: z.string().optional() })
  return object.refine(
    (value) => Object.keys(value).every((key) => key in shape || key === 'comment' || key.startsWith('_')),
    {
      message: 'it has a member that HAR does not know',
    },
  )
}

const named = only({ name: z.string(), value: z.string() })
const cookie = only({
  name: z.string(),
  value: z.string(),
  path: z.string().optional(),
  domain: z.string().optional(),
  expires: z.iso.datetime({ offset: true }).optional(),
  httpOnly: z.boolean().optional(),
  secure: z.boolean().optional(),
})
const size = z.int().min(-1)
const duration = z.number().min(0)
const durationOrNone = z.union([duration, z.literal(-1)])

const request = only({
  method: z.string().min(1),
  url: z.url(),
  httpVersion: z.string().min(1),
  cookies: z.array(cookie),
  headers: z.array(named),
  queryString: z.array(named),
  postData: only({ mimeType: z.string(), text: z.string() }).optional(),
  headersSize: size,
  bodySize: size,
})

const response = only({
  status: z.int().min(0),
  statusText: z.string(),
  httpVersion: z.string().min(1),
  cookies: z.array(cookie),
  headers: z.array(named),
  content: only({
    size: z.int().min(0),
    compression: z.int().optional(),
    mimeType: z.string(),
    text: z.string().optional(),
    encoding: z.literal('base64').optional(),
  }),
  redirectURL: z.string(),
  headersSize: size,
  bodySize: size,
})

const timings = only({
  blocked: durationOrNone.optional(),
  dns: durationOrNone.optional(),
  connect: durationOrNone.optional(),
  send: duration,
  wait: duration,
  receive: duration,
  ssl: durationOrNone.optional(),
})

const entry = only({
  pageref: z.string().optional(),
  startedDateTime: z.iso.datetime({ offset: true }),
  time: duration,
  request,
  response,
  cache: only({}),
  timings,
  serverIPAddress: z.string().optional(),
  connection: z.string().optional(),
}).refine(
  ({ time, timings: { blocked = -1, dns = -1, connect = -1, send, wait, receive } }) =>
    Math.abs(time - [blocked, dns, connect, send, wait, receive].reduce((sum, part) => sum + Math.max(0, part), 0)) <
    1e-6,
  { message: 'time is not the sum of the timings' },
)

const creator = only({ name: z.string(), version: z.string() })

export const harSchema = only({
  log: only({
    version: z.literal('1.2'),
    creator,
    browser: creator.optional(),
    pages: z.array(z.unknown()).optional(),
    entries: z.array(entry),
  }),
})
