/**
 * Recordings on disk, beside the store: one file for each recorded command, so that a crash loses at most a second of it.
 * `<store>-recordings/<session>/<command>.cast`, asciicast v3. What is proven about one is in the audit: its hash stands in
 * the command's outcome.
 */
import { mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import type { Recording } from '../../contract/api.ts'
import { type CastHeader, endLine, headerLine, parseHeader } from '../../contract/asciicast.ts'
import type { Asker } from '../checkpoint/asked.ts'
import type { Permit } from '../checkpoint.ts'
import { redactText } from '../policy/redact-text.ts'
import type { RecordingHead, Recordings } from '../protocols/protocol.ts'
import { clampCells, createRecorder, type OpenRecorder } from './recordings/recorder.ts'

export interface KeptRecordings {
  /** Oldest first; empty where there are none. */
  list(session: string): Promise<readonly Recording[]>
  /** The file as it is now; undefined: there is none. */
  read(session: string, command: string): Promise<{ readonly bytes: number; readonly stream: Readable } | undefined>
}

export interface RecordingStore extends KeptRecordings {
  of(asker: Pick<Asker, 'session'>): Recordings
  /** What goes on still is written as far as it came. */
  close(): Promise<void>
}

export interface RecordingsOptions {
  /** The audit's store. */
  readonly store: string
  readonly flush: boolean
  /** The most bytes of one recording; asked for each. */
  readonly limit: () => number
  readonly clock: Clock
}

const longestTitle = 1000
/** More than a header with the longest title takes. */
const headerBytes = 16 * 1024

export function createRecordings({ store, flush, limit, clock }: RecordingsOptions): RecordingStore {
  const root = recordingsFolder(store)
  const live = new Map<string, OpenRecorder>()

  async function begin(session: string, permit: Permit, head: RecordingHead, onLost: (reason: unknown) => void) {
    const path = pathOf(root, session, permit.command)
    await makeFolder(dirname(path), flush)
    const file = await open(path, 'wx', 0o600)
    try {
      if (flush) await syncFolder(dirname(path))
      const header = headerLine(headerOf(session, permit, head, clock.now()))
      const recorder = await createRecorder({ file, header, limit: limit(), flush, clock, onLost })
      live.set(path, recorder)
      return {
        ...recorder,
        end: (status: number | null) => recorder.end(status).finally(() => live.delete(path)),
      }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  return {
    of: ({ session }) => ({ start: (permit, head, onLost) => begin(session, permit, head, onLost) }),

    async list(session) {
      const folder = folderOf(root, session)
      const found: Recording[] = []
      for (const name of await namesIn(folder)) {
        const command = name.replace(/\.cast$/, '')
        if (command === name || !isId(command)) continue
        const path = join(folder, name)
        const recording = await describe(path, command, live.has(path))
        if (recording !== undefined) found.push(recording)
      }
      return found.sort((one, other) => order(one.started, other.started) || order(one.command, other.command))
    },

    async read(session, command) {
      try {
        const file = await open(pathOf(root, session, command), 'r')
        const { size } = await file.stat()
        // Up to here: what is written meanwhile would make the answer longer than it said.
        return { bytes: size, stream: file.createReadStream({ start: 0, end: Math.max(0, size - 1) }) }
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },

    async close() {
      const left = [...live.values()]
      live.clear()
      await Promise.all(left.map((recorder) => recorder.abandon()))
    },
  }
}

/** `/var/lib/hoop/hoop.db` → `/var/lib/hoop/hoop-recordings`. */
function recordingsFolder(store: string): string {
  return `${store.replace(/\.(?:sqlite3?|db)$/, '')}-recordings`
}

/** Ids become names of files: whatever else comes from outside is none. */
export function isId(text: string): boolean {
  return /^[a-z]{3}_[0-9a-z]{1,40}$/.test(text)
}

function folderOf(root: string, session: string): string {
  if (!isId(session)) throw new Error('this is not the id of a session')
  return join(root, session)
}

function pathOf(root: string, session: string, command: string): string {
  if (!isId(command)) throw new Error('this is not the id of a command')
  return join(folderOf(root, session), `${command}.cast`)
}

function headerOf(session: string, permit: Permit, head: RecordingHead, now: number): CastHeader {
  const { width, height, term } = head
  return {
    version: 3,
    term: { cols: clampCells(width), rows: clampCells(height), ...(term === undefined ? {} : { type: term }) },
    timestamp: Math.floor(now / 1000),
    // A command line may carry what must not be written down of it.
    title: redactText(head.title, permit.recordMasks).slice(0, longestTitle),
    hoop: { session, command: permit.command, started: new Date(now).toISOString() },
  }
}

/** Durable when it resolves: a file in a folder that a crash takes away would be lost with it. */
async function makeFolder(folder: string, flush: boolean): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (made === undefined || !flush) return
  for (let path = folder; path.length >= made.length; path = dirname(path)) await syncFolder(dirname(path))
}

async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; its file systems journal names themselves.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** undefined: the gateway died before its first line was there, so nothing was shown. */
async function describe(path: string, command: string, isLive: boolean): Promise<Recording | undefined> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const head = await readText(file, 0, Math.min(size, headerBytes))
    const line = head.indexOf('\n')
    const header = line === -1 ? undefined : parseHeader(head.slice(0, line))
    if (header === undefined) return undefined
    const end = `\n${endLine}\n`
    const hasEnded = size > end.length && (await readText(file, size - end.length, end.length)) === end
    const { title = '', term, hoop } = header
    return {
      command,
      title,
      started: hoop?.started ?? new Date(header.timestamp * 1000).toISOString(),
      bytes: size,
      width: term.cols,
      height: term.rows,
      state: hasEnded ? 'ended' : isLive ? 'live' : 'broken',
    }
  } finally {
    await file.close()
  }
}

async function readText(file: Awaited<ReturnType<typeof open>>, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.toString('utf8', 0, bytesRead)
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
