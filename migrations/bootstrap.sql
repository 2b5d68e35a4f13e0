-- Run once per database by a superuser, before the first migration; safe to run again.
-- Login roles are unrelated to each other on purpose: membership would hand one role the rows of another.
-- Passwords are set by whoever runs this (ALTER ROLE ... PASSWORD), never here.
DO $$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES
      ('pf_owner', 'NOLOGIN'),
      ('pf_migrate', 'LOGIN'),
      ('pf_app', 'LOGIN'),
      ('pf_admin', 'LOGIN'),
      ('pf_worker', 'LOGIN')) AS roles(name, login)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
      EXECUTE format('CREATE ROLE %I %s NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', wanted.name, wanted.login);
    END IF;
  END LOOP;
END
$$;
-- pf_migrate alone may act as the owner, and only by saying so (SET ROLE).
GRANT pf_owner TO pf_migrate WITH INHERIT FALSE, SET TRUE;
DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %I OWNER TO pf_owner', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO pf_migrate, pf_app, pf_admin, pf_worker', current_database());
END
$$;
ALTER SCHEMA public OWNER TO pf_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO pf_migrate, pf_app, pf_admin, pf_worker;
