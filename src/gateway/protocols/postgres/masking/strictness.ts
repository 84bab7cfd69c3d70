/** Which of two mask styles wins: the one that shows less. */
import type { MaskStyle } from '../../../checkpoint.ts'

const order: readonly MaskStyle[] = ['null', 'redact', 'hash', 'partial']

export function strictest(one: MaskStyle | undefined, other: MaskStyle | undefined): MaskStyle | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return order.indexOf(one) <= order.indexOf(other) ? one : other
}
