/**
 * What the messages of a WebSocket (RFC 6455) say, one way: each is recorded, masked as records are; where something must
 * not be seen, each is looked at as a whole and written anew, and the bytes pass as they came everywhere else. Pure.
 */
import { isUtf8 } from 'node:buffer'
import type { Masks } from '../../checkpoint.ts'
import { createWebSocketReader, createWebSocketWriter, type WebSocketPart } from '../wire/websocket.ts'
import { WithheldError } from './exchange.ts'
import { isText } from './masking/masked-lines.ts'
import { maskedWhole } from './masking/masked-whole.ts'
import { withSecretNames } from './masking/secret-names.ts'

/** A longer one is neither kept nor, where it would have to be looked at, shown. */
const longestMessage = 1024 * 1024

export interface Way {
  /** What goes on to the other end. Throws a WithheldError, or a HoopError where it is no WebSocket. */
  pass(chunk: Buffer): readonly Buffer[]
  readonly masked: boolean
  /** Who speaks this way has said that nothing more comes. */
  readonly closed: boolean
}

/** Hears every message once it is whole. */
export interface Listener {
  text(text: string): void
  /** Of what is no text, or too long to be kept: how much it was. */
  other(bytes: number): void
}

interface Message {
  readonly type: 'text' | 'binary'
  /** undefined: it is too long. */
  readonly bytes: Buffer | undefined
  readonly length: number
}

/** As it comes. */
export function createPlainWay(from: 'client' | 'server', recordMasks: Masks, listener: Listener): Way {
  const reader = createWebSocketReader({ from })
  const collect = createCollector()
  const tell = tellTo(recordMasks, listener)
  return {
    pass(chunk) {
      for (const part of reader.read(chunk)) {
        const message = part.kind === 'data' ? collect(part) : undefined
        if (message !== undefined) tell(message)
      }
      return [chunk]
    },
    masked: false,
    get closed() {
      return reader.closed
    },
  }
}

/** From the target to a person who must not see all of it. */
export function createMaskedWay(masks: Masks, recordMasks: Masks, listener: Listener): Way {
  const reader = createWebSocketReader({ from: 'server' })
  const writer = createWebSocketWriter()
  const collect = createCollector()
  const tell = tellTo(recordMasks, listener)
  const mask = maskedWhole(masks)
  const dots = masks.mask('redact', '') ?? ''
  let masked = false

  function shown(text: string): string {
    const seen = mask(text) ?? dots
    masked ||= seen !== text
    return seen
  }

  function shownMessage(message: Message): Buffer[] {
    const { type, bytes } = message
    if (bytes === undefined) throw new WithheldError('a message in it is too long to be looked at')
    if (type === 'binary' && !isText(bytes))
      throw new WithheldError('a message in it is no text, and cannot be looked into')
    tell(message)
    return writer.message(type, Buffer.from(shown(textOf(bytes))))
  }

  function pass(part: WebSocketPart): Buffer[] {
    if (part.kind === 'close') return writer.close(part.code, shown(part.reason))
    if (part.kind !== 'data') return writer.control(part.kind, part.bytes)
    const message = collect(part)
    return message === undefined ? [] : shownMessage(message)
  }

  return {
    pass: (chunk) => Array.from(reader.read(chunk), pass).flat(),
    get masked() {
      return masked
    },
    get closed() {
      return reader.closed
    },
  }
}

function createCollector(): (part: WebSocketPart & { kind: 'data' }) => Message | undefined {
  let pieces: Buffer[] = []
  let length = 0
  return ({ type, bytes, begins, ends }) => {
    if (begins) {
      pieces = []
      length = 0
    }
    length += bytes.length
    if (length > longestMessage) pieces = []
    else pieces.push(bytes)
    if (!ends) return undefined
    const message = { type, bytes: length > longestMessage ? undefined : Buffer.concat(pieces), length }
    pieces = []
    return message
  }
}

function tellTo(masks: Masks, listener: Listener): (message: Message) => void {
  const mask = maskedWhole(masks)
  const maskJson = maskedWhole(withSecretNames(masks))
  const dots = '•••'
  return ({ type, bytes, length }) => {
    if (type === 'binary' || bytes === undefined) {
      listener.other(length)
      return
    }
    const text = textOf(bytes)
    listener.text((/^\s*[[{]/.test(text) ? maskJson(text) : mask(text)) ?? dots)
  }
}

function textOf(bytes: Buffer): string {
  // A client would end the connection too (RFC 6455, 8.1).
  if (!isUtf8(bytes)) throw new WithheldError('a message in it is no UTF-8, though it says so')
  return bytes.toString()
}
