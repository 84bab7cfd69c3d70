/** The one hook through which React reads a store. */
import { useSyncExternalStore } from 'react'
import type { Store } from './store.ts'

export function useStore<State>(store: Pick<Store<State, never>, 'get' | 'subscribe'>): State {
  return useSyncExternalStore(store.subscribe, store.get)
}
