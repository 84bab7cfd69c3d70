/** Loads the program as `hoop --help` does and prints which packages that loads. */
import { registerHooks } from 'node:module'

const loaded = new Set<string>()
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const name = found.url.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]
    if (name !== undefined) loaded.add(name)
    return found
  },
})
const { main } = await import('../../src/main.ts')
process.argv = [process.argv[0] ?? 'node', 'hoop', '--help']
const write = process.stdout.write
process.stdout.write = () => true
await main(process)
process.stdout.write = write
process.stdout.write(JSON.stringify([...loaded]))
