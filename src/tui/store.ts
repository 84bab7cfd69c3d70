/**
 * A screen's state, outside React: events go in, a pure reducer makes the next state and may ask for effects, which are
 * handed to whoever started the screen. React only reads.
 */

/** The next state, then what is to be done about it. */
export type Step<State, Effect> = readonly [state: State, ...effects: Effect[]]

export type Reducer<State, Event, Effect> = (state: State, event: Event) => Step<State, Effect>

export interface Store<State, Event> {
  get(): State
  dispatch(event: Event): void
  /** Calls the listener after each change; returns how to stop. */
  subscribe(listener: () => void): () => void
}

export function createStore<State, Event, Effect>(
  initial: State,
  reduce: Reducer<State, Event, Effect>,
  perform: (effect: Effect) => void,
): Store<State, Event> {
  let state = initial
  const listeners = new Set<() => void>()
  return {
    get: () => state,
    dispatch(event) {
      const [next, ...effects] = reduce(state, event)
      if (next !== state) {
        state = next
        for (const listener of listeners) listener()
      }
      for (const effect of effects) perform(effect)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
