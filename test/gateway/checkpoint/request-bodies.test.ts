import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Asked, about, commandRecord } from '../../../src/gateway/checkpoint/asked.ts'
import { command, person } from '../../support/commands.ts'

const who = about({ session: 's', connection: 'c', target: 'api', person: person('ana'), agent: null, reason: null })

function recorded(text: string, protocol: 'http' | 'postgres', approval: string | null, bytes: number): string {
  const shown = { ...command({ text }), protocol }
  const decision = { verdict: 'allow', rule: 'r', reason: '', config: '' } as const
  const asked: Asked = { id: 'cmd_1', command: shown, shown, judgement: { decision, holds: [], notUnderstood: false } }
  const record = commandRecord(who, asked, approval, bytes)
  if (record.type !== 'command') throw new Error('another record')
  return record.asked.text
}

describe('the body of a request in the audit', () => {
  const body = 'é'.repeat(50)
  const text = `POST /x\nContent-Type: text/plain\n\n${body}`

  it('is cut off where it is longer than is to be kept, and proven by its digest', () => {
    const sha256 = createHash('sha256').update(body).digest('hex')
    const head = 'POST /x\nContent-Type: text/plain\n\n'
    expect(recorded(text, 'http', null, 9)).toBe(`${head}éééé\n(cut off: it has 100 bytes, SHA-256 ${sha256})`)
    expect(recorded(text, 'http', null, 100)).toBe(text)
    expect(recorded('GET /x', 'http', null, 1)).toBe('GET /x')
  })

  it('is kept whole where people decide about it, and so are other commands', () => {
    expect(recorded(text, 'http', 'apr_1', 9)).toBe(text)
    expect(recorded(text, 'postgres', null, 9)).toBe(text)
  })
})
