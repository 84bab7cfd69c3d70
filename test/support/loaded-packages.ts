/** Loads the program as `hoop --help`, or as the words given, and prints which packages and which parts of Node that loads. */
import { registerHooks } from 'node:module'

const loaded = new Set<string>()
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    const name = found.url.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]
    if (name !== undefined) loaded.add(name)
    if (/^node:(?:http|https|http2|tls)$/.test(found.url)) loaded.add(found.url)
    return found
  },
})
const words = process.argv.slice(2)
const { main } = await import('../../src/main.ts')
process.argv = [process.argv[0] ?? 'node', 'hoop', ...(words.length === 0 ? ['--help'] : words)]
const write = process.stdout.write
process.stdout.write = () => true
await main(process)
process.stdout.write = write
process.stdout.write(JSON.stringify([...loaded]))
process.exit()
