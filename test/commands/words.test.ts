import { expect, test } from 'vitest'
import { splitWords } from '../../src/commands/words.ts'

test.each([
  ['ssh prod', 'ssh prod', ''],
  ['ssh prod -v ls -la', 'ssh prod', '-v ls -la'],
  ['ssh --reason why prod --json', 'ssh --reason why prod', '--json'],
  ['ssh --reason=why prod -- ls', 'ssh --reason=why prod', '-- ls'],
  ['--debug ssh prod -t top', '--debug ssh prod', '-t top'],
  ['--gateway https://g ssh prod ssh x', '--gateway https://g ssh prod', 'ssh x'],
  ['ssh --help', 'ssh --help', ''],
  ['connect pg -- ssh prod ls', 'connect pg', 'ssh prod ls'],
  ['targets', 'targets', ''],
])('%s: ours end where another program’s begin', (line, own, rest) => {
  const words = (text: string) => text.split(' ').filter((word) => word !== '')
  expect(splitWords(words(line))).toEqual({ own: words(own), rest: words(rest) })
})
