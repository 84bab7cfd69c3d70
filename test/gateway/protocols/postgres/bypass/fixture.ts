/** The database that the corpus is tried on: harmless things, and things that do harm under a harmless name. */
export const fixture = `
CREATE SCHEMA hr;
CREATE TABLE hr.salaries (id int PRIMARY KEY, amount int NOT NULL);
INSERT INTO hr.salaries SELECT i, i * 1000 FROM generate_series(1, 20) i;
CREATE TABLE public.users (id serial PRIMARY KEY, name text, email text);
INSERT INTO users (name, email) SELECT 'user ' || i, 'user' || i || '@example.com' FROM generate_series(1, 20) i;
CREATE TABLE public.orders (id int PRIMARY KEY, user_id int REFERENCES users (id), total int);
INSERT INTO orders SELECT i, i, i * 10 FROM generate_series(1, 20) i;
CREATE TABLE public.notes (id int PRIMARY KEY, body text);
INSERT INTO notes VALUES (1, 'one'), (2, 'two');
CREATE ROLE other LOGIN;
CREATE EXTENSION dblink; CREATE EXTENSION tablefunc; CREATE EXTENSION xml2; CREATE EXTENSION pgcrypto; CREATE EXTENSION pg_trgm;
CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE public.passwords (line text) SERVER files OPTIONS (filename '/etc/passwd', format 'text', delimiter E'\\x01');
CREATE VIEW public.of_passwords AS SELECT * FROM passwords;

CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM public.users';
CREATE FUNCTION wipes() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN 1; END $$;
CREATE FUNCTION wipes_sql() RETURNS int LANGUAGE sql AS 'DELETE FROM public.notes; SELECT 1';
CREATE FUNCTION wipes_atomic() RETURNS int BEGIN ATOMIC DELETE FROM public.notes; SELECT 1; END;
CREATE FUNCTION wipes_within() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN public.wipes(); END $$;
CREATE FUNCTION wipes_immutable() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.wipes(); END $$;
CREATE FUNCTION wipes_default(a int DEFAULT public.wipes()) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION wipes_definer() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN DELETE FROM public.notes; RETURN 1; END $$;
CREATE FUNCTION drops() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DROP TABLE public.notes; RETURN 1; END $$;
CREATE FUNCTION runs(statement text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 1; END $$;
CREATE FUNCTION runs_loop(statement text) RETURNS int LANGUAGE plpgsql AS
  $$ DECLARE r record; BEGIN FOR r IN EXECUTE statement LOOP END LOOP; RETURN 1; END $$;
CREATE FUNCTION runs_cursor(statement text) RETURNS int LANGUAGE plpgsql AS
  $$ DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE statement; CLOSE c; RETURN 1; END $$;
CREATE FUNCTION runs_returning(statement text) RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE statement; END $$;
CREATE FUNCTION wipes_assigning() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x int; BEGIN x := public.wipes(); RETURN x; END $$;
CREATE FUNCTION wipes_declaring() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x int := public.wipes(); BEGIN RETURN x; END $$;
CREATE FUNCTION wipes_excepting() RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'x'; EXCEPTION WHEN OTHERS THEN DELETE FROM public.notes; RETURN 1; END $$;
CREATE PROCEDURE wiping() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; COMMIT; END $$;
CREATE FUNCTION wipes_of(notes) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN 1; END $$;
CREATE FUNCTION hr.lower(int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN 'x'; END $$;
CREATE FUNCTION by_path() RETURNS text LANGUAGE plpgsql SET search_path = hr AS $$ BEGIN RETURN lower(1); END $$;
CREATE FUNCTION by_setting() RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('search_path', 'hr', true); RETURN lower(1); END $$;
CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN true; END $$;
CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
CREATE FUNCTION adds(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN 1; END $$;
CREATE AGGREGATE public.total(int) (SFUNC = adds, STYPE = int, INITCOND = '0');
CREATE FUNCTION checks(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN true; END $$;
CREATE DOMAIN public.checked AS text CHECK (checks(VALUE));
CREATE TYPE public.pair AS (a int, b int);
CREATE FUNCTION to_int(pair) RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN 1; END $$;
CREATE CAST (pair AS int) WITH FUNCTION to_int(pair);
CREATE VIEW public.harmless AS SELECT id, upper(name) AS name FROM users;
CREATE VIEW public.wiping_view AS SELECT public.wipes() AS x;
CREATE VIEW public.view_of_view AS SELECT * FROM public.wiping_view;
CREATE VIEW public.counting AS SELECT nextval('public.users_id_seq') AS x;
CREATE VIEW public.files AS SELECT pg_ls_dir('.') AS x;
CREATE FUNCTION on_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.notes; RETURN NEW; END $$;
CREATE TABLE public.triggered (id int);
CREATE TRIGGER harms BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION on_insert();
CREATE VIEW public.triggered_view AS SELECT * FROM triggered;
CREATE TABLE public.parted (id int) PARTITION BY RANGE (id);
CREATE TABLE public.parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TRIGGER harms BEFORE INSERT ON parted_1 FOR EACH ROW EXECUTE FUNCTION on_insert();
CREATE TABLE public.ruled (id int);
CREATE RULE harms AS ON INSERT TO ruled DO ALSO DELETE FROM public.notes;
CREATE FUNCTION wipes_with(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN public.wipes() + $1; END $$;
CREATE OPERATOR public.#~ (RIGHTARG = int, FUNCTION = wipes_with);
CREATE TABLE public.defaulted (id int, x int DEFAULT public.wipes());
CREATE TABLE public.constrained (id int CHECK (public.wipes() > 0));
CREATE TABLE public.operated (id int CHECK ((OPERATOR(public.#~) id) > 0));
CREATE TABLE public.indexed (id int);
CREATE INDEX ON indexed (public.wipes_with(id));
CREATE TABLE public.computed (id int, x int GENERATED ALWAYS AS (public.wipes_with(id)) STORED);
CREATE FUNCTION on_watched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE public.watched (id int);
CREATE TRIGGER watches BEFORE INSERT ON watched FOR EACH ROW WHEN (public.wipes_with(NEW.id) > 0) EXECUTE FUNCTION on_watched();
CREATE TABLE public.policed (id int);
ALTER TABLE policed ENABLE ROW LEVEL SECURITY;
CREATE POLICY wiping ON policed USING (public.wipes_with(id) > 0);
CREATE TABLE public.checked_honestly (id int CHECK (id > 0), name text DEFAULT upper('x') CHECK (length(name) < 9), at timestamptz DEFAULT now());
`

/** Everything that an attempt could change, as one text. */
export const fingerprint = `
SELECT json_build_object(
  'notes', (SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM public.notes t),
  'users', (SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM public.users t),
  'orders', (SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM public.orders t),
  'salaries', (SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM hr.salaries t),
  'others', (SELECT (SELECT count(*) FROM triggered) + (SELECT count(*) FROM ruled) + (SELECT count(*) FROM parted)),
  'sequence', (SELECT last_value::text || is_called::text FROM public.users_id_seq),
  'relations', (SELECT md5(string_agg(c.oid || relname || relkind::text || relnamespace || coalesce(relacl::text, '') || relowner
      || relhasrules::text || relhastriggers::text || relfilenode, ' ' ORDER BY c.oid)) FROM pg_class c WHERE c.oid >= 16384
      AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^pg_(toast|temp)')),
  'columns', (SELECT md5(string_agg(attrelid || attname || atttypid, ' ' ORDER BY attrelid, attnum)) FROM pg_attribute
      WHERE attrelid IN ('public.users'::regclass, 'public.notes'::regclass)),
  'functions', (SELECT md5(string_agg(oid || proname || prosrc || provolatile::text, ' ' ORDER BY oid)) FROM pg_proc WHERE oid >= 16384),
  'rules', (SELECT count(*) FROM pg_rewrite), 'triggers', (SELECT count(*) FROM pg_trigger),
  'comments', (SELECT count(*) FROM pg_description WHERE objoid >= 16384), 'types', (SELECT count(*) FROM pg_type),
  'casts', (SELECT count(*) FROM pg_cast), 'operators', (SELECT count(*) FROM pg_operator),
  'schemas', (SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_'),
  'roles', (SELECT md5(string_agg(rolname || rolsuper::text || rolcanlogin::text, ' ' ORDER BY rolname)) FROM pg_roles),
  'settings', (SELECT string_agg(setdatabase || ' ' || setrole || setconfig::text, ' ') FROM pg_db_role_setting),
  'system', (SELECT string_agg(name || setting, ' ') FROM pg_file_settings WHERE sourcefile ~ 'auto.conf'),
  'loaded', pg_conf_load_time(), 'databases', (SELECT count(*) FROM pg_database),
  'slots', (SELECT count(*) FROM pg_replication_slots), 'objects', (SELECT count(*) FROM pg_largeobject_metadata),
  'extensions', (SELECT count(*) FROM pg_extension), 'prepared', (SELECT count(*) FROM pg_prepared_xacts),
  'publications', (SELECT count(*) FROM pg_publication), 'origins', (SELECT count(*) FROM pg_replication_origin),
  'event_triggers', (SELECT count(*) FROM pg_event_trigger), 'servers', (SELECT count(*) FROM pg_foreign_server),
  'restore', (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'))::text AS state`
