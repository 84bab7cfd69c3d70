/** The one line in the person's own ssh_config that makes plain `ssh ssh-prod.hoop` work; nothing else there is touched. */
import { quoted } from './ssh-settings.ts'

export function includeLine(file: string): string {
  return `Include ${quoted(file)}`
}

/** First of all: ssh takes the first value it finds, and a `Host` further up would make the line a part of it. */
export function withInclude(text: string, file: string): string {
  if (lines(text).some((line) => isInclude(line, file))) return text
  const end = text.includes('\r\n') ? '\r\n' : '\n'
  return `${includeLine(file)}${end}${text}`
}

export function withoutInclude(text: string, file: string): string {
  return lines(text)
    .filter((line) => !isInclude(line, file))
    .join('')
}

/** With their ends. */
function lines(text: string): readonly string[] {
  return text.split(/(?<=\n)/)
}

function isInclude(line: string, file: string): boolean {
  const words = /^\s*include(?:\s+|\s*=\s*)(.*?)\s*$/i.exec(line)?.[1]
  return words === file || words === quoted(file) || words === `"${file}"`
}
