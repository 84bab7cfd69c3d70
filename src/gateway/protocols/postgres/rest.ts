/** A message that is too long to be kept comes in parts: its first part decides what happens to the rest. */
import type { Piece } from './wire.ts'

export type Rest = (piece: Piece) => Promise<void> | void

/** Of what was refused, or is skipped after an error: it goes nowhere. */
export function drop(): void {}
