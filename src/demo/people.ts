/** Who lives in the demo: one who asks, one who decides, one who watches. */

export interface DemoPerson {
  readonly user: string
  readonly groups: readonly string[]
}

export const people = [
  { user: 'dev@demo', groups: ['engineering'] },
  { user: 'dba@demo', groups: ['dba'] },
  { user: 'auditor@demo', groups: ['audit'] },
] as const satisfies readonly DemoPerson[]
export type DemoUser = (typeof people)[number]['user']
