-- Source files of builds, schema version 1, as SQL.
PRAGMA application_id=1399804786;
PRAGMA user_version=1;
CREATE TABLE text (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE, -- of the text, as the next
    md5 BLOB NOT NULL,           -- empty: could not be made
    bytes INTEGER NOT NULL,      -- of the text
    size INTEGER NOT NULL,       -- of the body
    body BLOB NOT NULL) STRICT;
CREATE TABLE file (
    bundle INTEGER NOT NULL REFERENCES bundle (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    text INTEGER NOT NULL REFERENCES text (id),
    modified INTEGER NOT NULL,   -- Unix seconds
    PRIMARY KEY (bundle, path)) STRICT, WITHOUT ROWID;
CREATE TABLE bundle (
    id INTEGER PRIMARY KEY,
    build_id TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,       -- empty: not said
    who TEXT NOT NULL,
    received INTEGER NOT NULL,   -- Unix nanoseconds
    built INTEGER,               -- when the program was made, Unix seconds
    entries INTEGER NOT NULL) STRICT;
CREATE INDEX file_of_text ON file (text);
INSERT INTO text VALUES (1, X'CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB', X'0CC175B9C0F1B6A831C399E269772661', 1, 2, X'0061');
INSERT INTO text VALUES (2, X'AAEBC35C4C4E2CC7AC7C65812A7FA476D807B9F3FC60D478DFE098CEEB122321', X'057CECD3618BC6C7120062923CE6F3F4', 200, 19, X'0128B52FFD20C84D00001062620100430A6001');
INSERT INTO bundle VALUES (1, '01010101', 'shop', 'ci (t1)', 1769871600000000000, 9, 206);
INSERT INTO file VALUES (1, 'A.swift', 1, 7);
INSERT INTO file VALUES (1, 'B.swift', 2, 7);
