// The tables of cloud.db, version PS_DB_VERSION. `seq` is the order of creation, and what lists
// page by. Times are milliseconds since 1970. No table has a place for a private key.
#include "localcloud/registry/schema.h"

const char ps_registry_schema[] =
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE types (seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " id TEXT NOT NULL, description TEXT, searchable TEXT NOT NULL, created INTEGER NOT NULL,"
    " deprecated INTEGER);"

    "CREATE TABLE things (seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " id TEXT NOT NULL, type TEXT REFERENCES types(name), attributes TEXT NOT NULL,"
    " version INTEGER NOT NULL, created INTEGER NOT NULL);"

    // A group's parents are its way up to a root group.
    "CREATE TABLE groups (seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " id TEXT NOT NULL, parent TEXT REFERENCES groups(name), description TEXT,"
    " attributes TEXT NOT NULL, version INTEGER NOT NULL, created INTEGER NOT NULL);"
    "CREATE TABLE members (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " thing TEXT NOT NULL REFERENCES things(name) ON DELETE CASCADE,"
    " grp TEXT NOT NULL REFERENCES groups(name), UNIQUE (thing, grp));"
    "CREATE INDEX members_of ON members(grp);"

    "CREATE TABLE authorities (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " pem TEXT NOT NULL, subject TEXT NOT NULL, status TEXT NOT NULL, automatic TEXT NOT NULL,"
    " mode TEXT NOT NULL, config TEXT, generation TEXT NOT NULL, customer_version INTEGER NOT NULL,"
    " not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
    " created INTEGER NOT NULL, modified INTEGER NOT NULL);"
    "CREATE INDEX authorities_by_subject ON authorities(subject);"

    "CREATE TABLE certificates (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " pem TEXT NOT NULL, status TEXT NOT NULL, authority TEXT, mode TEXT NOT NULL,"
    " generation TEXT NOT NULL, customer_version INTEGER NOT NULL,"
    " not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
    " created INTEGER NOT NULL, modified INTEGER NOT NULL);"
    "CREATE INDEX certificates_by_authority ON certificates(authority);"
    "CREATE TABLE principals (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " thing TEXT NOT NULL REFERENCES things(name),"
    " certificate TEXT NOT NULL REFERENCES certificates(id), exclusive INTEGER NOT NULL,"
    " UNIQUE (thing, certificate));"
    "CREATE INDEX principals_by_certificate ON principals(certificate);"

    "CREATE TABLE policies (seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " version INTEGER NOT NULL, next INTEGER NOT NULL, generation TEXT NOT NULL,"
    " created INTEGER NOT NULL, modified INTEGER NOT NULL);"
    "CREATE TABLE versions (policy TEXT NOT NULL REFERENCES policies(name) ON DELETE CASCADE,"
    " version INTEGER NOT NULL, document TEXT NOT NULL, generation TEXT NOT NULL,"
    " created INTEGER NOT NULL, PRIMARY KEY (policy, version)) WITHOUT ROWID;"
    // target: "cert/<id>" or "thinggroup/<name>"
    "CREATE TABLE targets (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    " policy TEXT NOT NULL REFERENCES policies(name), target TEXT NOT NULL,"
    " UNIQUE (policy, target));"
    "CREATE INDEX targets_of ON targets(target);";
