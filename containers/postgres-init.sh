#!/bin/sh
# Makes the roles and the database of TWIST. The PostgreSQL image runs it when its volume is empty; run again,
# it gives the roles the passwords of the environment.
#
# twist_owner owns the tables and only migrates. twist is what the services log in as; it has what twist_app has.
set -eu

: "${TWIST_DB_OWNER_PASSWORD:?}" "${TWIST_DB_APP_PASSWORD:?}"

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv owner_password TWIST_DB_OWNER_PASSWORD
\getenv app_password TWIST_DB_APP_PASSWORD

SELECT 'CREATE ROLE twist_app NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'twist_app') \gexec
SELECT 'CREATE ROLE twist_owner LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'twist_owner') \gexec
SELECT 'CREATE ROLE twist LOGIN IN ROLE twist_app'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'twist') \gexec

-- Neither statement nor password in the server's log.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
ALTER ROLE twist_owner PASSWORD :'owner_password';
ALTER ROLE twist PASSWORD :'app_password';

SELECT 'CREATE DATABASE twist OWNER twist_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'twist') \gexec
REVOKE CONNECT ON DATABASE twist FROM PUBLIC;
GRANT CONNECT ON DATABASE twist TO twist_app;
SQL
