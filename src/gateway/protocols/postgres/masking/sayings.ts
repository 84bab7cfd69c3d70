/**
 * Sentences of the server that hold nothing but their own words and what the statement itself says. Names in them are
 * quoted; a value that was taken for a name (`email::regclass`) is quoted the same way, but stands in no statement.
 */

/** They name things of the catalog only, whatever the statement says. */
const trustedRoutines = new Set([
  'aclcheck_error', 'aclcheck_error_col', 'ExecCheckPermissions', 'DeadLockReport', 'reportDependentObjects', 'ProcessInterrupts',
]) // biome-ignore format: a list

/** Values that are numbers are not quoted. */
const namesNothing = /^[^"\d\n]*$/
/** `column "x" of relation "y" already exists, skipping` */
const namesThings =
  /^(?:[a-z]+ ){1,4}"([^"]+)"(?: (?:of|for|on) [a-z]+ "([^"]+)")? (?:does not exist|already exists)(?:, skipping)?$/

export function saysNothingNew(text: string, routine: string, asked: string | undefined): boolean {
  if (trustedRoutines.has(routine) || namesNothing.test(text)) return true
  const names = namesThings.exec(text)
  if (names === null || asked === undefined) return false
  const statement = asked.toLowerCase()
  return names.slice(1).every((name) => name === undefined || statement.includes(name.toLowerCase()))
}

/** `CONTEXT` of functions: which, and where in them. */
const place =
  /^(?:PL\/pgSQL function [\w.$"]+\([^)\n]*\) line \d+ at [A-Za-z ]+|SQL function "[^"]+" (?:statement \d+|during \w+))$/

export function saysWhereOnly(context: string): boolean {
  return context.split('\n').every((line) => place.test(line) || namesNothing.test(line))
}
