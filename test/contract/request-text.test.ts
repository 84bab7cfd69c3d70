import { describe, expect, test } from 'vitest'
import type { Command } from '../../src/contract/command.ts'
import { fieldOf, readRequestText } from '../../src/contract/request-text.ts'
import { askedInWords, warningsOf } from '../../src/contract/told.ts'

describe('the text of a request', () => {
  test('is read back', () => {
    const read = readRequestText('POST /v1/x?a=b HTTP\nContent-Type: application/json\nX-Empty:\n\n{"a":\n\n1}')
    expect(read).toEqual({
      method: 'POST',
      target: '/v1/x?a=b HTTP',
      fields: [
        ['Content-Type', 'application/json'],
        ['X-Empty', ''],
      ],
      summaries: [],
      body: '{"a":\n\n1}',
      bodyIsTold: false,
    })
    expect(fieldOf(read, 'content-type')).toBe('application/json')
  })

  test.each([
    ['GET /', { method: 'GET', target: '/', body: undefined }],
    ['', { method: '', target: '' }],
    ['GET', { method: 'GET', target: '' }],
    ['PUT /\n\n(3 bytes of image/png)', { body: '(3 bytes of image/png)', bodyIsTold: true }],
    ['PUT /\n\n(3 + 4)\n', { bodyIsTold: false }],
    ['PATCH /a\nHoop-Summary: replicas 2 → 3', { summaries: ['replicas 2 → 3'], fields: [] }],
  ])('%j', (text, expected) => {
    expect(readRequestText(text)).toMatchObject(expected)
  })
})

const asked = (change: Partial<Command>): Command => ({
  protocol: 'http',
  verb: 'DELETE',
  objects: ['/v1/customers/7'],
  text: 'DELETE /v1/customers/7\nAccept: */*\n\n{"why":"gone"}',
  parameters: [],
  actions: [{ verb: 'DELETE', kind: 'write', objects: ['/v1/customers/7'], unbounded: false }],
  facts: { kind: 'write', unbounded: false, dynamic: false, parsed: false, functions: [], reaches: [] },
  ...change,
})

describe('in words', () => {
  test('a request is its method, path and body', () => {
    expect(askedInWords(asked({}))).toBe('DELETE /v1/customers/7 {"why":"gone"}')
  })

  test('an API call is what it means', () => {
    const call = { protocol: 'kubernetes', verb: 'delete pods', objects: ['prod/api-7f'] } as const
    const text = 'DELETE /api/v1/namespaces/prod/pods/api-7f\nHoop-Summary: at once'
    expect(askedInWords(asked({ ...call, objects: [...call.objects], text }))).toBe('delete pods prod/api-7f, at once')
    expect(askedInWords(asked({ ...call, objects: [], text }))).toMatch(/^delete pods \/api\/v1/)
  })

  test('what was not understood is told in words of its protocol', () => {
    expect(warningsOf(asked({}))).toEqual([expect.stringContaining('the API may read more')])
    expect(warningsOf(asked({ protocol: 'kubernetes' }))).toEqual([
      expect.stringContaining('the cluster may read more'),
    ])
    expect(warningsOf(asked({ protocol: 'postgres' }))).toEqual([expect.stringContaining('by the grammar')])
  })
})
