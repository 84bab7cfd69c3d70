/**
 * Imported before React, which asks for this while it loads: its development build needs five times the processor for the
 * same frames, and keeps a performance entry for each. A value that is set already (tests, debugging) stays.
 */
process.env.NODE_ENV ??= 'production'
