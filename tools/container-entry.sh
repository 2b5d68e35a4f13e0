#!/bin/sh
# Picks the program of this container. `exec`, so that it is process 1 and a stop signal reaches it. Nothing is installed or
# built here: the image is complete, and its root may be read-only.
set -eu
case "${1:-api}" in
  api | worker | simulator) file="dist/apps/$1/src/main.js" ;;
  operator-key) file="dist/apps/api/src/operator-key.js" ;;
  billing:import) file="dist/apps/api/src/billing-import.js" ;;
  billing:close) file="dist/apps/api/src/billing-close.js" ;;
  db:migrate) file="dist/tools/database/migrate.js" ;;
  db:bootstrap) file="dist/tools/database/bootstrap.js" ;;
  simulator:hub-user) file="dist/tools/hub-user/main.js" ;;
  *)
    echo "error: unknown program \"$1\"; known: api, worker, simulator, operator-key, billing:import, billing:close, db:migrate, db:bootstrap, simulator:hub-user" >&2
    exit 1
    ;;
esac
shift || true
exec node --enable-source-maps --disable-proto=throw "/app/$file" "$@"
