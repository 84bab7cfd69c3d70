/** A second connection to the same database with the same login, read-only, for questions that the client never sees. */
export interface SideConnection {
  /** Text in, text out; one statement. Rejects with a HoopError `target-unreachable` or `target-refused`. */
  query(sql: string, params?: readonly (string | null)[]): Promise<readonly (readonly (string | null)[])[]>
  close(): void
}

/** Opens it lazily: one conversation has at most one, opened at the first question and closed with the conversation. */
export type OpenSideConnection = (signal?: AbortSignal) => Promise<SideConnection>
