/** The part of ssh2 that its own type declarations leave out and inside.ts uses. */
declare module 'ssh2/lib/protocol/utils.js' {
  export interface Transport {
    readonly _packetRW: {
      readonly write: { readonly allocStart: number; alloc(payload: number): Buffer; finalize(packet: Buffer): Buffer }
    }
    /** What each answer to a login belongs to. */
    readonly _authsQueue: string[]
    /** After a key exchange: what encrypts and what decrypts, each with its keys. */
    readonly _cipher: Keyed
    readonly _decipher: Keyed
    rekey(): void
  }
  export interface Keyed {
    _encKey?: unknown
    _decipherKey?: unknown
    _macKey?: unknown
  }
  const utils: { sendPacket(transport: Transport, packet: Buffer): boolean }
  export default utils
}
