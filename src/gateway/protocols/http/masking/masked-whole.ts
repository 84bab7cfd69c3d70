/** Masks a text that is there whole: a message of a WebSocket, the data of an event. */
import type { Masks } from '../../../checkpoint.ts'
import { WithheldError } from '../exchange.ts'
import { createMaskedJson } from './masked-json.ts'
import { createNameWatch } from './name-watch.ts'
import { joined } from './passage.ts'

/** null: it may not be shown. The very same text where nothing is hidden. */
export function maskedWhole(masks: Masks): (text: string) => string | null {
  return (text) => {
    const bytes = Buffer.from(text)
    if (/^\s*[[{]/.test(text)) {
      try {
        const json = createMaskedJson(masks)
        const shown = joined([json.push(bytes), json.end()])
        return json.masked ? shown.toString() : text
      } catch (error) {
        // `[DONE]` begins like JSON, and is none.
        if (!(error instanceof WithheldError)) throw error
      }
    }
    if (masks.hasFields) {
      const watch = createNameWatch(masks)
      if ((watch.see(bytes) ?? watch.end()) !== undefined) return null
    }
    return masks.detect(text)
  }
}
