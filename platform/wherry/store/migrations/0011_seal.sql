DROP TRIGGER releases_are_never_edited;
UPDATE apps SET config = seal(config), build = seal(build);
UPDATE releases SET config = seal(config);
UPDATE builds SET settings = seal(settings);
UPDATE global_config SET config = seal(config);
UPDATE operations SET payload = seal(payload);
UPDATE deploy_keys SET private = seal(private);
CREATE TRIGGER releases_are_never_edited BEFORE UPDATE ON releases BEGIN SELECT RAISE(ABORT, 'a release is never edited'); END;
