CREATE TABLE drains (
  id INTEGER PRIMARY KEY AUTOINCREMENT, app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, url TEXT NOT NULL,
  token TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL, created_by TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'sending' CHECK (state IN ('sending', 'failing')), detail TEXT NOT NULL DEFAULT '',
  since TEXT NOT NULL DEFAULT '', UNIQUE (app_id, url)
) STRICT;
