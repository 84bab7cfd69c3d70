/** A terminal without a picture, fed what a person's own terminal shows: what stands on the cursor's line? */
import headless, { type IBuffer, type Terminal } from '@xterm/headless'

export interface Screen {
  write(bytes: Uint8Array): void
  /** Calls back when everything written so far has been taken in; at once where that is so already. */
  whenDrawn(action: () => void): void
  resize(columns: number, rows: number): void
  /** Bytes written and not taken in yet. */
  readonly behind: number
  /** A full-screen program has it. */
  readonly isAlternate: boolean
  readonly bracketsPastes: boolean
  cursorLine(): CursorLine | undefined
  /** Keeps hold of the line that the cursor is in. */
  mark(): Mark
  close(): void
}

export interface Mark {
  /** What stands there now; undefined where it has scrolled away. */
  text(): string | undefined
  release(): void
}

/** The line with the cursor in it: several rows where it is too long for one. */
export interface CursorLine {
  readonly text: string
  /** Where in the text the cursor is. */
  readonly cursor: number
  /** Rows below it, where there is anything. */
  readonly below: string
  /** The same where spaces before a wide sign, at the end of a row, only fill it; where there are such spaces. */
  readonly unfilled: { readonly text: string; readonly cursor: number } | undefined
  /** The cursor's own place, for comparison only. */
  readonly place: string
  /** Signs behind the cursor are faint and those before it are not. */
  readonly faintBehind: boolean
}

const scrollback = 200

export function createScreen(columns: number, rows: number): Screen {
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback, allowProposedApi: true, logLevel: 'off' })
  let behind = 0
  /** Actions that wait for their turn. */
  let waiting = 0

  return {
    write(bytes) {
      const seen = lastLines(bytes, terminal.rows)
      behind += seen.length
      terminal.write(seen, () => {
        behind -= seen.length
      })
    },
    whenDrawn(action) {
      if (behind === 0 && waiting === 0) {
        action()
        return
      }
      waiting += 1
      terminal.write('', () => {
        waiting -= 1
        action()
      })
    },
    resize: (nextColumns, nextRows) => terminal.resize(Math.max(2, nextColumns), Math.max(1, nextRows)),
    get behind() {
      return behind
    },
    get isAlternate() {
      return terminal.buffer.active.type === 'alternate'
    },
    get bracketsPastes() {
      return terminal.modes.bracketedPasteMode
    },
    cursorLine: () => cursorLine(terminal),
    mark() {
      const marker = terminal.registerMarker(0)
      return {
        text: () => (marker === undefined || marker.isDisposed ? undefined : lineAround(terminal, marker.line)?.text),
        release: () => marker?.dispose(),
      }
    },
    close: () => terminal.dispose(),
  }
}

/** Of plain lines only as many as fit: the others would scroll away before anybody could ask. */
function lastLines(bytes: Uint8Array, rows: number): Uint8Array {
  if (bytes.length < 4096 || bytes.includes(0x1b)) return bytes
  let at = bytes.length
  for (let lines = 0; lines < rows + scrollback && at > 0; lines++) at = bytes.lastIndexOf(0x0a, at - 1)
  return at > 0 && bytes[at - 1] === 0x0d ? bytes.subarray(at - 1) : bytes
}

function cursorLine(terminal: Terminal): CursorLine | undefined {
  const { active } = terminal.buffer
  const cursorRow = active.baseY + active.cursorY
  const found = lineAround(terminal, cursorRow, active.cursorX)
  if (found === undefined) return undefined
  const { text, cursor, faint, last, fillers } = found
  const kept = text.slice(0, cursor) + text.slice(cursor).trimEnd()
  const isFaint = (from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at).every(
      (at) => text[at] === ' ' || faint.has(at),
    )
  return {
    text: kept,
    cursor,
    unfilled: fillers.length === 0 ? undefined : without(kept, cursor, fillers),
    below: rowsFrom(active, last + 1),
    place: `${cursorRow}:${active.cursorX}`,
    faintBehind: kept.length > cursor && isFaint(cursor, kept.length) && !faint.has(cursor - 1),
  }
}

function without(text: string, cursor: number, places: readonly number[]): { text: string; cursor: number } {
  const left = Array.from({ length: text.length }, (_, at) => (places.includes(at) ? '' : text.charAt(at)))
  return { text: left.join(''), cursor: cursor - places.filter((place) => place < cursor).length }
}

interface Rows {
  readonly text: string
  readonly cursor: number
  readonly faint: ReadonlySet<number>
  readonly last: number
  /** Where spaces stand that may only fill a row before a wide sign. */
  readonly fillers: readonly number[]
}

function lineAround({ buffer, cols }: Terminal, cursorRow: number, cursorColumn = 0): Rows | undefined {
  const { active } = buffer
  let first = cursorRow
  while (first > 0 && continues(active, first, cols)) first--
  // Its beginning has scrolled away.
  if (first === 0 && active.getLine(0)?.isWrapped === true) return undefined
  let last = cursorRow
  while (last + 1 < active.length && continues(active, last + 1, cols)) last++

  let text = ''
  let cursor = 0
  const faint = new Set<number>()
  const fillers: number[] = []
  for (let row = first; row <= last; row++) {
    const line = active.getLine(row)
    if (line === undefined) return undefined
    for (let column = 0; column < Math.min(line.length, cols); column++) {
      if (row === cursorRow && column === cursorColumn) cursor = text.length
      const cell = line.getCell(column)
      if (cell === undefined || cell.getWidth() === 0) continue
      const isBeforeWide =
        row < last &&
        column === cols - 1 &&
        active
          .getLine(row + 1)
          ?.getCell(0)
          ?.getWidth() === 2
      // A wide sign that found no room at the end of a row leaves a cell that was never written.
      if (isBeforeWide && cell.getChars() === '') continue
      if (isBeforeWide && cell.getChars() === ' ') fillers.push(text.length)
      if (cell.isDim() !== 0 || isGrey(cell.isFgPalette(), cell.isFgRGB(), cell.getFgColor())) faint.add(text.length)
      text += cell.getChars() || ' '
    }
    if (row === cursorRow && cursorColumn >= cols) cursor = text.length
  }
  return { text, cursor, faint, last, fillers }
}

/** As autosuggestions are shown: bright black, or any grey. */
function isGrey(isPalette: boolean, isRgb: boolean, color: number): boolean {
  if (isPalette) return color === 8 || (color >= 232 && color <= 250)
  if (!isRgb) return false
  const parts = [(color >> 16) & 255, (color >> 8) & 255, color & 255]
  return Math.max(...parts) - Math.min(...parts) < 24 && Math.max(...parts) < 200
}

/** A row goes on with the one before: wrapped, or drawn behind a row that is full to its last column. */
function continues(buffer: IBuffer, row: number, columns: number): boolean {
  const line = buffer.getLine(row)
  if (line?.isWrapped === true) return true
  const before = buffer.getLine(row - 1)
  const isFull = (before?.getCell(columns - 1)?.getChars() ?? '') !== ''
  const isDrawn = (line?.translateToString(true) ?? '') !== '' || row === buffer.baseY + buffer.cursorY
  return isFull && isDrawn && before?.getCell(columns - 1)?.getChars() !== ' '
}

function rowsFrom(buffer: IBuffer, first: number): string {
  const rows: string[] = []
  for (let row = first; row < buffer.length; row++) rows.push(buffer.getLine(row)?.translateToString(true) ?? '')
  return rows.join('\n').trim()
}
