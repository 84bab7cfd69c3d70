/**
 * Keys of clouds and services that can be told by their look: a fixed prefix and a fixed or bounded length. A key without
 * a look of its own (an AWS secret access key is 40 characters of base64) is known only beside its name.
 */

/** A key's mark, which every one of its kind starts with, and the rest of its look. */
const shapes: readonly (readonly [mark: string, rest: string])[] = [
  // AWS: access key ids (long-term, temporary, bearer).
  ['(?:AKIA|ASIA|ABIA|ACCA)', '[A-Z2-7]{16}(?![A-Za-z0-9])'],
  // Google: API key, OAuth client secret, access token.
  ['AIza', '[A-Za-z0-9_-]{35}'],
  ['GOCSPX-', '[A-Za-z0-9_-]{28}'],
  ['ya29\\.', '[A-Za-z0-9_-]{20,2048}'],
  // Azure: storage and service bus keys, SAS signatures.
  ['AccountKey=', '[A-Za-z0-9+/]{86}=='],
  ['SharedAccessKey=', '[A-Za-z0-9+/]{42,44}=?'],
  ['sig=', '[A-Za-z0-9%+/]{40,120}(?:%3D|=)'],
  // GitHub, GitLab.
  ['gh[pousr]_', '[A-Za-z0-9]{36,255}'],
  ['github_pat_', '[A-Za-z0-9_]{22,255}'],
  ['gl(?:pat|dt|rt|ptt|oas)-', '[A-Za-z0-9_-]{20,255}'],
  // Slack: tokens and incoming webhooks.
  ['xox[abeoprs]-', '[A-Za-z0-9-]{10,255}'],
  ['xapp-', '[A-Za-z0-9-]{10,255}'],
  ['hooks\\.slack\\.com/', '(?:services|workflows)/[A-Za-z0-9/]{20,120}'],
  // Stripe, OpenAI, Anthropic, SendGrid, npm, PyPI, Hugging Face, DigitalOcean, Databricks, Vault, Shopify, Twilio.
  ['(?:sk|rk)_(?:live|test)_', '[A-Za-z0-9]{16,255}'],
  ['whsec_', '[A-Za-z0-9+/]{24,255}'],
  ['sk-(?:ant|proj|svcacct|admin)-', '[A-Za-z0-9_-]{20,255}'],
  ['sk-', '[A-Za-z0-9]{48}(?![A-Za-z0-9])'],
  ['SG\\.', '[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}'],
  ['npm_', '[A-Za-z0-9]{36}'],
  ['pypi-', '[A-Za-z0-9_-]{50,255}'],
  ['hf_', '[A-Za-z0-9]{34}'],
  ['do[opr]_v1_', '[a-f0-9]{64}'],
  ['dapi', '[a-f0-9]{32}'],
  ['hv[sb]\\.', '[A-Za-z0-9_-]{24,255}'],
  ['shp(?:at|ca|pa|ss)_', '[a-fA-F0-9]{32}'],
  ['SK[0-9a-f]', '[0-9a-f]{31}'],
]

const namedSecret = /secret_?access_?key['"]?\s{0,4}[=:]\s{0,4}['"]?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/gi

/** Azure's client secrets, the only ones whose mark stands inside them. */
const clientSecret = { mark: '[78]Q~', look: '[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}' }
const looks = [...shapes.map(([mark, rest]) => mark + rest), clientSecret.look]

/** Every quantifier is bounded and every alternative starts with a fixed word, so a match costs a bounded look ahead. */
export const cloudKeys: readonly RegExp[] = [new RegExp(`(?<![A-Za-z0-9])(?:${looks.join('|')})`, 'g'), namedSecret]

/** What holds none of these holds no key: far quicker to ask than whether it holds one. */
export const keyMarks = new RegExp(
  [...shapes.map(([mark]) => mark), clientSecret.mark, '[aA][cC][cC][eE][sS][sS]_?[kK][eE][yY]'].join('|'),
)
