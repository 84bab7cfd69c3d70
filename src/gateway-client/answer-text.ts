/** The body of an answer that is not the one hoped for; never more than an error needs. */
import type { IncomingMessage } from 'node:http'

const longestText = 64 * 1024

/** What can be read of it: when it breaks off, the status has to say the rest. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  answer.setEncoding('utf8')
  try {
    for await (const chunk of answer) {
      text += String(chunk)
      if (text.length > longestText) break
    }
  } catch {
    return text
  }
  return text
}
