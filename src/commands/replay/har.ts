/**
 * A session's requests as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), which opens in a browser's dev tools:
 * as far as they were recorded, masked as they were. What the format has no word for stands in comments and in `_hoop`. Pure.
 */
import type { Answer } from '../../contract/record.ts'
import { fieldOf } from '../../contract/request-text.ts'
import type { AskedRequest } from './requests.ts'

interface Named {
  readonly name: string
  readonly value: string
}

interface Content {
  readonly size: number
  readonly mimeType: string
  readonly text?: string
  readonly encoding?: 'base64'
  readonly comment?: string
}

export interface HarEntry {
  readonly startedDateTime: string
  readonly time: number
  readonly request: {
    readonly method: string
    readonly url: string
    readonly httpVersion: string
    readonly cookies: readonly []
    readonly headers: readonly Named[]
    readonly queryString: readonly Named[]
    readonly postData?: { readonly mimeType: string; readonly text: string }
    readonly headersSize: -1
    readonly bodySize: number
  }
  readonly response: {
    readonly status: number
    readonly statusText: string
    readonly httpVersion: string
    readonly cookies: readonly []
    readonly headers: readonly Named[]
    readonly content: Content
    readonly redirectURL: string
    readonly headersSize: -1
    readonly bodySize: number
  }
  readonly cache: Record<string, never>
  readonly timings: {
    /** Waiting for people. -1: it did not. */
    readonly blocked: number
    readonly send: number
    readonly wait: number
    readonly receive: number
  }
  readonly comment: string
  readonly _hoop: { readonly command: string; readonly verdict: string; readonly rule: string | null }
}

export interface Har {
  readonly log: {
    readonly version: '1.2'
    readonly creator: { readonly name: 'hoop'; readonly version: string }
    readonly entries: readonly HarEntry[]
    readonly comment: string
  }
}

export function harOf(session: string, requests: readonly AskedRequest[], version: string): Har {
  return {
    log: {
      version: '1.2',
      creator: { name: 'hoop', version },
      entries: requests.map(entryOf),
      comment: `session ${session}, as far as it was recorded: without credentials, masked`,
    },
  }
}

function entryOf(asked: AskedRequest): HarEntry {
  const { at, command, decision, outcome, heldMs } = asked
  const took = outcome?.durationMs ?? 0
  const wait = Math.min(outcome?.answer?.firstByteMs ?? took, took)
  return {
    startedDateTime: at,
    time: (heldMs ?? 0) + took,
    request: requestOf(asked),
    response: responseOf(asked),
    cache: {},
    timings: { blocked: heldMs ?? -1, send: 0, wait, receive: took - wait },
    comment: commentOf(asked),
    _hoop: { command, verdict: decision.verdict, rule: decision.rule },
  }
}

function requestOf({ target, request, outcome }: AskedRequest): HarEntry['request'] {
  const { method, fields, body } = request
  // The name under which people know it: where it really is, is the gateway's business.
  const url = `http://${target}${request.target}`
  const mimeType = fieldOf(request, 'content-type') ?? ''
  return {
    method,
    url,
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: fields.map(named),
    queryString: queryOf(request.target),
    ...(body === undefined ? {} : { postData: { mimeType, text: body } }),
    headersSize: -1,
    bodySize: outcome?.bytesIn ?? -1,
  }
}

function queryOf(target: string): readonly Named[] {
  const query = target.indexOf('?')
  return query < 0 ? [] : [...new URLSearchParams(target.slice(query + 1))].map(named)
}

/** A request that was refused has no answer of the target: status 0, as browsers write what was blocked. */
function responseOf({ outcome }: AskedRequest): HarEntry['response'] {
  const answer = outcome?.answer
  const [, status = '0', phrase = ''] = /^(\d{3})(?: (.*))?$/.exec(outcome?.summary ?? '') ?? []
  const headers = (answer?.headers ?? []).map(named)
  const find = (wanted: string) => headers.find(({ name }) => name.toLowerCase() === wanted)?.value ?? ''
  return {
    status: answer?.status ?? Number(status),
    statusText: phrase,
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers,
    content: contentOf(answer?.body, find('content-type'), outcome?.bytesOut ?? 0),
    redirectURL: find('location'),
    headersSize: -1,
    bodySize: outcome?.bytesOut ?? -1,
  }
}

function contentOf(body: Answer['body'], mimeType: string, bytes: number): Content {
  if (body === undefined) return { size: bytes, mimeType }
  return {
    size: body.truncated ? bytes : body.base64 ? Buffer.byteLength(body.text, 'base64') : Buffer.byteLength(body.text),
    mimeType,
    text: body.text,
    ...(body.base64 ? { encoding: 'base64' } : {}),
    ...(body.truncated ? { comment: 'only the beginning was kept' } : {}),
  }
}

function commentOf({ decision, outcome, approval, request }: AskedRequest): string {
  const said = [`${decision.verdict} by ${decision.rule ?? 'no rule'}: ${decision.reason}`]
  if (approval !== null) said.push(approval)
  if (outcome !== undefined && outcome.status !== 'done') said.push(outcome.status)
  if (outcome?.error !== undefined) said.push(`${outcome.error.code}: ${outcome.error.message}`)
  if (outcome?.masked === true) said.push('masked')
  said.push(...request.summaries)
  return said.join('; ')
}

function named([name, value]: readonly [string, string]): Named {
  return { name, value }
}
