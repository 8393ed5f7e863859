//! The commands. Source: MySQL 8 source documentation, `enum_server_command`; MariaDB "Client/Server
//! Protocol: Commands".

/// The first byte of a request.
pub(super) type Command = u8;

pub(super) const QUIT: Command = 0x01;
pub(super) const INIT_DB: Command = 0x02;
pub(super) const QUERY: Command = 0x03;
pub(super) const FIELD_LIST: Command = 0x04;
pub(super) const CREATE_DB: Command = 0x05;
pub(super) const DROP_DB: Command = 0x06;
pub(super) const STATISTICS: Command = 0x09;
/// Answered by a result set, the process list.
pub(super) const PROCESS_INFO: Command = 0x0A;
pub(super) const PROCESS_KILL: Command = 0x0C;
/// Never sent as a command: marks the login here, as it does in the server.
pub(super) const CONNECT: Command = 0x0B;
pub(super) const CHANGE_USER: Command = 0x11;
pub(super) const BINLOG_DUMP: Command = 0x12;
pub(super) const STMT_PREPARE: Command = 0x16;
pub(super) const STMT_EXECUTE: Command = 0x17;
pub(super) const STMT_SEND_LONG_DATA: Command = 0x18;
pub(super) const STMT_CLOSE: Command = 0x19;
pub(super) const STMT_RESET: Command = 0x1A;
pub(super) const SET_OPTION: Command = 0x1B;
pub(super) const STMT_FETCH: Command = 0x1C;
pub(super) const BINLOG_DUMP_GTID: Command = 0x1E;
pub(super) const RESET_CONNECTION: Command = 0x1F;
/// MariaDB only.
pub(super) const STMT_BULK_EXECUTE: Command = 0xFA;

const NAMES: [&str; 0x22] = [
    "COM_SLEEP",
    "COM_QUIT",
    "COM_INIT_DB",
    "COM_QUERY",
    "COM_FIELD_LIST",
    "COM_CREATE_DB",
    "COM_DROP_DB",
    "COM_REFRESH",
    "COM_SHUTDOWN",
    "COM_STATISTICS",
    "COM_PROCESS_INFO",
    "COM_CONNECT",
    "COM_PROCESS_KILL",
    "COM_DEBUG",
    "COM_PING",
    "COM_TIME",
    "COM_DELAYED_INSERT",
    "COM_CHANGE_USER",
    "COM_BINLOG_DUMP",
    "COM_TABLE_DUMP",
    "COM_CONNECT_OUT",
    "COM_REGISTER_SLAVE",
    "COM_STMT_PREPARE",
    "COM_STMT_EXECUTE",
    "COM_STMT_SEND_LONG_DATA",
    "COM_STMT_CLOSE",
    "COM_STMT_RESET",
    "COM_SET_OPTION",
    "COM_STMT_FETCH",
    "COM_DAEMON",
    "COM_BINLOG_DUMP_GTID",
    "COM_RESET_CONNECTION",
    "COM_CLONE",
    "COM_SUBSCRIBE_GROUP_REPLICATION_STREAM",
];

/// `req_type` of a command; `None` for bytes that are no command.
pub(super) fn name(command: Command) -> Option<&'static str> {
    match command {
        STMT_BULK_EXECUTE => Some("COM_STMT_BULK_EXECUTE"),
        0xFE => Some("COM_MULTI"),
        _ => NAMES.get(usize::from(command)).copied(),
    }
}

/// Whether the server sends nothing back.
pub(super) fn is_one_way(command: Command) -> bool {
    matches!(command, QUIT | STMT_CLOSE | STMT_SEND_LONG_DATA)
}

/// Whether a command is the server's own (COM_SLEEP, COM_CONNECT, COM_DELAYED_INSERT, COM_CONNECT_OUT,
/// COM_DAEMON): a client that sends it gets an error.
pub(super) fn is_internal(command: Command) -> bool {
    matches!(command, 0x00 | CONNECT | 0x10 | 0x14 | 0x1D)
}

/// Whether a request of this command can be `len` bytes of payload long, the command's byte included.
pub(super) fn fits(command: Command, len: u32) -> bool {
    match command {
        // The numbers are COM_DEBUG, COM_PING and COM_TIME.
        QUIT | STATISTICS | PROCESS_INFO | 0x0D | 0x0E | 0x0F | RESET_CONNECTION => len == 1,
        QUERY | STMT_PREPARE | INIT_DB | CREATE_DB | DROP_DB => len >= 1,
        PROCESS_KILL | STMT_CLOSE | STMT_RESET => len == 5,
        SET_OPTION => len == 3,
        STMT_FETCH => len == 9,
        STMT_EXECUTE => len >= 10,
        STMT_BULK_EXECUTE | STMT_SEND_LONG_DATA => len >= 7,
        BINLOG_DUMP => len >= 11,
        BINLOG_DUMP_GTID => len >= 11,
        CHANGE_USER => len >= 3,
        _ if is_internal(command) => len == 1,
        _ => name(command).is_some(),
    }
}
