/** A session's requests over HTTP: as a list, and one of them as a command line. */
import { visibleLine } from '../../base/visible.ts'
import { hoopError } from '../../contract/error-codes.ts'
import type { AuditRecord } from '../../contract/record.ts'
import { type PortsOptions, usualPort } from '../../tunnel/ports.ts'
import type { Output } from '../output/output.ts'
import { curlLine } from './curl.ts'
import { type AskedRequest, requestsOf, requestsText } from './requests.ts'

interface About {
  readonly session: string
  readonly output: Output
}

export async function printRequests(
  records: readonly AuditRecord[],
  { session, output, command }: About & { readonly command?: string | undefined },
): Promise<void> {
  const requests = requestsOf(records, command)
  if (requests.length === 0) throw noRequests(session)
  if (output.json) {
    for (const request of requests) await output.item(itemOf(request))
    return
  }
  await output.write(requestsText(requests, output))
  output.talk(
    output.talkStyle('quiet', 'one whole: --command N; to ask it again: --curl N; for dev tools: --export FILE.har'),
  )
}

export async function printCurl(
  records: readonly AuditRecord[],
  wanted: number,
  { session, output, ports }: About & { readonly ports: PortsOptions },
): Promise<void> {
  const requests = requestsOf(records)
  if (requests.length === 0) throw noRequests(session)
  const found = requests.find(({ number }) => number === wanted)
  if (found === undefined)
    throw hoopError('not-found', `there is no request ${wanted} in ${session}: it has ${requests.length}`, {
      hint: `see "hoop replay ${session} --requests"`,
    })
  const { line, doubts } = curlLine(found.request, await usualPort(ports, found.target))
  for (const doubt of doubts) output.talk(output.talkStyle('waiting', visibleLine(doubt)))
  output.talk(output.talkStyle('quiet', `the port is open while "hoop connect ${visibleLine(found.target)}" runs`))
  await output.write(`${line}\n`)
}

function itemOf({ request, ...rest }: AskedRequest): object {
  const { method, target: path, fields: headers, body, bodyIsTold } = request
  return { ...rest, method, path, headers, ...(body === undefined ? {} : { body, bodyIsTold }) }
}

function noRequests(session: string): Error {
  return hoopError('not-found', `nothing was asked over HTTP in ${session}`, {
    hint: `see "hoop replay ${session}"`,
  })
}
