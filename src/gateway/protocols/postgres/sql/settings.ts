/** SET and its relatives: which settings only concern how this session reads and writes, and which reach further. */
import type { Kind } from '../../../../contract/command.ts'
import type { PlannedAction, Reach } from './reading.ts'
import { isTrue } from './nodes.ts'

/** Settings of the session's own comfort: formats, limits, planner, names. Everything that is not here is worse. */
const harmless = new Set(
  `application_name search_path schema client_encoding names client_min_messages datestyle intervalstyle timezone
  extra_float_digits bytea_output xmlbinary xmloption escape_string_warning standard_conforming_strings backslash_quote
  array_nulls quote_all_identifiers transform_null_equals default_text_search_config lc_messages lc_monetary lc_numeric
  lc_time statement_timeout lock_timeout idle_in_transaction_session_timeout idle_session_timeout transaction_timeout
  deadlock_timeout work_mem maintenance_work_mem temp_buffers hash_mem_multiplier logical_decoding_work_mem
  effective_cache_size effective_io_concurrency maintenance_io_concurrency seq_page_cost random_page_cost cpu_tuple_cost
  cpu_index_tuple_cost cpu_operator_cost parallel_setup_cost parallel_tuple_cost min_parallel_table_scan_size
  min_parallel_index_scan_size max_parallel_workers max_parallel_workers_per_gather max_parallel_maintenance_workers
  parallel_leader_participation join_collapse_limit from_collapse_limit cursor_tuple_fraction constraint_exclusion
  plan_cache_mode jit jit_above_cost jit_inline_above_cost jit_optimize_above_cost recursive_worktable_factor
  default_statistics_target commit_delay synchronous_commit transaction_isolation default_transaction_isolation
  transaction_deferrable default_transaction_deferrable seed check_function_bodies gin_fuzzy_search_limit
  gin_pending_list_limit tcp_keepalives_idle tcp_keepalives_interval tcp_keepalives_count tcp_user_timeout
  client_connection_check_interval row_security default_toast_compression force_parallel_mode debug_parallel_query
  stats_fetch_consistency password_encryption synchronize_seqscans transaction_snapshot snapshot createrole_self_grant
  track_activities default_table_access_method ssl_renegotiation_limit geqo geqo_threshold geqo_effort geqo_pool_size
  geqo_generations geqo_selection_bias geqo_seed vacuum_cost_delay io_combine_limit backend_flush_after
  debug_print_parse debug_print_plan debug_print_rewritten debug_pretty_print`
    .split(/\s+/)
    .map((name) => name.toLowerCase()),
)

/** Settings with which a transaction that may only read becomes one that may write. */
const readOnly = new Set(['transaction_read_only', 'default_transaction_read_only'])

interface SettingClass {
  readonly kind: Kind
  readonly reaches: readonly Reach[]
}

/** value undefined: back to the default; null: cannot be known. */
export function classifySetting(given: string, value: string | null | undefined): SettingClass {
  const name = given.toLowerCase()
  if (readOnly.has(name)) {
    const stays = typeof value === 'string' && isTrue(value)
    return stays ? { kind: 'read', reaches: [] } : { kind: 'write', reaches: ['session'] }
  }
  // Going back to how the login began gives nothing that the login did not have.
  const isIdentity = name === 'role' || name === 'session_authorization'
  if (isIdentity) return value === undefined ? { kind: 'read', reaches: [] } : { kind: 'admin', reaches: ['session'] }
  if (harmless.has(name) || /^enable_\w+$/.test(name)) return { kind: 'read', reaches: [] }
  // Made up by applications, often for row security (`app.tenant`): it may change which rows are seen.
  if (name.includes('.')) return { kind: 'write', reaches: ['session'] }
  return { kind: 'admin', reaches: ['server'] }
}

export function settingAction(verb: string, name: string, { kind }: SettingClass): PlannedAction {
  return { verb, kind, objects: [name] }
}
