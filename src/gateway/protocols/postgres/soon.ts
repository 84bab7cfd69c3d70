/**
 * What is nearly always there already. Awaiting it all the same would cost a turn of the microtask queue and a promise for
 * each message, of which a prepared statement needs four and only one has to wait: for the audit.
 */

export type Soon<T> = T | Promise<T>

/** Goes on at once where there is nothing to wait for. */
export function andThen<T, R>(soon: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return soon instanceof Promise ? soon.then(next) : next(soon)
}

/** All of them; at once, and the very same list, where each is what it was made from already. */
export function each<T>(list: readonly T[], next: (value: T) => Soon<T>): Soon<readonly T[]> {
  const results = list.map(next)
  if (results.some((result) => result instanceof Promise)) return Promise.all(results)
  return list.every((value, index) => value === results[index]) ? list : (results as readonly T[])
}
