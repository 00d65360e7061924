CREATE TABLE bakes (
  app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE, "release" INTEGER NOT NULL, back_to INTEGER,
  started_at TEXT NOT NULL, ends_at TEXT NOT NULL, usual REAL,
  state TEXT NOT NULL CHECK (state IN ('watching', 'passed', 'bad', 'ended')), reason TEXT NOT NULL,
  answers INTEGER NOT NULL, failed INTEGER NOT NULL, crashes INTEGER NOT NULL, seen TEXT NOT NULL,
  PRIMARY KEY (app_id, "release")
) STRICT;
CREATE INDEX bakes_watching ON bakes (app_id) WHERE state = 'watching';
