/**
 * Joins two duplex streams into one connection. Each direction ends by itself: one side's end is passed on as an end, and
 * what the other still says is delivered to the last byte. Only a break, never a close, cuts what is under way.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** How long a side that has been told everything may take to close. */
const lingerMs = 10_000

/** Resolves when both are closed. Never rejects: how it ended shows on the streams. */
export function splice(a: Duplex, b: Duplex): Promise<void> {
  const ends = { a: { stream: a, ended: false }, b: { stream: b, ended: false } }
  join(ends.a, ends.b)
  join(ends.b, ends.a)
  return new Promise((resolve) => {
    const check = () => {
      if (a.closed && b.closed) resolve()
    }
    a.once('close', check)
    b.once('close', check)
    check()
  })
}

interface End {
  readonly stream: Duplex
  /** It has said that it will say no more; nothing of what it said is lost. */
  ended: boolean
}

/**
 * The direction from → to. `pipe` does back-pressure; how things end is spelled out here, because `pipeline` would destroy
 * a side that still has something to deliver when the other one closes.
 */
function join(from: End, to: End): void {
  from.stream.on('error', isSeenAsClose)
  from.stream.pipe(to.stream)
  from.stream.once('end', () => {
    from.ended = true
  })
  from.stream.once('close', () => {
    if (!from.ended) {
      // Broken off: the other side must not take this for an end.
      breakOff(to.stream)
    } else if (!to.stream.closed) {
      // Nobody takes what the other still says. It is read, so that its own end is seen, and then left to go.
      to.stream.resume()
      const late = setTimeout(() => to.stream.destroy(), lingerMs)
      to.stream.once('close', () => clearTimeout(late))
    }
  })
}

function breakOff(stream: Duplex): void {
  if (stream instanceof Socket) stream.resetAndDestroy()
  else stream.destroy(new Error('the other side broke off'))
}

/** Every error is followed by a close, which is what matters here. */
function isSeenAsClose(): void {}
