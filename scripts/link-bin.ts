/**
 * Puts this package's own program into node_modules/.bin, as npm does for every package but the one it stands in. Without
 * it `npx hoop` in a clone installs the clone into npm's cache first: seconds at every start, and warnings about the
 * system's Node where that is old.
 */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'

const link = 'node_modules/.bin/hoop'

// Windows needs more than a link; there npx takes the long way, which works too.
if (process.platform !== 'win32') {
  mkdirSync('node_modules/.bin', { recursive: true })
  rmSync(link, { force: true })
  symlinkSync('../../bin/hoop.js', link)
}
