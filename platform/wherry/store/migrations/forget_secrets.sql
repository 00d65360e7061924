-- For who lost the key: run by `wherry migrate --forget-secrets` and by no migration.
DROP TRIGGER releases_are_never_edited;
UPDATE apps SET config = '{}', build = '{}';
UPDATE releases SET config = '{}';
UPDATE builds SET settings = '{}';
DELETE FROM global_config;
DELETE FROM deploy_keys;
DELETE FROM drains;
UPDATE operations SET payload = '{}';
UPDATE operations SET state = 'failed', owner = NULL, error = '{"code":"key_lost","message":"the key of the database was lost","hint":""}'
 WHERE state IN ('queued', 'running');
CREATE TRIGGER releases_are_never_edited BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'a release is never edited'); END;
