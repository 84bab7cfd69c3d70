/**
 * Plans for rows that were worked out before: the same prepared statement runs a thousand times, and its answer is shown
 * in the same way as long as nothing that the plan was made from has changed. Anything that differs makes a new plan.
 */
import type { Permit } from '../../../checkpoint.ts'
import type { Tree } from '../sql/statement.ts'
import type { RowPlan } from './row-filter.ts'

/** All that a plan depends on, beside the statement. */
export interface PlanGrounds {
  /** The RowDescription, byte for byte. */
  readonly description: Buffer
  readonly permit: Pick<Permit, 'masks' | 'recordMasks' | 'sampleRows'>
  /** Of the snapshot; undefined: something is under way. */
  readonly generation: number | undefined
  readonly clientEncoding: string | undefined
  readonly fresh: boolean
}

export type Plan = 'untouched' | RowPlan

export interface RowPlans {
  find(tree: Tree, grounds: PlanGrounds): Plan | undefined
  keep(tree: Tree, grounds: PlanGrounds, plan: Plan): void
}

export function createRowPlans(): RowPlans {
  const plans = new WeakMap<Tree, { readonly grounds: PlanGrounds; readonly plan: Plan }>()
  return {
    find(tree, grounds) {
      const kept = plans.get(tree)
      return kept !== undefined && isSame(kept.grounds, grounds) ? kept.plan : undefined
    },
    keep(tree, grounds, plan) {
      // The description is a view into what arrived.
      plans.set(tree, { grounds: { ...grounds, description: Buffer.from(grounds.description) }, plan })
    },
  }
}

function isSame(one: PlanGrounds, other: PlanGrounds): boolean {
  return (
    one.generation === other.generation &&
    one.fresh === other.fresh &&
    one.clientEncoding === other.clientEncoding &&
    one.permit.sampleRows === other.permit.sampleRows &&
    one.permit.masks.key === other.permit.masks.key &&
    one.permit.recordMasks.key === other.permit.recordMasks.key &&
    one.description.equals(other.description)
  )
}
