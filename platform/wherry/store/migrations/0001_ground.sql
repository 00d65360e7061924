CREATE TABLE users (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL CHECK (role IN ('read', 'deploy', 'admin')),
  local_uid INTEGER UNIQUE, created_at TEXT NOT NULL
) STRICT;

CREATE TABLE keys (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL, blob TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL
) STRICT;

CREATE TABLE tokens (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, name TEXT NOT NULL,
  role TEXT NOT NULL, prefix TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, expires_at TEXT, last_used_at TEXT,
  UNIQUE (user_id, name)
) STRICT;

CREATE TABLE apps (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, created_by TEXT NOT NULL,
  release INTEGER, subnet INTEGER UNIQUE, held TEXT NOT NULL DEFAULT '[]',
  formation TEXT NOT NULL DEFAULT '{}', config TEXT NOT NULL DEFAULT '{}', restarts TEXT NOT NULL DEFAULT '{}', build TEXT NOT NULL DEFAULT '{}'
) STRICT;

CREATE TABLE builds (
  id INTEGER PRIMARY KEY, app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, "commit" TEXT NOT NULL, tree TEXT NOT NULL,
  buildpack TEXT NOT NULL, image TEXT NOT NULL, size INTEGER NOT NULL, processes TEXT NOT NULL, checks TEXT NOT NULL,
  formation TEXT NOT NULL, root INTEGER NOT NULL, port INTEGER, created_at TEXT NOT NULL
) STRICT;

CREATE TABLE releases (
  id INTEGER PRIMARY KEY, app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  build_id INTEGER NOT NULL REFERENCES builds (id), config TEXT NOT NULL, description TEXT NOT NULL, actor TEXT NOT NULL, created_at TEXT NOT NULL,
  UNIQUE (app_id, number)
) STRICT;

CREATE TABLE release_outcomes (
  release_id INTEGER PRIMARY KEY REFERENCES releases (id) ON DELETE CASCADE, outcome TEXT NOT NULL CHECK (outcome IN ('live', 'failed')),
  reason TEXT NOT NULL, at TEXT NOT NULL
) STRICT;

CREATE TRIGGER releases_are_never_edited BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'a release is never edited'); END;

CREATE TABLE operations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, app TEXT NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  payload TEXT NOT NULL, progress TEXT NOT NULL DEFAULT '{}', result TEXT NOT NULL DEFAULT '{}', error TEXT,
  owner TEXT, attempts INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL, started_at TEXT, finished_at TEXT
) STRICT;
CREATE INDEX operations_open ON operations (app, id) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX one_running_operation_per_app ON operations (app) WHERE state = 'running';

CREATE TABLE instances (
  app TEXT NOT NULL, type TEXT NOT NULL, "index" INTEGER NOT NULL, release INTEGER NOT NULL, state TEXT NOT NULL, since TEXT NOT NULL,
  container TEXT NOT NULL, address TEXT NOT NULL, restarts INTEGER NOT NULL, detail TEXT NOT NULL,
  memory INTEGER, memory_limit INTEGER, cpu REAL,
  PRIMARY KEY (app, type, "index")
) STRICT;

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL, via TEXT NOT NULL, app TEXT, type TEXT NOT NULL, data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_app ON events (app, id);

CREATE TABLE runs (
  id INTEGER PRIMARY KEY, app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, number INTEGER NOT NULL, release INTEGER NOT NULL,
  instance TEXT NOT NULL, command TEXT NOT NULL, attached INTEGER NOT NULL, screen TEXT, memory INTEGER NOT NULL, time_limit INTEGER,
  actor TEXT NOT NULL, via TEXT NOT NULL, ticket TEXT UNIQUE, container TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'starting', 'running', 'ended')),
  exit_code INTEGER, reason TEXT NOT NULL DEFAULT '', stopped_by TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL, started_at TEXT, finished_at TEXT,
  UNIQUE (app_id, number)
) STRICT;
CREATE INDEX runs_open ON runs (id) WHERE state <> 'ended';

CREATE TABLE domains (
  id INTEGER PRIMARY KEY, host TEXT NOT NULL UNIQUE, app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
  created_at TEXT NOT NULL, created_by TEXT NOT NULL
) STRICT;
CREATE INDEX domains_by_app ON domains (app_id);

CREATE TABLE fronts (
  app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE, front TEXT NOT NULL DEFAULT '{}',
  page TEXT NOT NULL DEFAULT '', published TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE certificates (
  id INTEGER PRIMARY KEY, app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, name TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('acme', 'own')), state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'expired')),
  created_at TEXT NOT NULL, names TEXT NOT NULL DEFAULT '[]', issuer TEXT NOT NULL DEFAULT '', serial TEXT NOT NULL DEFAULT '',
  fingerprint TEXT NOT NULL DEFAULT '', not_before TEXT NOT NULL DEFAULT '', not_after TEXT NOT NULL DEFAULT '',
  renew_at TEXT NOT NULL DEFAULT '', next_try TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '', arrival TEXT NOT NULL DEFAULT '',
  UNIQUE (app_id, name)
) STRICT;
