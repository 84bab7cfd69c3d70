/** Does a text name one of a set of things? Never misses one, and takes words in comments and strings for names too. */

export interface Mentions {
  add(name: string): void
  mentionedIn(text: string): boolean
}

const word = /^[\p{L}_][\p{L}\p{N}_]*$/u
/** A `$` ends a word here: it may belong to the quotes of a body (`… FROM customers$function$`). */
const words = /[\p{L}_][\p{L}\p{N}_]*/gu

export function createMentions(names: Iterable<string>): Mentions {
  const plain = new Set<string>()
  /** Names with spaces, dashes, dollars …: looked for as they are. */
  const others = new Set<string>()
  const mentions: Mentions = {
    add(name) {
      const lower = name.toLowerCase()
      if (word.test(lower)) plain.add(lower)
      else if (lower !== '') others.add(lower)
    },
    mentionedIn(text) {
      const lower = text.toLowerCase()
      for (const [found] of lower.matchAll(words)) if (plain.has(found)) return true
      if (others.size === 0) return false
      const unquoted = lower.replaceAll('""', '"')
      for (const name of others) if (lower.includes(name) || unquoted.includes(name)) return true
      return false
    },
  }
  for (const name of names) mentions.add(name)
  return mentions
}
