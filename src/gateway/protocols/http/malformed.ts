/** What a client may not say at all: told with a status of HTTP's own, and the connection ends (RFC 9112, 2.2). */

export class Malformed extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'Malformed'
    this.status = status
  }
}
