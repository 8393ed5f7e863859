/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* UDP: every datagram tells its own addresses, since one socket may speak with many. */
#pragma once

#ifdef PLAIN_POINTERS
#include "connection.h"
#else
#include "unix.h"
#endif

#ifndef PLAIN_POINTERS
/* The current task receives a datagram and wants to know where it came from: notes the answer. IPv4 in the first four
 * bytes, IPv4-mapped as IPv4. */
static __always_inline int on_source(struct bpf_sock_addr *context, __u8 family)
{
    struct bpf_sock *sk = context->sk;
    struct conn *conn;
    __u32 ip[4] = {};

    if (!sk)
        return 1;
    conn = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (!conn)
        return 1;
    if (family == 4) {
        ip[0] = context->user_ip4;
    } else {
        ip[0] = context->user_ip6[0];
        ip[1] = context->user_ip6[1];
        ip[2] = context->user_ip6[2];
        ip[3] = context->user_ip6[3];
        if (!ip[0] && !ip[1] && ip[2] == __builtin_bswap32(0xffff)) {
            ip[0] = ip[3];
            ip[2] = ip[3] = 0;
            family = 4;
        }
    }
    __builtin_memcpy(conn->source_ip, ip, sizeof(ip));
    conn->source_port = __builtin_bswap16(context->user_port);
    conn->source_family = family;
    return 1;
}
#endif

/* The other end of a datagram, by the address in user memory that it was sent to or said to come from. */
static __always_inline bool read_name(struct event_datagram *event, __u64 name)
{
    struct user_address address;
    __u32 *remote = (__u32 *)event->remote_ip;

    /* An IPv4 address is shorter: what lies behind it may not be there. */
    if (bpf_probe_read_user(&address, 16, (void *)name))
        return false;
    event->remote_port = __builtin_bswap16(address.port);
    if (address.family == AF_INET) {
        event->family = 4;
        remote[0] = address.ip4;
        return true;
    }
    if (bpf_probe_read_user(&address, sizeof(address), (void *)name))
        return false;
    event->family = 6;
    __builtin_memcpy(event->remote_ip, address.ip6, 16);
    if (remote[0] || remote[1] || remote[2] != __builtin_bswap32(0xffff))
        return true;
    event->family = 4;
    remote[0] = remote[3];
    remote[2] = remote[3] = 0;
    return true;
}

/* Where a datagram came from. */
static __always_inline bool find_source(struct event_datagram *event, const struct conn *conn, __u64 name)
{
#ifdef PLAIN_POINTERS
    return name && read_name(event, name);
#else
    event->family = conn->source_family;
    event->remote_port = conn->source_port;
    copy_ip(event->remote_ip, conn->source_ip);
    return true;
#endif
}

/* Fills in both ends of a datagram; false when the other one is not known. This one may be all zeros: not known. */
static __always_inline bool find_ends(struct sock *sk, struct event_datagram *event, struct conn *conn, __u64 name)
{
    __u8 family = fill_ends(sk, event->local_ip, event->remote_ip, &event->local_port, &event->remote_port);

    event->family = family;
    if (event->direction == RECEIVED) {
        /* A connected socket receives from nobody else. */
        if (!event->remote_port && !find_source(event, conn, name))
            return false;
        conn->source_family = 0;
    } else if (name) {
        __builtin_memset(event->remote_ip, 0, 16);
        if (!read_name(event, name))
            return false;
    }
    /* A socket of both families that is bound to no address. */
    if (event->family != family)
        __builtin_memset(event->local_ip, 0, 16);
    return event->family && event->remote_port;
}

static __always_inline bool passes_datagram(const struct event_datagram *event)
{
    __u32 filters = settings.filters;

    if (!filters)
        return true;
    if (filters & FILTER_PORT && !bpf_map_lookup_elem(&filter_ports, &event->local_port) &&
        !bpf_map_lookup_elem(&filter_ports, &event->remote_port))
        return false;
    if (filters & FILTER_ADDRESS && !passes_address(event->family, event->local_ip) &&
        !passes_address(event->family, event->remote_ip))
        return false;
    return passes_who(&event->self);
}

/* Nobody wants this datagram. */
static __always_inline void withhold(int len)
{
    count(COUNTER_WITHHELD);
    count_some(COUNTER_BYTES_WITHHELD, len);
}

/* Whether datagrams of this direction were looked at in vain often enough. A connected socket speaks with one other end, so
 * that they are one flow; any other datagram may be the first of its own. */
static __always_inline bool is_in_vain(struct sock *sk, struct conn *conn, __u8 direction)
{
    __u16 port = READ(sk, __sk_common.skc_dport);

    if (!port || port != conn->tried_port) {
        conn->tried_port = port;
        conn->tries[SENT] = conn->tries[RECEIVED] = 0;
        return false;
    }
    return conn->tries[direction & 1] >= settings.tries_max;
}

/* An application has sent or received a datagram of `ret` bytes, or failed to. */
static __always_inline int on_datagram(struct sock *sk, const struct caller *caller, int ret, __u8 direction, int flags)
{
    __u32 first, which = 2 * bpf_get_smp_processor_id() + direction;
    struct event_datagram *event;
    struct scratch *scratch;
    struct place place;
    struct conn *conn;
    struct net *net;
    __u8 missing;
    __u64 size;

    if (ret <= 0 || (__u32)READ(caller->task, tgid) == settings.own_pid)
        return 0;
    conn = datagram_conn(sk, caller);
    scratch = bpf_map_lookup_elem(&scratches, &which);
    if (!conn || !scratch) {
        count(COUNTER_NO_STORAGE);
        return 0;
    }
    event = &scratch->head;
    event->kind = EVENT_DATAGRAM;
    event->direction = direction;
    event->cookie = cookie_of(sk, conn);
    heed_verdict(conn, event->cookie);
    if (conn->state == STATE_IGNORED)
        return 0;
    if (is_in_vain(sk, conn, direction)) {
        withhold(ret);
        return 0;
    }
    find_place(&place, caller, ret);
    place.which = which;
    if (direction == RECEIVED && flags & (MSG_PEEK | MSG_ERRQUEUE)) {
        count(COUNTER_PEEKED);
        return 0;
    }
    first = gather(scratch, &place, ret < 4 ? ret : 4, &missing);
    if (first && !begins_protocol(scratch->bytes, first, 1)) {
        conn->tries[direction & 1] += 1;
        withhold(ret);
        return 0;
    }
    if (!find_ends(sk, event, conn, place.name)) {
        count(COUNTER_NO_ADDRESS);
        return 0;
    }
    if (first == 4 && !begins_datagram(scratch->bytes, event->local_port, event->remote_port)) {
        conn->tries[direction & 1] += 1;
        withhold(ret);
        return 0;
    }
    conn->tries[direction & 1] = 0;
    fill_who(&event->self, caller->task);
    if (!passes_datagram(event)) {
        count(COUNTER_FILTERED);
        return 0;
    }
    if (is_shed(conn, event->cookie)) {
        count(COUNTER_SHED);
        return 0;
    }
    net = READ(sk, __sk_common.skc_net.net);
    event->netns = READ(net, ns.inum);
    event->time_ns = bpf_ktime_get_boot_ns();
    event->arrived_ns = direction == RECEIVED ? conn->arrived_ns : 0;
    event->len = ret;
    event->reserved = 0;
    size = capture(scratch, &place, ret, &missing);
    event->captured = size;
    event->missing = missing;
    if (size > CAPTURE_MAX)
        return 0;
    if (put(event, sizeof(*event) + size, EVENT_DATAGRAM)) {
        count_some(COUNTER_BYTES, ret);
        count_some(COUNTER_BYTES_CAPTURED, size);
    } else {
        count_some(COUNTER_BYTES_LOST, ret);
    }
    return 0;
}

#ifndef PLAIN_POINTERS
/* What any socket has sent or received. */
static __always_inline int on_socket(struct sock *sk, int ret, __u8 direction, int flags)
{
    struct caller caller = {.task = current_task()};
    struct pt_regs *regs;
    long number;

    if (ret < 0) {
        regs = regs_of(&caller);
        number = SYSCALL(regs);
        if (number == SYS_sendmmsg || number == SYS_recvmmsg)
            end_vector(caller.task);
        return 0;
    }
    if (is_stream(sk))
        return on_data(sk, &caller, ret, direction, flags);
    if (is_datagram(sk))
        return on_datagram(sk, &caller, ret, direction, flags);
    if (is_unix(sk))
        return on_unix(sk, &caller, ret, direction, flags);
    return 0;
}
#endif
