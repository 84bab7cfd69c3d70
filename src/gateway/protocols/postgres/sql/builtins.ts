/**
 * PostgreSQL's own functions that do more than compute and look things up. Immutable and stable builtins read, unless they
 * are listed here; a volatile one that is in no list has the worst class, so a function of a future version is never
 * taken for harmless.
 */
import type { Kind } from '../../../../contract/command.ts'
import type { Reach } from './reading.ts'

interface FunctionClass {
  readonly kind: Kind
  readonly reaches: readonly Reach[]
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '')

/** Volatile, and yet they only look: clocks, randomness, sizes, statistics, positions. */
const harmless = new Set(
  words(`
  array_sample array_shuffle bernoulli system random random_normal setseed gen_random_uuid cursor_to_xml cursor_to_xmlschema uuidv4 uuidv7
  clock_timestamp timeofday pg_sleep pg_sleep_for pg_sleep_until current_query currval lastval
  lo_get lo_tell lo_tell64 lo_lseek lo_lseek64 loread lo_close
  txid_current txid_current_if_assigned txid_status pg_current_xact_id pg_xact_status pg_last_committed_xact
  pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_get_multixact_members
  pg_relation_size pg_table_size pg_indexes_size pg_total_relation_size pg_database_size pg_tablespace_size
  pg_partition_ancestors pg_partition_tree pg_sequence_last_value pg_get_sequence_data
  pg_collation_actual_version pg_database_collation_actual_version currtid2 amvalidate
  pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system
  pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state
  pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_available_wal_summaries
  pg_blocking_pids pg_safe_snapshot_blocking_pids pg_lock_status pg_prepared_xact pg_jit_available
  pg_isolation_test_session_is_blocked pg_notification_queue_usage pg_export_snapshot
  pg_get_backend_memory_contexts pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_aios pg_get_wait_events
  pg_get_loaded_modules pg_show_replication_origin_status pg_replication_origin_progress
  pg_replication_origin_session_is_setup pg_replication_origin_session_progress
  pg_stat_clear_snapshot pg_stat_force_next_flush pg_stat_have_stats pg_stat_get_io pg_stat_get_recovery_prefetch
  pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit
  pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time
  pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched
  pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_newpage_updated
  pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated`),
)

const writes = new Set(
  words(`
  nextval setval pg_notify lo_creat lo_create lo_from_bytea lo_open lo_put lo_truncate lo_truncate64 lo_unlink lowrite
  pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
  pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
  pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
  brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list pg_logical_emit_message`),
)

const byReach: Readonly<Record<Reach, readonly string[]>> = {
  file: words(`
    pg_read_file pg_read_binary_file pg_read_file_old pg_stat_file pg_ls_dir pg_ls_logdir pg_ls_waldir pg_ls_tmpdir
    pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir
    pg_current_logfile pg_hba_file_rules pg_ident_file_mappings pg_show_all_file_settings pg_wal_summary_contents
    lo_import lo_export pg_file_write pg_file_read pg_file_rename pg_file_unlink pg_file_sync pg_file_length pg_logdir_ls
    pg_import_system_collations`),
  program: [],
  network: words('pg_sync_replication_slots'),
  server: words(`
    pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_promote pg_switch_wal pg_create_restore_point
    pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_wal_replay_pause pg_wal_replay_resume
    pg_log_standby_snapshot pg_stat_reset pg_stat_reset_shared pg_stat_reset_slru pg_stat_reset_backend_stats
    pg_stat_reset_replication_slot pg_stat_reset_single_function_counters pg_stat_reset_single_table_counters
    pg_stat_reset_subscription_stats pg_create_logical_replication_slot pg_create_physical_replication_slot
    pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_drop_replication_slot
    pg_replication_slot_advance pg_logical_slot_get_changes pg_logical_slot_get_binary_changes
    pg_logical_slot_peek_changes pg_logical_slot_peek_binary_changes pg_replication_origin_advance
    pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_session_reset
    pg_replication_origin_session_setup pg_replication_origin_xact_reset pg_replication_origin_xact_setup`),
  session: words('pg_terminate_backend pg_cancel_backend pg_log_backend_memory_contexts'),
}

const reachOf = new Map(
  Object.entries(byReach).flatMap(([reach, names]) => names.map((name) => [name, reach as Reach] as const)),
)

/** Views of PostgreSQL's own that show files. */
const fileViews = new Set(['pg_hba_file_rules', 'pg_ident_file_mappings', 'pg_file_settings'])

/** Whole tables as XML, named by a value: nobody can say beforehand which ones. */
const readsByName = new Set(
  words(`
  table_to_xml table_to_xml_and_xmlschema schema_to_xml schema_to_xml_and_xmlschema database_to_xml
  database_to_xml_and_xmlschema`),
)

/** Functions that run SQL given as text: position of that argument. `null`: built out of several, never known. */
const runsSql: ReadonlyMap<string, number | null> = new Map([
  ['query_to_xml', 0],
  ['query_to_xmlschema', 0],
  ['query_to_xml_and_xmlschema', 0],
  ['ts_stat', 0],
  ['ts_rewrite', 1],
  ['crosstab', 0],
  ['crosstab2', 0],
  ['crosstab3', 0],
  ['crosstab4', 0],
  ['connectby', null],
  ['xpath_table', null],
])

export function classifyBuiltin(name: string, volatility: 'immutable' | 'stable' | 'volatile'): FunctionClass {
  const reach = reachOf.get(name)
  if (reach !== undefined) return { kind: 'admin', reaches: [reach] }
  if (writes.has(name)) return { kind: 'write', reaches: [] }
  if (volatility !== 'volatile' || harmless.has(name)) return { kind: 'read', reaches: [] }
  return { kind: 'admin', reaches: ['server'] }
}

/** Does a builtin view show what is outside the data? */
export function reachOfView(name: string): readonly Reach[] {
  return fileViews.has(name) ? ['file'] : []
}

/** undefined: it runs no SQL given as text. */
export function sqlArgument(name: string): number | null | undefined {
  return runsSql.get(name)
}

export function readsByValue(name: string): boolean {
  return readsByName.has(name)
}

/** Reads of these are made of other things than rows: secrets, files, the network. */
const trustedExtensions = new Set(
  words(`
  btree_gin btree_gist citext cube earthdistance fuzzystrmatch hstore intarray isn ltree pg_trgm pgcrypto seg
  tsm_system_rows tsm_system_time unaccent uuid-ossp postgis postgis_topology postgis_raster vector pg_stat_statements`),
)
const trustedExcept = new Set(
  words('pg_stat_statements_reset st_fromgdalraster st_gdaldrivers postgis_extensions_upgrade'),
)

/** Functions written in C say nothing of what they do. Those of an extension that computes are known by its name. */
export function classifyForeign(name: string, extension: string | null, volatility: string): FunctionClass {
  if (extension === 'dblink' || extension === 'postgres_fdw') return { kind: 'admin', reaches: ['network'] }
  if (extension === 'adminpack' || extension === 'file_fdw') return { kind: 'admin', reaches: ['file'] }
  const isTrusted = extension !== null && trustedExtensions.has(extension) && !trustedExcept.has(name)
  // What an extension declares immutable sees neither rows nor files.
  if (isTrusted || (extension !== null && volatility === 'immutable')) return { kind: 'read', reaches: [] }
  return { kind: 'admin', reaches: [] }
}
