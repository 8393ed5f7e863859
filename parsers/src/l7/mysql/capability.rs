//! Capability flags, as far as they change what is on the wire. Source: MySQL 8 source documentation,
//! "Capabilities Flags"; MariaDB "Connection: Capabilities" for those above bit 31.

/// What a side says that it can do.
pub(super) type Capabilities = u64;

/// Set by MySQL clients; clear where the upper half is MariaDB's.
pub(super) const LONG_PASSWORD: Capabilities = 1;
pub(super) const CONNECT_WITH_DB: Capabilities = 1 << 3;
pub(super) const COMPRESS: Capabilities = 1 << 5;
pub(super) const PROTOCOL_41: Capabilities = 1 << 9;
pub(super) const SSL: Capabilities = 1 << 11;
pub(super) const SECURE_CONNECTION: Capabilities = 1 << 15;
pub(super) const PLUGIN_AUTH: Capabilities = 1 << 19;
pub(super) const CONNECT_ATTRS: Capabilities = 1 << 20;
pub(super) const PLUGIN_AUTH_LENENC: Capabilities = 1 << 21;
pub(super) const DEPRECATE_EOF: Capabilities = 1 << 24;
pub(super) const OPTIONAL_METADATA: Capabilities = 1 << 25;
pub(super) const ZSTD: Capabilities = 1 << 26;
pub(super) const QUERY_ATTRIBUTES: Capabilities = 1 << 27;
/// MariaDB: a result set may leave out column definitions that the client has.
pub(super) const MARIADB_CACHE_METADATA: Capabilities = 1 << 36;
