/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What the programs keep and share. */
#pragma once

#include "events.h"

/* Bytes that one call may give at most; a power of two. */
#define CAPTURE_MAX 32768

const volatile struct settings settings SEC(".rodata.settings") = {
    .capture_max = CAPTURE_MAX,
    .sides = 1 << ROLE_SERVER,
    .tries_max = 6,
};

const volatile struct candidates candidates SEC(".rodata.candidates") = {};

volatile struct live live SEC(".data.live") = {};

/* All events, in the order in which they happened. Its size is set before it is made. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20);
} events SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, COUNTERS);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

/* What is to be done with the data of a socket. */
enum state {
    /* Its first bytes are looked at. */
    STATE_LOOKING,
    /* User space is told. */
    STATE_TOLD,
    /* Nothing of it is wanted. */
    STATE_IGNORED,
};

/* What is known of a socket; the kernel frees it with the socket. */
struct conn {
    /* Who connected it. */
    struct who who;
    /* When data came last. */
    __u64 arrived_ns;
    /* The first byte of each direction; of a Unix socket the next one, counted from the first that was seen. */
    __u32 seq[2];
    /* Of what a Unix socket sent, how much the other end had received when that was known last. */
    __u32 acked;
    /* Bytes of each direction that user space was not told of, since it was told last. */
    __u32 withheld[2];
    /* The verdicts that were looked at. */
    __u32 generation;
    /* Who spoke last, and how many programs he had executed. */
    __u32 speaker;
    __u32 speaker_exec;
    __u8 state;
    __u8 role;
    /* `seq` is of the handshake. */
    __u8 from_start;
    /* User space was told of it. */
    __u8 opened;
    __u8 tries[2];
    __u8 reset;
    /* The own FIN has its number. */
    __u8 fin;
    __u8 ended[2];
    /* Neither its bytes nor what a TLS library makes of them is wanted. */
    __u8 unwanted;
    /* It began like TLS, and user space was asked to look at whoever speaks so. */
    __u8 looked;
    /* Of the datagram that is being received, if this is not 0. */
    __u8 source_family;
    /* Of a Unix socket: its role is known, and that its end is watched. */
    __u8 settled;
    __u16 source_port;
    __u8 source_ip[16];
    /* Of UDP: the other end's port, in the order of the network, that `tries` count for. */
    __u16 tried_port;
    __u16 reserved[3];
#ifdef PLAIN_POINTERS
    /* Stands for the socket's cookie, which can't be asked for. */
    __u64 cookie;
    /* Number of the socket's inode; 0: not known yet. */
    __u64 inode;
    /* Where each direction stood after the data before, if `stood`. */
    __u32 next[2];
    __u8 stood[2];
    __u8 reserved2[6];
#endif
};

/* The ends of a connection, as the client names them. */
struct ends {
    __u8 client_ip[16];
    __u8 server_ip[16];
    __u16 client_port;
    __u16 server_port;
    /* Of addresses that every network namespace has for itself; 0 for others, which lead from one to another. */
    __u32 netns;
};

/* Who is at the client's end of the connections that this host made. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct ends);
    __type(value, struct who);
} clients SEC(".maps");

/* Connections whose server's end is on this host. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, struct ends);
    __type(value, __u8);
} servers SEC(".maps");

/* What user space says of connections, until they have seen it. By cookie. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, __u8);
} verdicts SEC(".maps");

/* Where an event is put together: one for each direction and CPU, since no program interrupts itself. (Per-CPU maps hold
 * no values of this size.) As many as there can be CPUs, which is set before it is made. */
struct scratch {
    /* The longest head of an event with bytes; a shorter one ends where it does. */
    struct event_datagram head;
    /* Twice as many as are used: the verifier adds up the largest place and the largest piece. */
    __u8 bytes[2 * CAPTURE_MAX];
};

/* The head of a data event, right before its bytes. */
static __always_inline struct event_data *data_head(struct scratch *scratch)
{
    return (struct event_data *)(scratch->bytes - sizeof(struct event_data));
}

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

/* What a task is at. */
struct task_state {
    /* The vector of messages that it is at, the next of them, and what the one before gave. */
    __u64 vector;
    __u32 next;
    __u32 last;
};

#ifndef PLAIN_POINTERS
struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct task_state);
} tasks SEC(".maps");
#endif

static __always_inline void count_some(__u32 which, __u64 some)
{
    __u64 *value = bpf_map_lookup_elem(&counters, &which);
    if (value)
        *value += some;
}

static __always_inline void count(__u32 which)
{
    count_some(which, 1);
}

/* Puts an event into the ring without waking anybody: user space looks often enough, and a wake-up for each event
 * would cost more than all the rest. */
static __always_inline bool put(void *event, __u64 size, __u8 kind)
{
    bool lost = bpf_ringbuf_output(&events, event, size, BPF_RB_NO_WAKEUP) != 0;
    count((lost ? COUNTER_OPEN_LOST : COUNTER_OPEN) + kind - EVENT_OPEN);
    return !lost;
}
