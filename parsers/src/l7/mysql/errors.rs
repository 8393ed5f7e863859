//! Whose fault an error is. Source: MySQL 8.4 error message reference, "Server Error Message Reference";
//! MariaDB "Error Code Reference"; ProxySQL and TiDB documentation of their own codes.

use crate::field::Status;

/// Codes of what the server could not do: resources, limits, locks, shutdown, storage, replication,
/// internal errors. All others say that the client asked wrongly: syntax, names, rights, constraints, login.
const SERVER_ERRORS: &[(u16, u16)] = &[
    (1004, 1006), // can't create a file, table or database
    (1009, 1021), // can't drop, find, read, lock, open or write files; disk full
    (1023, 1028), // errors of files
    (1030, 1030), // error of a storage engine
    (1032, 1042), // corrupt files, out of memory, too many connections, no resources, bad host
    (1053, 1053), // shutdown in progress
    (1077, 1081), // shutdown, signal, forced close, no socket
    (1105, 1105), // unknown error
    (1114, 1114), // table is full
    (1119, 1119), // thread stack overrun
    (1123, 1124), // can't initialise a loadable function
    (1126, 1127), // can't open its library
    (1129, 1129), // host is blocked
    (1135, 1135), // can't create a thread
    (1152, 1152), // aborted connection
    (1154, 1161), // read and write errors of the connection
    (1180, 1184), // during COMMIT, ROLLBACK, FLUSH, CHECKPOINT; aborted connection
    (1186, 1190), // closed binary log, replication source
    (1194, 1197), // crashed table, incomplete rollback, full transaction cache
    (1201, 1203), // replica can't start, too many connections of a user
    (1205, 1206), // lock wait timeout, lock table full
    (1213, 1213), // deadlock
    (1218, 1220), // connection to the replication source
    (1226, 1226), // resource limit of a user
    (1236, 1236), // can't read the binary log
    (1257, 1257), // no memory to uncompress
    (1290, 1290), // an option such as --read-only prevents this
    (1296, 1297), // error of a storage engine, temporary error
    (1317, 1317), // interrupted
    (1371, 1371), // can't purge relay logs
    (1374, 1374), // can't read the index of the binary log
    (1376, 1380), // can't purge binary logs
    (1401, 1402), // XA transaction rolled back
    (1429, 1430), // foreign data source
    (1436, 1436), // thread stack overrun
    (1457, 1457), // corrupt table of procedures
    (1461, 1461), // too many prepared statements
    (1467, 1467), // can't read the next number of a column
    (1501, 1501), // can't create a file of a partition
    (1528, 1530), // tablespaces
    (1533, 1535), // tablespaces, row-based binary log
    (1547, 1548), // broken system tables
    (1565, 1565), // log of schema changes
    (1573, 1573), // can't activate a log
    (1577, 1577), // event scheduler
    (1587, 1587), // too many open files
    (1593, 1598), // binary log, replica
    (1613, 1615), // XA transaction rolled back (timeout, deadlock), statement to prepare again
    (1637, 1637), // too many concurrent transactions
    (1689, 1689), // wait for a lock was aborted
    (1696, 1696), // can't read a partition's file
    (1705, 1705), // statement cache full
    (1712, 1712), // corrupt index
    (1728, 1728), // broken system tables
    (1743, 1744), // checksum of a binary log event
    (1799, 1799), // online log too big
    (1810, 1812), // read and write errors, missing tablespace
    (1814, 1817), // discarded tablespace, internal error, corrupt index
    (1836, 1836), // read-only mode
    (1874, 1878), // read-only storage, timeouts of replicas, corrupt table, no temporary file
    (1881, 1881), // forced recovery
    (1927, 1927), // MariaDB: connection killed
    (1969, 1969), // MariaDB: statement time exceeded
    (2000, 2999), // a client library's code, passed on by a proxy that does not reach its server
    (3000, 3000), // corrupt file
    (3015, 3015), // out of memory in a storage engine
    (3019, 3019), // undo log full
    (3024, 3024), // execution time exceeded
    (3032, 3032), // offline mode
    (3044, 3044), // out of memory
    (3058, 3058), // deadlock of user locks
    (3100, 3101), // replication hook, rollback during commit
    (3132, 3133), // deadlock and timeout of the locking service
    (3166, 3166), // buffer pool is being resized
    (3168, 3171), // service not available, session killed, capacity exceeded
    (3177, 3177), // lock refused by the storage engine
    (3186, 3186), // capacity exceeded in the parser
    (3197, 3197), // XA transaction to be retried
    (3231, 3231), // write set exceeds the limit
    (3572, 3572), // lock not granted at once
    (4031, 4031), // disconnected for inactivity
    (9000, 9013), // ProxySQL and TiDB: no backend, backend timeouts
];

/// `status` of an ERR packet's code.
pub(super) fn status(code: u16) -> Status {
    let is_server = SERVER_ERRORS
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&code));
    if is_server {
        Status::ServerError
    } else {
        Status::ClientError
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ordered_and_knows_the_usual_ones() {
        assert!(SERVER_ERRORS.windows(2).all(|w| w[0].1 < w[1].0));
        assert!(SERVER_ERRORS.iter().all(|(first, last)| first <= last));
        for code in [1040, 1205, 1213, 1021, 3024, 1053, 2013] {
            assert_eq!(status(code), Status::ServerError, "{code}");
        }
        for code in [1045, 1044, 1049, 1054, 1062, 1064, 1146, 1406, 1451, 1644, 3819] {
            assert_eq!(status(code), Status::ClientError, "{code}");
        }
    }
}
