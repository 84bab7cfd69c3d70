/** Looks for names of masked members in text of any form, cut anywhere: heads of CSV, elements of XML, keys of YAML. Pure. */
import { StringDecoder } from 'node:string_decoder'
import type { Masks } from '../../../checkpoint.ts'

export interface NameWatch {
  /** The first name that a mask means; undefined: none so far. */
  see(bytes: Buffer): string | undefined
  end(): string | undefined
}

/** Signs that stand around names, whatever the form. */
const signs = /[\s"'`<>()[\]{}&=:;,|/\\?!#.]+/
/** The same without blanks: names with blanks in them stand in CSV. */
const strongSigns = /[\r\n\t"'`<>()[\]{}&=:;,|/\\?!#]+/
/** No name is longer, so that a text without an end of a word is not kept. */
const longestName = 256
const mostRemembered = 4096

export function createNameWatch(masks: Masks): NameWatch {
  const decoder = new StringDecoder('utf8')
  const harmless = new Set<string>()
  let tail = ''

  function find(text: string): string | undefined {
    for (const part of text.split(strongSigns)) {
      const found = meant(part.trim()) ?? part.split(signs).find((word) => meant(word) !== undefined)
      if (found !== undefined) return found
    }
    return undefined
  }

  function meant(word: string): string | undefined {
    if (word === '' || word.length > longestName || harmless.has(word)) return undefined
    if (masks.meansMember(word)) return word
    if (harmless.size < mostRemembered) harmless.add(word)
    return undefined
  }

  return {
    see(bytes) {
      const text = tail + decoder.write(bytes)
      const end = endOfWords(text)
      tail = text.slice(end)
      return find(text.slice(0, end))
    },
    end: () => find(tail + decoder.end()),
  }
}

/** What stands behind it may go on. */
function endOfWords(text: string): number {
  for (let at = text.length; at > 0 && text.length - at < longestName; at--)
    if (strongSigns.test(text.charAt(at - 1))) return at
  return Math.max(0, text.length - longestName, text.lastIndexOf(' '))
}
