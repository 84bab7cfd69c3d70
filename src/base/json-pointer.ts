/** JSON pointers (RFC 6901): where a value stands in a JSON text. */

export function pointerOf(path: readonly string[]): string {
  return path.map((step) => `/${escapedStep(step)}`).join('')
}

export function escapedStep(step: string): string {
  return /[~/]/.test(step) ? step.replaceAll('~', '~0').replaceAll('/', '~1') : step
}

/** Throws a sentence for a pointer that is not one. */
export function stepsOf(pointer: string): readonly string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw new Error(`the pointer "${pointer}" does not begin with a slash`)
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}
