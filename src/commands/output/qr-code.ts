/** A link as a QR code, for the phone in your hand; only where the terminal can show one. */
import type { Env } from '../../runtime.ts'

export async function qrCode(text: string, stream: NodeJS.WriteStream, env: Env): Promise<string | undefined> {
  if (stream.isTTY !== true || !showsBlocks(env)) return undefined
  const { renderUnicodeCompact } = await import('uqr')
  const picture = renderUnicodeCompact(text, { border: 2 })
  const lines = picture.split('\n')
  const fits = (lines[0]?.length ?? 0) < stream.columns && lines.length + 8 < stream.rows
  return fits ? picture : undefined
}

/** The half blocks need UTF-8; the Linux console's font lacks them. */
function showsBlocks(env: Env): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return /utf-?8/i.test(locale) && env.TERM !== 'dumb' && env.TERM !== 'linux'
}
