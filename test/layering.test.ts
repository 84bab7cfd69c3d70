import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-options'
import { expect, test } from 'vitest'

test('every import follows the layering rules', async () => {
  const options = await extractConfig('./.dependency-cruiser.mjs')
  const { output } = await cruise(['src'], options)
  const { modules, summary } = output as ICruiseResult

  // A cruise that sees nothing finds nothing wrong: it has to see the sources, and arrows between them.
  const own = modules.filter((module) => module.source.startsWith('src/'))
  expect(own.length).toBeGreaterThan(30)
  expect(own.filter((module) => module.dependencies.length > 0).length).toBeGreaterThan(20)

  const broken = summary.violations.map((violation) => `${violation.rule.name}: ${violation.from} → ${violation.to}`)
  expect(broken).toEqual([])
})
