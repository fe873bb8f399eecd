PRAGMA application_id = 1396984142;
PRAGMA user_version = 9;
BEGIN TRANSACTION;
CREATE TABLE absences (                      -- games that were gone and came back; games.gone_at has the others
    game_id    TEXT NOT NULL REFERENCES games ON DELETE CASCADE,
    gone_at    TEXT NOT NULL,
    back_at    TEXT NOT NULL
);
INSERT INTO "absences" VALUES('1','2026-11-26T11:00:00+00:00','2026-11-26T12:00:00+00:00');
CREATE TABLE banner_changes (
    change_id  INTEGER PRIMARY KEY,          -- rises with time
    game_id    TEXT NOT NULL REFERENCES games ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    at         TEXT NOT NULL,
    old_sha256 TEXT,                         -- NULL: the game had no banner, and was added on an earlier day
    new_sha256 TEXT,                         -- NULL: the banner was removed
    picture    TEXT,                         -- the old one's copy, written like banners.path; NULL if it is not kept
    CHECK (old_sha256 IS NOT new_sha256)
);
INSERT INTO "banner_changes" VALUES(1,'0','vertical','2026-11-26T12:00:00+00:00','abababababababababababababababababababababababababababababababab','57552370e298063c5ff83e2eb19c4e921b4d991ca7dc2eea9fe7343669cbcd16',NULL);
CREATE TABLE banners (
    game_id    TEXT NOT NULL REFERENCES games ON DELETE CASCADE,
    kind       TEXT NOT NULL DEFAULT 'vertical',
    path       TEXT NOT NULL,                -- of the picture, written like sources.location
    origin     TEXT NOT NULL,                -- where it was added from: equals path unless it was copied
    size       INTEGER NOT NULL,             -- bytes
    mtime_ns   INTEGER NOT NULL,             -- of the origin
    sha256     TEXT NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    mode       TEXT NOT NULL,
    format     TEXT NOT NULL, ctime_ns INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (game_id, kind)
) WITHOUT ROWID;
INSERT INTO "banners" VALUES('0','vertical','../covers/0.png','../covers/0.png',976,1795579407045896113,'57552370e298063c5ff83e2eb19c4e921b4d991ca7dc2eea9fe7343669cbcd16',16,24,'RGB','PNG',0);
INSERT INTO "banners" VALUES('1','vertical','../covers/1.png','../covers/1.png',940,1795579407047034790,'6101107db46e126afe4d4a095ba0884aaf38c725f3af3f12d56a56f89a033c85',16,24,'RGB','PNG',0);
INSERT INTO "banners" VALUES('2','vertical','../covers/2.png','../covers/2.png',993,1795579407047647182,'adaac80d56af95eac7e42edec568b64dc6c15bbdef83e6e14dd3b5d48d450ff2',16,24,'RGB','PNG',0);
INSERT INTO "banners" VALUES('bad','vertical','../covers/bad.png','../covers/bad.png',936,1795579407047780000,'9cb03dc4d4c02b9c41fd33ddcd0dfcdd56e95323f0b0e01f9d2266dc611caf74',16,24,'RGB','PNG',0);
CREATE TABLE catalogue (                     -- one row
    revision INTEGER NOT NULL                -- counts the changes of what a snapshot would show
, recorded_from TEXT NOT NULL DEFAULT '', uuid TEXT NOT NULL DEFAULT '');
INSERT INTO "catalogue" VALUES(10,'2026-11-26T10:00:00+00:00','0123456789abcdef0123456789abcdef');
CREATE TABLE decisions (                     -- a person's; they outlive the games, so that adding again finds them
    game_a     TEXT NOT NULL,                -- of two games the lower id
    game_b     TEXT NOT NULL,                -- '' for a decision about game_a alone
    verdict    TEXT NOT NULL,                -- 'same' or 'different' of two, 'keep' of one
    noted_at   TEXT NOT NULL,
    PRIMARY KEY (game_a, game_b)
) WITHOUT ROWID;
INSERT INTO "decisions" VALUES('10','20','different','2026-11-25T10:00:00+00:00');
CREATE TABLE difference_hashes (             -- of pictures that `check` or `duplicates` decoded
    sha256     TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,             -- of the computation
    hash       BLOB NOT NULL                 -- 32 bytes
) WITHOUT ROWID;
INSERT INTO "difference_hashes" VALUES('57552370e298063c5ff83e2eb19c4e921b4d991ca7dc2eea9fe7343669cbcd16',1,X'000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F');
CREATE TABLE exclusions (                    -- games that searches skip
    game_id    TEXT PRIMARY KEY,
    reason     TEXT NOT NULL,                -- the flaw
    noted_at   TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE games (
    game_id    TEXT PRIMARY KEY,
    source_id  INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
    name       TEXT NOT NULL,
    columns    TEXT NOT NULL DEFAULT '{}',   -- JSON: whatever else the source knows
    added_at   TEXT NOT NULL,
    gone_at    TEXT                          -- when a scan no longer found it
) WITHOUT ROWID;
INSERT INTO "games" VALUES('0',1,'0','{}','2026-11-25T04:03:27+00:00',NULL);
INSERT INTO "games" VALUES('1',1,'1','{}','2026-11-25T04:03:27+00:00',NULL);
INSERT INTO "games" VALUES('2',1,'2','{}','2026-11-25T04:03:27+00:00','2026-11-25T04:03:27+00:00');
INSERT INTO "games" VALUES('bad',1,'bad','{}','2026-11-25T04:03:27+00:00',NULL);
INSERT INTO "games" VALUES('html',1,'html','{}','2026-11-25T04:03:27+00:00',NULL);
CREATE TABLE measures (                      -- what `check` measured of a picture, so that it is measured once
    sha256     TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,             -- of the measures
    json       TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "measures" VALUES('ab',1,'{"blank":1.0}');
CREATE TABLE problems (
    source_id  INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE,
    stage      TEXT NOT NULL,                -- 'add' or 'build'
    place      TEXT NOT NULL,                -- "line 12", a relative path, an id
    game_id    TEXT,
    sha256     TEXT,                         -- of a picture that cannot be decoded: not tried again
    reason     TEXT NOT NULL,
    noted_at   TEXT NOT NULL
);
INSERT INTO "problems" VALUES(1,'build','bad','bad','9cb03dc4d4c02b9c41fd33ddcd0dfcdd56e95323f0b0e01f9d2266dc611caf74','it cannot be decoded: image file is truncated','2026-11-25T04:03:27+00:00');
INSERT INTO "problems" VALUES(1,'add','html.png','html',NULL,'it is HTML or XML, not a picture','2026-11-25T04:03:27+00:00');
CREATE TABLE recipes (
    recipe_id  INTEGER PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    json       TEXT NOT NULL,                -- canonical
    created_at TEXT NOT NULL
, whitening BLOB, dtype TEXT NOT NULL DEFAULT 'float16');
INSERT INTO "recipes" VALUES(1,'7d1ffd05def0','bundled','{"dim":256,"model":"efficientnet-lite0-provisional","pooling":{"kind":"gem","power":3.0},"precision":"float","projection":"9b78abb7509b210437de14a22a2ab5d5e51fe2ad874b31bfbd904b74ce06ff54","transform":{"height":240,"interpolation":"bicubic","mean":[0.485,0.456,0.406],"mode":"squash","std":[0.229,0.224,0.225],"width":160},"weights":"a829496ad1eef9093cfcfa9a12487fd068d1f342afc9584c70b5fe827ee1d04e"}','2026-11-25T04:03:27+00:00',NULL,'float16');
CREATE TABLE sources (
    source_id  INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,                -- 'folder', 'table' or 'archive'
    location   TEXT NOT NULL UNIQUE,         -- relative to the gallery if beside or below it, else absolute
    steam      INTEGER NOT NULL DEFAULT 0,   -- 1: its ids are appIDs
    added_at   TEXT NOT NULL,
    scanned_at TEXT                          -- NULL until a scan has ended
);
INSERT INTO "sources" VALUES(1,'covers','folder','../covers',0,'2026-11-25T04:03:27+00:00','2026-11-25T04:03:27+00:00');
CREATE TABLE steam_apps (                    -- what `sync` knows of each app that a list or a person named
    appid      INTEGER PRIMARY KEY,
    name       TEXT,                         -- as the list has it; NULL where it has none
    modified   INTEGER,                      -- as the list has it: seconds since 1970
    swept      INTEGER NOT NULL,             -- number of the last sweep of the whole list that saw it; 0 for none
    due        INTEGER NOT NULL DEFAULT 1,   -- 1: its details are to be asked for; 2: once more, from another country
    tries      INTEGER NOT NULL DEFAULT 0,   -- of asking, since it became due
    outcome    TEXT NOT NULL DEFAULT 'listed',  -- 'listed', 'found', 'hidden', 'unreleased', 'failed' or 'vanished'
    reason     TEXT,
    asked_at   TEXT                          -- when its details were last asked for
);
INSERT INTO "steam_apps" VALUES(730,'Counter-Strike 2',1789251637,1,1,0,'found',NULL,'2026-11-25T10:00:00+00:00');
CREATE TABLE steam_assets (                  -- the pictures that its details name
    appid      INTEGER NOT NULL REFERENCES steam_apps ON DELETE CASCADE,
    kind       TEXT NOT NULL,                -- of banner: 'vertical', 'header' or 'hero'
    candidates TEXT NOT NULL,                -- JSON: [[role, path, query], ...], the best first
    chosen     INTEGER NOT NULL DEFAULT 0,   -- which of them
    due        INTEGER NOT NULL DEFAULT 1,   -- 1: to be fetched, or asked about with a conditional request
    asked_anew INTEGER NOT NULL DEFAULT 0,   -- 1: it was absent once, and the details were asked for again
    outcome    TEXT NOT NULL DEFAULT 'listed',  -- 'listed', 'fetched', 'missing' or 'failed'
    reason     TEXT,
    fetched    TEXT,                         -- path of what was fetched, without the query
    etag       TEXT,                         -- of what was fetched, for conditional requests
    tried_at   TEXT,
    PRIMARY KEY (appid, kind)
) WITHOUT ROWID;
CREATE TABLE steam_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "steam_state" VALUES('listed_at','1789251637');
CREATE TABLE "vectors" (
    sha256     TEXT NOT NULL,                -- of the banner: two games with one picture share one vector
    recipe_id  INTEGER NOT NULL REFERENCES recipes ON DELETE CASCADE,
    precision  TEXT NOT NULL,                -- the one used: 'f32', 'bf16', ...
    vector     BLOB NOT NULL,                -- unit length, of the recipe's dtype
    UNIQUE (recipe_id, sha256)
);
INSERT INTO "vectors" VALUES('57552370e298063c5ff83e2eb19c4e921b4d991ca7dc2eea9fe7343669cbcd16',1,'f32',X'07215DAEF52FF89F449F0C1C92283E282FAE652D16ADC7A68E2A0121E0A8F5A59F2630A6A923A89C451B66AE97AA5E2413AB7B9E852C261FC42960934BAF4AAF57AB9723CCAC432C04287E28612E65A5E5295F26D52329A4A3A7FD961CA7609CDA27742839A1E81DAFA09825462C5EAB6130732ABE9D82AD3CA5082CFE286728972D8431662BE4A4C52C8FA736AA2EA96D2617AD392C0DACF0AAC0217D247AACAFA8FB271423BE9FBC9D382C8822342B02AEB3A7DA9EB4295D289D9F732A34ABA928D0A81DA9FB2ABCA87B244528730C66A9F2A5DAA4282A462812A0992F432CF3A6C22530A7C227CF287AAA22A9702166A50E291F2A59ADC092BAA04D2974AA102E33AE96A9192B48B1D7A88D2C2E29032B912CC5AFA19C762C31AE42ADC12E27293024B72F3E2CD5AAC52B03AB25A7272AAE2EDA2B28AA89AFE8A8E71B48ADB6ACB02AE1AEA5A98CA51FA969AAA524DB02F72820228D252AA9AB2851AB632555277BB03A2A34A9C62D7E2E5A2D0A22752326A57E2F6EACD8AFC8AC1BA794A4E929E12BCA2ABA9A03A084306D2D4DA80A9C88B061AC0B2E96220726FD2E882F853045A93B301CAC2CACE8AB79AA68212024C8AD12A610A499263227EA2A04B016ADA128F42174A5C72C7E200DAD11255C3046AC76B1C5AE48298A2CDD2B33AC15AC522A0A2C912CBAACDC2B222D572780A680B0D6A8CDA08F213B9CB32C7229');
INSERT INTO "vectors" VALUES('6101107db46e126afe4d4a095ba0884aaf38c725f3af3f12d56a56f89a033c85',1,'f32',X'A125A9AE23307F9957A03B24432BA8268BACA62D0AAD6EAC3F2B6921E3A951A7F028339D5B1FAB18919838AE58AA409DD1AC0C99462C9124DC296A1909AD06AF3CAEAC1CD8AC542F6229D324992E86A9A126A9281C291A0C26A52BA452A560A3C5283120C8A8A6A53AA4F31EE92406AD992E2B2A00A422AC7423BC2B912724251830F62FF52A4BA96628E4AB56AB13ACD51F7DACD72D11AC3CAB701486A18DAC9AACEC2CAE28E59D95A3A42B72233020F4AC6CA70B97C829C9253CA514294DA63A26D82000AD982443A9CA22D78CCC1E36AC14A60CA87F2CA9249725102F8D2DC5ACE30DFDA80EA6FC24B61C42A81F29F8A1DF931F2D51AF1AA41AAC372373A84B2F2BAAE3AC06290CB058AA2A2C8D2D242EF72CB4AE9D9CD82CB5AD88AD3A2C4F24B028722EC62836A5DB28279D5FA19525042ED92CB3ACE4AF35ABF3AC2AAAF2AEC02CFDAC05AD21AC51AC59A7C2AB5326E329E69DD59E25A8E628B3A55498E025D8AFC62605A09629B92E66284F2970202C195B3231AC1CAF68AA4EA883A62F2B4C26F92BE3A881A74D2F562972A556A5F6AFAEABF52D25AB022CD12F7530A22C10A806308EAD45AED7A3ED1995A36C2525AD8AAB9627141CBD282429C0AF50AD162E4925B1A84A205090ECACE6285231C1ACEDB29FA8AC2B812AE32B77ACE1AB55A42A2A3C2B81ADD328362BDC288F2C7824D5A561A47E9B88296A2D7E2A');
INSERT INTO "vectors" VALUES('adaac80d56af95eac7e42edec568b64dc6c15bbdef83e6e14dd3b5d48d450ff2',1,'f32',X'D22550AEDE2F1D15269FA524BC28F4238CAC1C2D45AD1EACAB2960254EAAC2A67729B39DBB1F47A6502258AD46A8E41077ADA5A1162CB424CF2C6FA290ADEAAF56ADE525D7AC822D2A2A0827012E08AAEC2529943B9C4E184DA8071C17A1E91DC428C326B3A415222022372440212EAC192FA9290599B9AB6EA08A297228AB2A572F1F31692922A8862AC7A77EA3E7A54E2789A9202CD6ADB4ACD0923DA122ACEAA5A92573293AA7C50F242D6723C6290CAD229E4321E42C7B26CFA56A2929AAC82383A861AB84294EAA45253129AA9C9EAD8BA610200D2D4017E724822DFD2EA6AA7D2065A1261D422719A63AA48428DEAA1529F62AE0AE79A484A7FBA100AA392C4BAD8FACD82ABBB0C2AA452D8D2DAF2CFD2CF1AF4AA7172B12AC80AE3E2E2D2B4529992F982795ACC62B08A653AAEEA5502EEB2DB4AC8BAEF1AB23AC14AB8AAE622BB6AACBADEEA373ADF7AB399B329963288421EF23A1A20B29CBAB8B902C27D9AE7C2490ABEC261031DF2C892ACCA441A6E53138AD28AD62ACB8A084A48C295A27242A65A9C6A86C30E62EB5A820A8C2AF8BAAC52E4EAA562AF22D9C2E952CBFAC3B2ED9AE35B09F2241ABFCAA142C9FAA6DAC789E6923DC28E622F0AEB2AB502C8124D7AA5C10A52077AB64211030CEAF16B132ADF82BEA2C2A2B15AC85A1982CFF2ADD2B3BAEE72875285B23E81567A926A9AE2859AB900D062BAB2E');
CREATE INDEX banners_by_content ON banners (sha256);
CREATE INDEX problems_by_source ON problems (source_id, stage);
CREATE INDEX problems_by_content ON problems (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX steam_apps_due ON steam_apps (due, appid) WHERE due > 0;
CREATE INDEX steam_assets_due ON steam_assets (kind, appid) WHERE due = 1;
CREATE TRIGGER steam_follows_games AFTER DELETE ON games
WHEN CAST(CAST(old.game_id AS INTEGER) AS TEXT) = old.game_id BEGIN
    DELETE FROM steam_assets WHERE appid = CAST(old.game_id AS INTEGER);
    UPDATE steam_apps SET due = 1, tries = 0 WHERE appid = CAST(old.game_id AS INTEGER) AND outcome = 'found';
END;
CREATE INDEX absences_by_game ON absences (game_id);
CREATE INDEX absences_by_end ON absences (back_at);
CREATE INDEX banner_changes_by_game ON banner_changes (game_id, kind);
CREATE INDEX banner_changes_by_time ON banner_changes (kind, at);
CREATE INDEX banner_changes_by_content ON banner_changes (old_sha256) WHERE old_sha256 IS NOT NULL;
CREATE INDEX games_by_addition ON games (source_id, added_at);
CREATE INDEX games_by_absence ON games (gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX vectors_by_precision ON vectors (recipe_id, precision);
COMMIT;
