/** Approvals and records as the gateway sends them, for tests that are not about the gateway. */
import type { Approval, Me } from '../../src/contract/api.ts'
import type { Command } from '../../src/contract/command.ts'
import type { RecordOf } from '../../src/contract/record.ts'

export const noon = Date.parse('2026-03-01T12:00:00.000Z')

export const dba: Me = {
  ...{ user: 'dba@demo', subject: 'dba', groups: ['dba'], roles: [], version: '0.1.0' },
  expires: '2026-03-02T12:00:00.000Z',
}

export function sampleCommand(text: string, change: Partial<Command> = {}): Command {
  return {
    ...{ protocol: 'postgres', verb: 'DROP TABLE', objects: ['public.orders'], text, parameters: [] },
    actions: [{ verb: 'DROP TABLE', kind: 'ddl', objects: ['public.orders'], unbounded: false }],
    facts: { kind: 'ddl', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] },
    ...change,
  }
}

/** `sudo rm -rf /srv/app "$DIR"` as the shell's grammar reads it. */
export function sampleLine(change: Partial<Command> = {}): Command {
  return {
    ...{ protocol: 'ssh', verb: 'exec sudo', objects: ['/srv/app'], parameters: [] },
    text: 'sudo rm -rf /srv/app "$DIR"',
    actions: [
      { verb: 'exec sudo', kind: 'admin', objects: [], unbounded: false, arguments: ['rm', '-rf', '/srv/app', '$DIR'] },
      {
        verb: 'exec rm',
        kind: 'write',
        objects: ['/srv/app'],
        unbounded: true,
        arguments: ['-rf', '/srv/app', '$DIR'],
      },
    ],
    facts: {
      ...{ kind: 'admin', unbounded: true, dynamic: true, parsed: true },
      ...{ functions: ['sudo', 'rm', 'nohup'], reaches: ['program', 'file'] },
    },
    ...change,
  }
}

export function sampleApproval(id: string, change: Partial<Approval> & { readonly text?: string } = {}): Approval {
  const { text = 'DROP TABLE orders', ...rest } = change
  const decision = { verdict: 'hold', rule: 'hold-ddl', reason: 'ddl needs a second person', config: 'c0' } as const
  return {
    ...{ id, state: 'pending', digest: `digest of ${id}`, session: 'ses_1', user: 'dev@demo', agent: 'devin' },
    ...{ reason: 'ticket 42', target: 'pg-prod', protocol: 'postgres' },
    commands: [{ id: `cmd_${id}`, asked: sampleCommand(text), decision }],
    needs: [{ rule: 'hold-ddl', groups: ['dba'], count: 1 }],
    ...{ decisions: [], impact: null, earlier: [] },
    ...{ created: new Date(noon - 30_000).toISOString(), expires: new Date(noon + 870_000).toISOString() },
    ...{ ended: null, whyNot: null, confirm: null },
    ...rest,
  }
}

export function sampleRecord(seq: number, change: Partial<RecordOf<'command'>> = {}): RecordOf<'command'> {
  return {
    ...{ v: 1, seq, at: new Date(noon + seq).toISOString(), type: 'command', session: 'ses_1', user: 'dev@demo' },
    ...{ subject: 'dev', groups: ['engineering'], agent: null, target: 'pg-prod', connection: 'con_1' },
    ...{ command: `cmd_${seq}`, approval: null, prev: 'p'.repeat(64), hash: 'h'.repeat(64) },
    asked: sampleCommand(`SELECT ${seq} AS number`, { verb: 'SELECT' }),
    decision: { verdict: 'allow', rule: 'reads', reason: 'reading is fine', config: 'c0' },
    ...change,
  }
}
