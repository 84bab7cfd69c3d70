/**
 * React's development build needs five times the processor for the same frames and keeps a performance entry for each.
 * React reads this while it loads, so this is imported before it; and whoever imports this has no JSX of its own, whose
 * runtime would be imported first of all. A value that is set already (tests, debugging) stays.
 */
process.env.NODE_ENV ??= 'production'
