/** PostgreSQL's own tree of one statement, as libpg-query gives it: `{ SelectStmt: { … } }`. */
import type { ParseResult } from 'libpg-query'

export type Tree = NonNullable<NonNullable<ParseResult['stmts']>[number]['stmt']>
