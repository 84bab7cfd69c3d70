/**
 * PostgreSQL's own functions and relations that show what a table holds without naming it as a column: they run SQL given
 * as text, read files or the log of changes, or keep samples of values (the planner's statistics).
 */

/** Their answers are masked wherever column masks exist. Extensions whose functions run SQL are here too. */
export const readsAnything: ReadonlySet<string> = new Set([
  'query_to_xml', 'query_to_xmlschema', 'query_to_xml_and_xmlschema', 'cursor_to_xml', 'cursor_to_xmlschema',
  'table_to_xml', 'table_to_xml_and_xmlschema', 'schema_to_xml', 'schema_to_xml_and_xmlschema', 'database_to_xml',
  'database_to_xml_and_xmlschema', 'ts_stat', 'ts_rewrite', 'pg_read_file', 'pg_read_binary_file', 'pg_read_server_files',
  'pg_logical_slot_get_changes', 'pg_logical_slot_peek_changes',
  'pg_logical_slot_get_binary_changes', 'pg_logical_slot_peek_binary_changes', 'pg_get_replication_slots',
  'dblink', 'dblink_fetch', 'dblink_get_result', 'dblink_exec', 'dblink_get_notify', 'crosstab', 'crosstab2', 'crosstab3',
  'crosstab4', 'connectby', 'xpath_table', 'get_raw_page', 'heap_page_items', 'heap_page_item_attrs', 'tuple_data_split',
  'bt_page_items', 'gin_leafpage_items', 'gist_page_items', 'gist_page_items_bytea', 'hash_page_items', 'brin_page_items',
  'pg_get_wal_records_info', 'pg_get_wal_record_info', 'pg_get_wal_block_info',
  'pg_mcv_list_items', 'pg_get_statisticsobjdef_expressions',
]) // biome-ignore format: a list

/** They put a value where any later statement finds it without naming a column. */
export const storesAnything: ReadonlySet<string> = new Set([
  'set_config', 'lo_from_bytea', 'lo_put', 'lowrite', 'setval', 'pg_logical_emit_message', 'pg_advisory_lock',
  'pg_advisory_lock_shared', 'pg_try_advisory_lock', 'pg_try_advisory_lock_shared', 'pg_advisory_xact_lock',
  'pg_advisory_xact_lock_shared', 'pg_try_advisory_xact_lock', 'pg_try_advisory_xact_lock_shared', 'dblink_exec', 'dblink',
  'dblink_send_query', 'pg_file_write', 'pg_replication_origin_create', 'pg_create_restore_point', 'pg_export_snapshot',
  'lo_create', 'lo_creat', 'lo_open', 'lo_truncate', 'lo_truncate64', 'lo_lseek', 'lo_lseek64', 'lo_import', 'lo_export', 'setseed',
  'set_limit', 'pg_restore_relation_stats', 'pg_restore_attribute_stats', 'pg_backup_start', 'dblink_connect', 'dblink_open',
  'pg_create_logical_replication_slot', 'pg_create_physical_replication_slot',
]) // biome-ignore format: a list

/** How many, or at which place: like the number of rows that a WHERE lets through, this says nothing of values. */
export const counting: ReadonlySet<string> = new Set([
  'row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist', 'ntile',
]) // biome-ignore format: a list

/** Extensions whose functions compute on their arguments and read no tables. */
export const harmlessExtensions: ReadonlySet<string> = new Set([
  'address_standardizer', 'btree_gin', 'btree_gist', 'citext', 'cube', 'earthdistance', 'fuzzystrmatch', 'hstore', 'intarray',
  'isn', 'ltree', 'ip4r', 'pg_trgm', 'pgcrypto', 'plpgsql', 'postgis', 'postgis_raster', 'semver', 'seg', 'timescaledb_toolkit', 'unaccent', 'uuid-ossp', 'vector',
]) // biome-ignore format: a list

/** Columns of PostgreSQL's own relations that hold values of users' tables. */
export const systemSamples: Readonly<Record<string, ReadonlySet<string>>> = {
  pg_stats: new Set(['most_common_vals', 'histogram_bounds', 'most_common_elems', 'range_bounds_histogram']),
  pg_statistic: new Set(['stavalues1', 'stavalues2', 'stavalues3', 'stavalues4', 'stavalues5']),
  pg_stats_ext: new Set(['most_common_vals', 'most_common_base_freqs']),
  pg_stats_ext_exprs: new Set(['most_common_vals', 'histogram_bounds', 'most_common_elems', 'range_bounds_histogram']),
  pg_statistic_ext_data: new Set(['stxdmcv', 'stxdexpr']),
  pg_attribute: new Set(['attmissingval']),
}

/** Every table has them; they hold places and transactions, no values. */
export const systemColumns: ReadonlySet<string> = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])
