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
    (1077, 1080), // shutdown, signal, forced close
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
    (1186, 1190), // binary log, replication
    (1194, 1203), // crashed table, incomplete rollback, full cache, replica, too many connections of a user
    (1205, 1206), // lock wait timeout, lock table full
    (1213, 1213), // deadlock
    (1218, 1220), // connection to the source of a replica
    (1226, 1226), // resource limit of a user
    (1236, 1236), // can't read the binary log
    (1257, 1257), // corrupt relay log
    (1259, 1259), // can't uncompress
    (1290, 1290), // an option such as --read-only prevents this
    (1296, 1297), // error of a storage engine, temporary error
    (1317, 1317), // interrupted
    (1374, 1381), // index of the binary log
    (1429, 1430), // foreign data source
    (1436, 1436), // thread stack overrun
    (1461, 1461), // too many prepared statements
    (1528, 1530), // tablespaces
    (1533, 1535), // tablespaces, row-based binary log
    (1547, 1548), // broken system tables
    (1593, 1595), // replica
    (1613, 1614), // XA transaction rolled back: timeout, deadlock
    (1637, 1637), // too many concurrent transactions
    (1705, 1705), // statement cache full
    (1712, 1712), // corrupt index
    (1799, 1799), // online log too big
    (1812, 1817), // missing tablespace, internal error, corrupt index
    (1836, 1836), // read-only mode
    (1877, 1878), // corrupt table, can't write a temporary file
    (1927, 1927), // MariaDB: connection killed
    (1969, 1969), // MariaDB: statement time exceeded
    (2000, 2999), // a client library's code, passed on by a proxy that does not reach its server
    (3024, 3024), // execution time exceeded
    (3058, 3058), // deadlock of user locks
    (3100, 3101), // replication hook, rollback during commit
    (3168, 3170), // service not available, session killed, capacity exceeded
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
