/**
 * Reads multipart/form-data (RFC 7578) strictly: what readers are known to read differently (text before the first part, bare
 * line feeds, names given twice or in other charsets, transfer encodings) is a doubt, and then there are no parts. Pure.
 */

export interface Part {
  readonly name: string
  /** Set for a file, also where it is empty. */
  readonly fileName: string | undefined
  /** In lower case, with its parameters; undefined: none is said, which means text. */
  readonly type: string | undefined
  /** Where its content stands. */
  readonly start: number
  readonly end: number
}

export type Parts = { readonly parts: readonly Part[] } | { readonly doubt: string }

const mostParts = 1000
const longestHead = 8192

/** `contentType` is the whole field, with its boundary. */
export function readParts(body: Uint8Array, contentType: string): Parts {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) return { doubt: 'its multipart body has no clear boundary' }
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  if (!bytes.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2)))
    return { doubt: 'its multipart body does not begin with its boundary' }

  const parts: Part[] = []
  let at = delimiter.length - 2
  for (;;) {
    const mark = bytes.toString('latin1', at, at + 2)
    if (mark === '--') return isEnd(bytes, at + 2) ? { parts } : { doubt: 'something follows its last part' }
    if (mark !== '\r\n') return { doubt: 'a boundary of its multipart body is malformed' }
    if (parts.length === mostParts) return { doubt: `it has more than ${mostParts} parts` }
    const headEnd = bytes.indexOf('\r\n\r\n', at, 'latin1')
    const end = headEnd < 0 ? -1 : bytes.indexOf(delimiter, headEnd + 2)
    if (headEnd < 0 || headEnd - at > longestHead || end < 0)
      return { doubt: 'a part of its multipart body does not end' }
    const start = headEnd + 4
    // A boundary right behind the head: the part is empty, and its line end is the head's.
    const part = readHead(bytes.toString('utf8', at + 2, headEnd), start, Math.max(start, end))
    if (typeof part === 'string') return { doubt: part }
    if (end < start) return { doubt: 'a part of its multipart body has no content' }
    parts.push(part)
    at = end + delimiter.length
  }
}

/** RFC 2046, 5.1.1: what a boundary may be. Given once. */
function boundaryOf(contentType: string): string | undefined {
  const given = [...contentType.matchAll(/;\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;"]+))/gi)]
  const [only] = given
  const boundary = only?.[1] ?? only?.[2]
  if (given.length !== 1 || /boundary\*/i.test(contentType) || boundary === undefined) return undefined
  return /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary) ? boundary : undefined
}

function isEnd(bytes: Buffer, at: number): boolean {
  const rest = bytes.toString('latin1', at, at + 3)
  return rest === '' || rest === '\r\n'
}

function readHead(text: string, start: number, end: number): Part | string {
  const fields = new Map<string, string>()
  if (/(?<!\r)\n|\r(?!\n)|\0|\ufffd/.test(text)) return 'the head of a part is malformed'
  for (const line of text.split('\r\n')) {
    const [, name, value] = /^([\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined) return 'the head of a part is malformed'
    if (fields.has(name.toLowerCase())) return 'the head of a part says something twice'
    fields.set(name.toLowerCase(), value)
  }
  if (!/^(?:7bit|8bit|binary)?$/i.test(fields.get('content-transfer-encoding') ?? '')) return 'a part is encoded'
  const disposition = readDisposition(fields.get('content-disposition') ?? '')
  if (typeof disposition === 'string') return disposition
  return { ...disposition, type: fields.get('content-type')?.toLowerCase(), start, end }
}

const parameter = /;[ \t]*([\w*-]+)=(?:"((?:[^"\\\r\n]|\\[^\r\n])*)"|([^\s;",\\]+))[ \t]*/y

function readDisposition(value: string): Pick<Part, 'name' | 'fileName'> | string {
  const type = /^form-data[ \t]*/i.exec(value)
  if (type === null) return 'a part is no form-data'
  const given = new Map<string, string>()
  parameter.lastIndex = type[0].length
  while (parameter.lastIndex < value.length) {
    const [, name, quoted, token] = parameter.exec(value) ?? []
    if (name === undefined) return 'the name of a part is malformed'
    // A backslash is an escape for some readers and stands for itself for others.
    if (quoted?.includes('\\') === true) return 'the name of a part has a backslash in it'
    if (given.has(name.toLowerCase())) return 'the name of a part is given twice'
    given.set(name.toLowerCase(), quoted ?? token ?? '')
  }
  const name = given.get('name')
  if (name === undefined || given.has('name*')) return 'a part has no clear name'
  if (name === '_charset_') return 'a part names a charset for the others'
  return { name, fileName: given.get('filename*') ?? given.get('filename') }
}
