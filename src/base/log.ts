/** What a part needs of a log; a pino logger fits. Fields first, then a sentence; no secret in either. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
