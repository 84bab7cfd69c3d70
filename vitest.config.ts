import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Real servers and real files: generous with time, so that a busy machine is not a failed test.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores, and each file may run a database of its own.
    maxWorkers: 2,
    reporters: [process.env.CI === undefined ? 'default' : 'verbose', './test/support/closing-line.ts'],
  },
})
