/** HTTP itself, among the protocols that are spoken over HTTP. */
import { commandOf, needsBody } from './commands.ts'
import type { Dialect } from './exchange.ts'
import { keeperUnder } from './kept-answer.ts'
import { problem } from './refusals.ts'
import { outwardUnder, resultsUnder } from './results.ts'
import { unupgradable, upgraded } from './upgrades.ts'
import { websocketHead } from './websocket.ts'

export const httpDialect: Dialect = {
  protocol: 'http',
  needsBody,
  command: commandOf,
  unsendable: () => undefined,
  outward: (head, _target, _bearer, masks) => websocketHead(outwardUnder(masks, head)),
  refusal: (refusal, _request, status) => problem(refusal, status),
  results: ({ permit, request }, answer) => resultsUnder(permit.masks, request.head.method, answer),
  keeper: ({ permit }, answer) => keeperUnder(permit.recordMasks, permit.sampleBytes, answer, permit.masks),
  unupgradable,
  upgraded,
}
