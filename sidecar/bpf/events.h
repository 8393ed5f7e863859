/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What crosses the ring, and what user space sets and reads. src/event.rs, src/kernel/counters.rs and
 * src/kernel/settings.rs say the same in Rust. */
#pragma once

#include "kernel.h"

enum event_kind {
    EVENT_OPEN = 1,
    EVENT_DATA,
    EVENT_END,
    EVENT_CLOSE,
    EVENT_SPEAKER,
    EVENT_PLAIN,
    EVENT_DATAGRAM,
};

enum direction {
    SENT,
    RECEIVED,
};

enum role {
    ROLE_UNKNOWN,
    ROLE_CLIENT,
    ROLE_SERVER,
};

/* Why bytes of a data event are not there. */
enum missing {
    MISSING_NONE,
    /* More than is taken of one call. */
    MISSING_LIMIT,
    /* They lay in more buffers than are looked at. */
    MISSING_BUFFERS,
    /* The memory could not be read without waiting for it. */
    MISSING_UNREADABLE,
    /* They never were in the memory of the process: sendfile, splice. */
    MISSING_NO_MEMORY,
    /* A system call that names no buffers, as io_uring's. */
    MISSING_SYSCALL,
    /* Sent or received by the kernel itself. */
    MISSING_KERNEL,
    /* A 32-bit process. */
    MISSING_COMPAT,
    /* The application had the kernel throw them away (MSG_TRUNC). */
    MISSING_DISCARDED,
};

/* A process. */
struct who {
    __u64 cgroup;
    /* With the pid, for all time: since boot. */
    __u64 started_ns;
    __u32 pid;
    /* How many programs it and its ancestors have executed: grows with each. */
    __u32 exec;
    char comm[TASK_COMM_LEN];
};

/* Before the first data of a connection. */
struct event_open {
    __u8 kind;
    __u8 role;
    /* As in the record: 0 TCP, 1 UDP. */
    __u8 l4;
    /* 4 or 6; 1: a Unix socket, whose name follows. */
    __u8 family;
    __u32 netns;
    __u64 cookie;
    __u64 time_ns;
    struct who self;
    /* Whoever holds the other end, where that is on this host; pid 0: unknown. */
    struct who peer;
    /* IPv4 in the first four. */
    __u8 local_ip[16];
    __u8 remote_ip[16];
    __u16 local_port;
    __u16 remote_port;
    /* The first byte of each direction that there can be events of. */
    __u32 seq[2];
    /* How many bytes there were before, if that is known. */
    __u32 passed[2];
    __u8 from_start;
    /* Bytes of the name of a Unix socket. */
    __u8 name_len;
    __u8 reserved[2];
};

/* Bytes that an application sent or received; those captured follow. */
struct event_data {
    __u8 kind;
    __u8 direction;
    __u8 missing;
    /* Number of the TLS library that moved them; 0: none that is watched. */
    __u8 library;
    /* Bytes of this direction right before these that begin no protocol, and were not told of. */
    __u32 withheld;
    __u64 cookie;
    __u64 time_ns;
    /* When the last of them came to the socket, if that is known. */
    __u64 arrived_ns;
    __u32 seq;
    /* Sent: what the application had received. Received: what the other side had acknowledged. */
    __u32 peer_seq;
    __u32 len;
    __u32 captured;
};

/* A direction has ended in order. */
struct event_end {
    __u8 kind;
    __u8 direction;
    __u8 reserved[2];
    __u32 seq;
    __u64 cookie;
    __u64 time_ns;
};

/* How connections end. */
enum close {
    CLOSE_IN_ORDER,
    /* By a reset, or by giving up. */
    CLOSE_RESET,
    /* It goes on, but is not told of any more, for want of time. */
    CLOSE_SHED,
};

/* The connection is over, and nobody has it open; or nothing more is told of it. */
struct event_close {
    __u8 kind;
    __u8 how;
    __u8 reserved[6];
    __u64 cookie;
    __u64 time_ns;
    /* Where each direction stood. */
    __u32 seq[2];
};

/* From here on another process speaks. */
struct event_speaker {
    __u8 kind;
    __u8 reserved[7];
    __u64 cookie;
    __u64 time_ns;
    struct who self;
};

/* Bytes that an application gave to a TLS library or got from it; those captured follow, and more that mean nothing. */
struct event_plain {
    __u8 kind;
    __u8 direction;
    __u8 missing;
    __u8 library;
    __u32 pid;
    /* Of the socket, 0: not known. */
    __u64 cookie;
    __u64 time_ns;
    /* The library's object, in the memory of the process, and when it was first seen. */
    __u64 object;
    __u64 epoch_ns;
    /* Of the first byte, among all that the object moved this way; and how many it moved the other way so far. */
    __u64 offset;
    __u64 other_offset;
    /* Where the ciphertext that the call moved began, if that is known. */
    __u32 seq;
    __u8 seq_known;
    /* Received: a call that sends has sent ciphertext and is not over, so what this answers may be told of later. */
    __u8 is_sending;
    __u8 reserved[2];
    __u32 len;
    __u32 captured;
};

/* A datagram that an application sent or received; what was captured of it follows. */
struct event_datagram {
    __u8 kind;
    __u8 direction;
    __u8 missing;
    /* 4 or 6. */
    __u8 family;
    __u32 netns;
    /* Of the socket, which may speak with many. */
    __u64 cookie;
    __u64 time_ns;
    __u64 arrived_ns;
    struct who self;
    /* As in event_open; a local address of zeros is not known. */
    __u8 local_ip[16];
    __u8 remote_ip[16];
    __u16 local_port;
    __u16 remote_port;
    __u32 len;
    __u32 captured;
    __u32 reserved;
};

enum counter {
    /* Events put into the ring, in the order of their kinds. */
    COUNTER_OPEN,
    COUNTER_DATA,
    COUNTER_END,
    COUNTER_CLOSE,
    COUNTER_SPEAKER,
    COUNTER_PLAIN,
    COUNTER_DATAGRAM,
    /* The same, when the ring was full. */
    COUNTER_OPEN_LOST,
    COUNTER_DATA_LOST,
    COUNTER_END_LOST,
    COUNTER_CLOSE_LOST,
    COUNTER_SPEAKER_LOST,
    COUNTER_PLAIN_LOST,
    COUNTER_DATAGRAM_LOST,
    /* Bytes of data events, and how many of them came along. */
    COUNTER_BYTES,
    COUNTER_BYTES_CAPTURED,
    /* Bytes of data events that found the ring full. */
    COUNTER_BYTES_LOST,
    /* Data that was looked at without being taken (MSG_PEEK). */
    COUNTER_PEEKED,
    /* Connections whose other end is watched on this host. */
    COUNTER_OTHER_END,
    /* Connections that no filter lets pass. */
    COUNTER_FILTERED,
    /* Connections left out for want of time. */
    COUNTER_SHED,
    /* Data that begins no protocol, and its bytes. */
    COUNTER_WITHHELD,
    COUNTER_BYTES_WITHHELD,
    /* Connections given up for that. */
    COUNTER_UNKNOWN,
    /* This program's own connections. */
    COUNTER_OWN,
    /* Connections behind an upper layer protocol of the kernel (TLS), which counts its bytes otherwise. */
    COUNTER_ULP,
    /* Datagrams of which it is not known where they went or came from. */
    COUNTER_NO_ADDRESS,
    /* Sockets for which the kernel had no memory. */
    COUNTER_NO_STORAGE,
    /* Unix sockets of which neither end has a name. */
    COUNTER_UNNAMED,
    /* Cgroups that filters ask for, and found no room in them. */
    COUNTER_CGROUP_NO_ROOM,
    /* Bytes of plain events, and of those that found the ring full. */
    COUNTER_PLAIN_BYTES,
    COUNTER_PLAIN_BYTES_LOST,
    /* Calls of TLS libraries that found no room to be remembered, objects of theirs, and calls whose result could not
     * be read: their bytes are missing without being told of. */
    COUNTER_TLS_NO_CALL,
    COUNTER_TLS_NO_OBJECT,
    COUNTER_TLS_NO_COUNT,
    /* Processes not told of whose files are to be looked at. */
    COUNTER_TLS_LOOK_LOST,
    /* Data of which it is not known where it belongs, since another call moved some at the same time, and its bytes. */
    COUNTER_UNPLACED,
    COUNTER_BYTES_UNPLACED,
    /* Messages of calls that moved more at once than are looked at. */
    COUNTER_MESSAGES_LOST,
    /* Data events with bytes missing, in the order of enum missing from MISSING_LIMIT on. */
    COUNTER_MISSING,
    COUNTERS = COUNTER_MISSING + MISSING_DISCARDED,
};

/* Kinds of filters: a bit each. */
enum filter {
    FILTER_PID = 1,
    FILTER_COMM = 2,
    FILTER_CGROUP = 4,
    FILTER_PORT = 8,
    FILTER_ADDRESS = 16,
};

/* Set before the programs are loaded. */
struct settings {
    /* Bytes taken of one call. */
    __u32 capture_max;
    /* Its own process. */
    __u32 own_pid;
    /* Which ends are watched of connections that have both on this host: a bit each, 1 << role. */
    __u32 sides;
    /* Which filters there are. */
    __u32 filters;
    /* Payloads of a direction that are looked at in vain before it is given up. */
    __u32 tries_max;
    __u32 reserved;
};

/* Which protocols may begin with a byte at each of the first four places; a protocol is a bit. Of datagrams, some only
 * where a port is one that any protocol is known by, which are bits as well. */
struct candidates {
    __u64 by_transport[2];
    __u64 by_byte[4][256];
    __u64 by_byte_elsewhere[4][256];
    __u64 known_ports[1024];
};

/* Changed by user space at any time. */
struct live {
    /* Counts the changes of the map of verdicts. */
    __u32 generation;
    /* One connection of 1 << sample_shift is followed. */
    __u32 sample_shift;
};

/* What user space says of a connection. */
enum verdict {
    /* No protocol begins with what was told last. */
    VERDICT_NO_MATCH = 1,
    /* Nothing more is wanted. */
    VERDICT_IGNORE = 2,
    /* Everything is wanted. */
    VERDICT_TELL = 3,
};
