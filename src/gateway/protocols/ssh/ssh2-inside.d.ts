/** The part of ssh2 that its own type declarations leave out and inside.ts and packets/ use. */
declare module 'ssh2/lib/protocol/utils.js' {
  import type { Decipheriv } from 'node:crypto'

  export interface Transport {
    readonly _packetRW: {
      readonly write: { readonly allocStart: number; alloc(payload: number): Buffer; finalize(packet: Buffer): Buffer }
    }
    /** What each answer to a login belongs to. */
    readonly _authsQueue: string[]
    /** After a key exchange: what encrypts and what decrypts, each with its keys. */
    _cipher: Sealing
    _decipher: Opening
    rekey(): void
    /** `packet`: the most that the peer may put into one message of the channel. */
    channelOpenConfirm(remote: number, local: number, window: number, packet: number): void
    session(local: number, window: number, packet: number): void
    channelOpenFail(remote: number, reason: number, sentence: string): void
  }
  /** What is prepared before it is used for every packet. */
  export interface Keyed {
    _encKey?: unknown
    _decipherKey?: unknown
    _macKey?: unknown
  }
  export interface Sealing extends Keyed {
    outSeqno: number
    readonly _onWrite: (bytes: Buffer) => void
    /** Of AES-GCM. */
    readonly _encSSLName?: string
    readonly _encIV?: Buffer
    free(): void
    allocPacket(payload: number): Buffer
    encrypt(packet: Buffer): void
  }
  export interface Opening extends Keyed {
    inSeqno: number
    _onPayload: (payload: Buffer) => number | false | undefined
    /** Of AES-GCM; how much of a packet's length has been read. */
    readonly _decipherSSLName?: string
    readonly _decipherIV?: Buffer
    readonly _lenBytes?: number
    /** Of others; how much of a packet's first block has been read. */
    readonly _decipherInstance?: Decipheriv | null
    readonly _blockSize?: number
    readonly _blockPos?: number
    readonly _macSSLName?: string
    readonly _macActualLen?: number
    readonly _macETM?: boolean
    free(): void
    decrypt(data: Buffer, at: number, end: number): number | undefined
  }
  const utils: { sendPacket(transport: Transport, packet: Buffer): boolean }
  export default utils
}
