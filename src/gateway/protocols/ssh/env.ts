/** Which of a client's environment variables reach the target: those that the target's settings name, by globs. Pure. */

export function allowedEnv(asked: ReadonlyMap<string, string>, names: readonly string[]): Record<string, string> {
  const fits = names.map(patternOf)
  return Object.fromEntries([...asked].filter(([name]) => fits.some((pattern) => pattern.test(name))))
}

/** `*` stands for any letters, `?` for one. */
function patternOf(glob: string): RegExp {
  const source = glob.replace(/[^*?]+|\*|\?/g, (part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    return part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
  })
  return new RegExp(`^(?:${source})$`, 's')
}
