/**
 * The one error family. What the codes mean, and which exit status each has, is product knowledge and lives in
 * contract/error-codes.ts; here is only the shape.
 */

export interface AppErrorOptions {
  /** What to do next, as one sentence or a command to type. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

export class AppError<Code extends string = string> extends Error {
  readonly code: Code
  readonly hint: string | undefined

  constructor(code: Code, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.hint = options.hint
  }
}

/** One sentence out of whatever was thrown; for the tail of our own messages, never for matching. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === '' && thrown.errors.length > 0)
    return reasonOf(thrown.errors[0])
  if (thrown instanceof Error) return thrown.message || thrown.name
  return String(thrown)
}
