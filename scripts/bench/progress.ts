/** Where the bench is, on stderr: one line that changes at a terminal, and elsewhere a line for each section. */
export interface Progress {
  section(name: string): void
  say(step: string): void
  done(): void
}

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const live = stream.isTTY === true && process.env.TERM !== 'dumb'
  const clear = () => live && stream.write('\r\x1b[K')
  return {
    section: (name) => live || stream.write(`measuring ${name}\n`),
    say(step) {
      if (live) stream.write(`\r\x1b[K${step.slice(0, stream.columns - 1)}`)
    },
    done: clear,
  }
}
