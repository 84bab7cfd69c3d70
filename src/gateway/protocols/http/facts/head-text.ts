/** The head of a request as it is written down and shown to reviewers: what lets somebody in is never in it. Pure. */
import { isSecretName } from '../../../../base/secret-names.ts'
import type { Fields, RequestHead } from '../exchange.ts'

/** They say how a browser or a library likes to talk, and nothing of what is asked. */
const chatter = new Set([
  'accept-encoding',
  'accept-language',
  'accept-charset',
  'connection',
  'host',
  'content-length',
  'te',
  'dnt',
  'priority',
  'upgrade-insecure-requests',
  'cache-control',
  'pragma',
])

/** Those of which rules and records know. `Hoop-` begins lines of ours. */
export function recordedFields({ fields }: Pick<RequestHead, 'fields'>): Fields {
  return fields.filter(([name]) => {
    const lower = name.toLowerCase()
    return !chatter.has(lower) && !/^(?:sec|hoop)-/.test(lower) && !isSecretName(lower)
  })
}

export function headText({ method, target }: RequestHead, recorded: Fields): string {
  let text = `${method} ${target}`
  for (const [name, value] of recorded) text += `\n${name}: ${value}`
  return text
}
