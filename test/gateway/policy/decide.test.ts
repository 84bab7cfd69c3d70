import { describe, expect, it } from 'vitest'
import type { Action, Command } from '../../../src/contract/command.ts'
import { compilePolicy, decide } from '../../../src/gateway/policy/decide.ts'
import { command, config, person, target } from '../../support/commands.ts'

const dev = person('dev', 'engineering')
const allowAll = { name: 'all', effect: 'allow' }

function verdict(rules: unknown[], asked: Command, who = dev, agent: string | null = null, on = 'pg-prod') {
  const policy = compilePolicy(
    config({ rules, targets: [target('pg-prod', { env: 'prod' }), target('pg-dev', { env: 'dev' })] }),
  )
  return decide(policy, { command: asked, target: on, person: who, agent })
}

const drop: Partial<Action> = { verb: 'DROP TABLE', kind: 'ddl', objects: ['public.users'] }
const hold = { name: 'ddl', effect: 'hold', match: { kinds: ['ddl'] }, approvers: { groups: ['dba'] } }

describe('effects', () => {
  it('orders deny over hold over allow, wherever the rules stand in the file', () => {
    const deny = { name: 'no', effect: 'deny', match: { verbs: ['DROP'] } }
    const asked = command({ actions: [drop] })
    for (const rules of [
      [allowAll, hold, deny],
      [deny, hold, allowAll],
      [hold, deny, allowAll],
    ])
      expect(verdict(rules, asked).decision).toMatchObject({ verdict: 'deny', rule: 'no' })
    expect(verdict([allowAll, hold], asked).decision).toMatchObject({ verdict: 'hold', rule: 'ddl', config: 'c0ffee' })
    expect(verdict([allowAll], asked).decision).toMatchObject({ verdict: 'allow', rule: 'all' })
  })

  it('names every hold rule that applies, since each has to be satisfied', () => {
    const second = { name: 'two', effect: 'hold', approvers: { groups: ['ciso'], count: 2 } }
    const { holds } = verdict([allowAll, hold, second], command({ actions: [drop] }))
    expect(holds.map(({ name }) => name)).toEqual(['ddl', 'two'])
  })

  it('gives the words of the rule to whoever is refused', () => {
    const deny = { name: 'no', effect: 'deny', message: 'ask the data team' }
    expect(verdict([allowAll, deny], command()).decision.reason).toBe('ask the data team')
  })
})

describe('a closed target', () => {
  it('is one without any rule', () => {
    expect(verdict([], command()).decision).toMatchObject({ verdict: 'deny', rule: null })
  })

  it('is one whose allow rules speak of other people, even if a hold rule applies', () => {
    const others = { name: 'dba', effect: 'allow', match: { groups: ['dba'] } }
    expect(verdict([others, hold], command({ actions: [drop] })).decision).toMatchObject({
      verdict: 'deny',
      rule: null,
    })
    expect(verdict([others, hold], command(), person('dba', 'dba')).decision.verdict).toBe('allow')
  })

  it('is one whose access list does not name a group of the person', () => {
    expect(verdict([allowAll], command(), person('eve', 'sales')).decision).toMatchObject({
      verdict: 'deny',
      rule: null,
    })
  })

  it('is one that left the configuration while someone was connected', () => {
    expect(verdict([allowAll], command(), dev, null, 'pg-gone').decision.verdict).toBe('deny')
  })
})

describe('several actions', () => {
  const both = command({ actions: [{}, { verb: 'DELETE', kind: 'write', objects: ['public.users'] }] })

  it('are denied or held if one of them is', () => {
    const deny = { name: 'no', effect: 'deny', match: { kinds: ['write'] } }
    expect(verdict([allowAll, deny], both).decision.verdict).toBe('deny')
    expect(verdict([allowAll, { ...hold, match: { verbs: ['DELETE'] } }], both).decision.verdict).toBe('hold')
  })

  it('are allowed only if each of them is', () => {
    const reads = { name: 'reads', effect: 'allow', match: { kinds: ['read'] } }
    const writes = { name: 'writes', effect: 'allow', match: { kinds: ['write'] } }
    expect(verdict([reads], both).decision).toMatchObject({ verdict: 'deny', rule: null })
    expect(verdict([reads, writes], both).decision.verdict).toBe('allow')
  })

  it('may be covered by an allow rule here and a hold rule there: then people decide', () => {
    const reads = { name: 'reads', effect: 'allow', match: { kinds: ['read'] } }
    const asks = { ...hold, match: { kinds: ['write'] } }
    expect(verdict([reads, asks], both).decision.verdict).toBe('hold')
  })
})

describe('several objects', () => {
  const two = command({ actions: [{ objects: ['public.orders', 'secret.keys'] }] })

  it('are restricted by one that fits', () => {
    const deny = { name: 'no', effect: 'deny', match: { objects: ['secret.*'] } }
    expect(verdict([allowAll, deny], two).decision.verdict).toBe('deny')
  })

  it('are allowed only if all fit', () => {
    const rule = { name: 'some', effect: 'allow', match: { objects: ['public.*'] } }
    expect(verdict([rule], two).decision.verdict).toBe('deny')
    expect(verdict([rule], command()).decision.verdict).toBe('allow')
  })

  it('that are none are not allowed by a rule about objects', () => {
    const rule = { name: 'some', effect: 'allow', match: { objects: ['public.*'] } }
    expect(verdict([rule], command({ actions: [{ objects: [] }] })).decision.verdict).toBe('deny')
  })
})

describe('match', () => {
  const no = (match: Record<string, unknown>, asked = command(), agent: string | null = null, on = 'pg-prod') =>
    verdict([allowAll, { name: 'no', effect: 'deny', match }], asked, dev, agent, on).decision.verdict === 'deny'

  it.each([
    [{ targets: ['pg-*'] }, true],
    [{ targets: ['mysql-*'] }, false],
    [{ labels: { env: 'prod' } }, true],
    [{ labels: { env: 'prod', tier: '1' } }, false],
    [{ labels: { constructor: '*' } }, false],
    [{ users: ['dev@demo'] }, true],
    [{ users: ['*@acme'] }, false],
    [{ groups: ['eng*'] }, true],
    [{ groups: ['dba'] }, false],
    [{ agents: ['none'] }, true],
    [{ agents: ['devin'] }, false],
    [{ verbs: ['select'] }, true],
    [{ kinds: ['write', 'ddl'] }, false],
    [{ unbounded: true }, false],
    [{ unbounded: false }, true],
    [{ dynamic: true }, false],
    [{ verbs: ['SELECT'], kinds: ['write'] }, false],
  ])('%j applies to a plain SELECT of a person: %s', (match, applies) => {
    expect(no(match)).toBe(applies)
  })

  it('tells an agent from a person', () => {
    expect(no({ agents: ['none'] }, command(), 'devin')).toBe(false)
    expect(no({ agents: ['dev*'] }, command(), 'devin')).toBe(true)
  })

  it('looks at functions and reaches of the whole command', () => {
    const asked = command({ facts: { functions: ['pg_catalog.pg_read_file'], reaches: ['file'] } })
    expect(no({ functions: ['pg_read_file'] }, asked)).toBe(true)
    expect(no({ functions: ['pg_catalog.pg_*'] }, asked)).toBe(true)
    expect(no({ reaches: ['program'] }, asked)).toBe(false)
    expect(no({ reaches: ['program', 'file'] }, asked)).toBe(true)
  })
})

describe('a command that was not understood', () => {
  const asked = command({ actions: [{ verb: 'UNKNOWN', kind: 'admin', objects: [] }], facts: { parsed: false } })

  it('is refused although a rule allows everything', () => {
    expect(verdict([allowAll], asked)).toMatchObject({ decision: { verdict: 'deny', rule: null }, notUnderstood: true })
  })

  it('passes only by a rule that names it', () => {
    const rule = { name: 'raw', effect: 'allow', match: { unparsed: true } }
    expect(verdict([allowAll, rule], asked).decision).toMatchObject({ verdict: 'allow', rule: 'raw' })
  })

  it('is not what a rule for unparsed commands allows when it is understood', () => {
    const rule = { name: 'raw', effect: 'allow', match: { unparsed: true } }
    expect(verdict([rule], command()).decision.verdict).toBe('deny')
  })

  it('is refused when nothing in it can be judged', () => {
    expect(verdict([allowAll], { ...command(), actions: [] }).decision.verdict).toBe('deny')
  })
})

describe('a condition', () => {
  function when(effect: string, source: string) {
    const approvers = effect === 'hold' ? { approvers: { groups: ['dba'] } } : {}
    const rule = { name: 'r', effect, when: source, ...approvers }
    return verdict(effect === 'allow' ? [rule] : [allowAll, rule], command()).decision.verdict
  }

  it.each([
    ['action.kind == "read"', true],
    ['action.objects.exists(o, o.startsWith("public."))', true],
    ['facts.dynamic || facts.unbounded', false],
    ['"engineering" in user.groups && agent == ""', true],
    ['target.labels["env"] == "prod" && target.name == "pg-prod"', true],
    ['command.text.contains("secret")', false],
    ['user.name == "dev@demo" && user.subject == "sub-dev"', true],
  ])('%s is %s', (source, holds) => {
    expect(when('deny', source)).toBe(holds ? 'deny' : 'allow')
    expect(when('hold', source)).toBe(holds ? 'hold' : 'allow')
    expect(when('allow', source)).toBe(holds ? 'allow' : 'deny')
  })

  it('that cannot be worked out restricts and does not allow', () => {
    const source = 'target.labels["team"] == "payments"'
    expect(when('deny', source)).toBe('deny')
    expect(when('hold', source)).toBe('hold')
    expect(when('allow', source)).toBe('deny')
  })

  it.each(['action.knd == "read"', 'foo == 1', '1 +', 'action.kind', 'size(agent) > "a"'])(
    'like %s does not load',
    (source) => {
      expect(() => compilePolicy(config({ rules: [{ ...allowAll, when: source }] }))).toThrow()
    },
  )
})

/** Laws that hold for any rules and any command, tried on many made from a seed. */
describe('for any rules and any command', () => {
  const kinds = ['read', 'write', 'ddl', 'admin'] as const
  const objects = ['public.a', 'public.b', 'secret.c', 'd']

  function random(seed: number) {
    let state = seed
    const next = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T
    return { next, pick }
  }

  function randomCase(seed: number) {
    const { next, pick } = random(seed)
    const match = () => ({
      ...(next() < 0.4 && { kinds: [pick(kinds)] }),
      ...(next() < 0.3 && { objects: [pick(['public.*', 'secret.c', '*', 'a'])] }),
      ...(next() < 0.2 && { unbounded: next() < 0.5 }),
      ...(next() < 0.2 && { groups: [pick(['dba', 'engineering'])] }),
      ...(next() < 0.1 && { unparsed: true }),
    })
    const rules = Array.from({ length: Math.floor(next() * 6) }, (_, at) => {
      const effect = pick(['allow', 'allow', 'deny', 'hold'] as const)
      const rule = { name: `r${at}`, effect, match: match() }
      return effect === 'hold' ? { ...rule, approvers: { groups: ['dba'] } } : rule
    })
    const asked = command({
      actions: Array.from({ length: 1 + Math.floor(next() * 3) }, () => ({
        kind: pick(kinds),
        objects: objects.filter(() => next() < 0.4),
        unbounded: next() < 0.2,
      })),
      facts: { parsed: next() > 0.1 },
    })
    return { rules, asked, next }
  }

  const seeds = Array.from({ length: 500 }, (_, at) => at + 1)
  const rank = { deny: 0, hold: 1, allow: 2 }

  it('the order of the rules changes nothing', () => {
    for (const seed of seeds) {
      const { rules, asked } = randomCase(seed)
      expect(verdict(rules.toReversed(), asked).decision.verdict).toBe(verdict(rules, asked).decision.verdict)
    }
  })

  it('one more deny rule never makes a verdict milder', () => {
    for (const seed of seeds) {
      const { rules, asked } = randomCase(seed)
      const before = rank[verdict(rules, asked).decision.verdict]
      const deny = { name: 'more', effect: 'deny', match: { kinds: ['write'] } }
      expect(rank[verdict([...rules, deny], asked).decision.verdict]).toBeLessThanOrEqual(before)
    }
  })

  it('one more action never makes a verdict milder', () => {
    for (const seed of seeds) {
      const { rules, asked } = randomCase(seed)
      if (asked.actions.length < 2) continue
      const fewer = { ...asked, actions: asked.actions.slice(1) }
      const both = rank[verdict(rules, asked).decision.verdict]
      expect(both).toBeLessThanOrEqual(rank[verdict(rules, fewer).decision.verdict])
    }
  })

  it('an allow without an allow rule does not exist, nor a verdict that depends on when it is asked', () => {
    for (const seed of seeds) {
      const { rules, asked } = randomCase(seed)
      const { decision } = verdict(rules, asked)
      if (!rules.some(({ effect }) => effect === 'allow')) expect(decision.verdict).toBe('deny')
      expect(verdict(rules, asked).decision).toEqual(decision)
    }
  })
})

describe('programs and their arguments', () => {
  const runs = (name: string, ...words: string[]): Partial<Action> => ({
    verb: `exec ${name}`,
    kind: 'admin',
    objects: [],
    arguments: words,
  })
  const status = {
    name: 'status',
    effect: 'allow',
    match: { verbs: ['exec systemctl'], arguments: ['status', 'nginx*'] },
  }
  const asks = (...actions: Partial<Action>[]) => command({ actions })

  it('allows only where every word fits, and there is one', () => {
    const allowed = (...actions: Partial<Action>[]) => verdict([status], asks(...actions)).decision.verdict
    expect(allowed(runs('systemctl', 'status', 'nginx'))).toBe('allow')
    expect(allowed(runs('systemctl', 'status', 'sshd'))).toBe('deny')
    expect(allowed(runs('systemctl', '--now', 'status', 'nginx'))).toBe('deny')
    expect(allowed(runs('systemctl'))).toBe('deny')
    expect(allowed(runs('sudo', 'systemctl', 'status', 'nginx'), runs('systemctl', 'status', 'nginx'))).toBe('deny')
  })

  it('allows nothing beside: another program, a redirection, a variable', () => {
    const fine = runs('systemctl', 'status', 'nginx')
    for (const other of [
      runs('rm', 'nginx'),
      { verb: 'write file', kind: 'write' as const, objects: ['/etc/x'] },
      { verb: 'set LD_PRELOAD', kind: 'admin' as const, objects: [], arguments: ['nginx'] },
    ])
      expect(verdict([status], asks(fine, other)).decision.verdict).toBe('deny')
  })

  it('allows no word that is not known before it runs, and restricts where one may fit', () => {
    const expanded = runs('systemctl', 'status', 'nginx$X', '<unknown>')
    expect(verdict([status], asks(expanded)).decision.verdict).toBe('deny')
    const stop = { name: 'stop', effect: 'deny', match: { verbs: ['exec systemctl'], arguments: ['stop'] } }
    expect(verdict([allowAll, stop], asks(expanded)).decision).toMatchObject({ verdict: 'deny', rule: 'stop' })
    expect(verdict([allowAll, stop], asks(runs('systemctl', 'status'))).decision.verdict).toBe('allow')
    const shadow = { name: 'shadow', effect: 'deny', match: { objects: ['/etc/shadow'] } }
    const reads = { ...runs('cat', '$X', '<unknown>'), objects: ['$X', '<unknown>'] }
    expect(verdict([allowAll, shadow], asks(reads)).decision).toMatchObject({ verdict: 'deny', rule: 'shadow' })
  })

  it('allows a program by the name it has, and restricts it in any case', () => {
    const ls = { name: 'ls', effect: 'allow', match: { verbs: ['exec ls'] } }
    expect(verdict([ls], asks(runs('ls'))).decision.verdict).toBe('allow')
    expect(verdict([ls], asks(runs('LS'))).decision.verdict).toBe('deny')
    expect(verdict([ls], asks(runs('ls'), runs('./ls'))).decision.verdict).toBe('deny')
    const no = { name: 'no', effect: 'deny', match: { verbs: ['EXEC LS'] } }
    expect(verdict([allowAll, no], asks(runs('Ls'))).decision.verdict).toBe('deny')
  })
})
