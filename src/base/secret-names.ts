/**
 * Names under which credentials travel: of header fields, parameters, members of JSON. What stands under such a name is never
 * written down, whether or not anything is configured. Errs towards finding: a value too many that is hidden costs less than
 * a password in the audit.
 */

/** Whole words of a name, which may be the last of several: `client_secret`, `X-Vault-Token`, `newPassword`. */
const secret =
  /(?:^|[^a-z0-9])(?:pass-?(?:word|phrase|wd|code)s?|pwd|pw|secrets?|tokens?|jwt|credentials?|authorization|cookies?|otp|totp|pin|cvc|cvv|signature|assertion|session-?id|(?:api|access|private|secret|master|encryption|signing|subscription|functions?|account|auth|license|application|app)-?keys?(?:-?id)?)(?:-?(?:hash|value|text|confirmation|confirm|again|repeat|\d+))*$/
/** The same run together: `accesstoken`, `x-apikey`. */
const joined = /(?:password|passwd|passphrase|secret|token|apikey|authorization)s?$/
/** What only sounds like it. */
const harmless =
  /(?:^|-)(?:idempotency-?key|(?:next|page|continuation|pagination|cancel|sync)-?(?:page-?)?tokens?|(?:max|min|total|prompt|completion|input|output|num|count|cached|reasoning)-?tokens?|sec-websocket-key)$/

const mostKnown = 4096
const known = new Map<string, boolean>()

export function isSecretName(name: string): boolean {
  const found = known.get(name)
  if (found !== undefined) return found
  const is = isSecret(name)
  // Names come from whoever asks: what was found out is kept of a few, and of short ones.
  if (name.length <= 64 && known.size < mostKnown) known.set(name, is)
  return is
}

function isSecret(name: string): boolean {
  if (name.length > 256) return true
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/\[\d*\]$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return !harmless.test(words) && (secret.test(words) || joined.test(words))
}
