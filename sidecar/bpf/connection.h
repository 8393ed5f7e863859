/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* From a socket operation to events: the body that all backends share. */
#pragma once

#include "filter.h"
#include "inference.h"
#include "sockets.h"
#include "tls.h"

static __always_inline void fill_who(struct who *who, struct task_struct *task)
{
    struct task_struct *leader = READ(task, group_leader);

    who->cgroup = bpf_get_current_cgroup_id();
    who->started_ns = READ(leader, start_boottime);
    who->pid = READ(task, tgid);
    who->exec = READ(leader, self_exec_id);
    /* Of the process, not of one of its threads. */
    bpf_probe_read_kernel_str(who->comm, sizeof(who->comm), leader->comm);
}

static __always_inline void copy_ip(__u8 *to, const __u8 *from)
{
    __builtin_memcpy(to, from, 16);
}

/* Addresses and ports; IPv4 in the first four bytes, IPv4-mapped ones as IPv4. Gives the family, 4 or 6. */
static __always_inline __u8 fill_ends(struct sock *sk, __u8 *local_ip, __u8 *remote_ip, __u16 *local_port,
                                      __u16 *remote_port)
{
    struct sock_common *common = &sk->__sk_common;
    __u32 *local = (__u32 *)local_ip, *remote = (__u32 *)remote_ip;
    __u32 local4 = READ(common, skc_rcv_saddr), remote4 = READ(common, skc_daddr);

    /* Else the compiler makes one instruction of loads from the socket and from the stack, which no verifier takes. */
    barrier_var(local4);
    barrier_var(remote4);
    *local_port = READ(common, skc_num);
    *remote_port = __builtin_bswap16(READ(common, skc_dport));
    if (READ(common, skc_family) == AF_INET6) {
        bpf_probe_read_kernel(local_ip, 16, &common->skc_v6_rcv_saddr);
        bpf_probe_read_kernel(remote_ip, 16, &common->skc_v6_daddr);
        if (local[0] || local[1] || local[2] != __builtin_bswap32(0xffff))
            return 6;
        local4 = local[3];
        remote4 = remote[3];
    }
    local[0] = local4;
    remote[0] = remote4;
    local[1] = local[2] = local[3] = 0;
    remote[1] = remote[2] = remote[3] = 0;
    return 4;
}

static __always_inline bool is_loopback(__u8 family, const __u8 *ip)
{
    const __u32 *words = (const __u32 *)ip;

    if (family == 4)
        return ip[0] == 127;
    return !words[0] && !words[1] && !words[2] && words[3] == __builtin_bswap32(1);
}

static __always_inline bool same_ip(const __u8 *a, const __u8 *b)
{
    const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

    return x[0] == y[0] && x[1] == y[1];
}

/* What tells ends apart that are named alike. */
static __always_inline __u32 ends_netns(struct sock *sk, __u8 family, const __u8 *ip)
{
    struct net *net = READ(sk, __sk_common.skc_net.net);

    return is_loopback(family, ip) ? READ(net, ns.inum) : 0;
}

/* The ends of a connection as its client names them; `from_client`: `open` is of the client's end. */
static __always_inline void name_ends(struct ends *ends, struct sock *sk, const struct event_open *open,
                                      bool from_client)
{
    ends->netns = ends_netns(sk, open->family, open->local_ip);
    copy_ip(ends->client_ip, from_client ? open->local_ip : open->remote_ip);
    copy_ip(ends->server_ip, from_client ? open->remote_ip : open->local_ip);
    ends->client_port = from_client ? open->local_port : open->remote_port;
    ends->server_port = from_client ? open->remote_port : open->local_port;
}

/* Whether the other end is on this host and watched there. Finds out who holds it, where it is the client's. */
static __always_inline bool is_other_end(struct sock *sk, struct event_open *open)
{
    bool watched = open->role == ROLE_UNKNOWN || settings.sides & (1 << open->role);
    bool here = is_loopback(open->family, open->remote_ip) || same_ip(open->local_ip, open->remote_ip);
    struct ends ends = {};
    struct who *peer;

    if (open->role == ROLE_CLIENT) {
        if (watched || here)
            return !watched;
        name_ends(&ends, sk, open, true);
        return bpf_map_lookup_elem(&servers, &ends);
    }
    name_ends(&ends, sk, open, false);
    peer = bpf_map_lookup_elem(&clients, &ends);
    if (peer)
        open->peer = *peer;
    return !watched && (here || peer);
}

/* Whether the time that there is does not reach for this connection. */
static __always_inline bool is_shed(const struct conn *conn, __u64 cookie)
{
    __u32 shift = live.sample_shift;
    /* Cookies are counted: mixed, any of their bits is as good as another. */
    __u64 mixed = cookie * 0x9E3779B97F4A7C15ULL >> 32;

    return shift && mixed & ((1ULL << (shift & 31)) - 1);
}

/* Number of the next byte that the application receives. Its reading of the end counts one. */
static __always_inline __u32 received_seq(struct sock *sk, struct tcp_sock *tcp)
{
    __u32 next = READ(tcp, copied_seq);
    bool at_end = READ(sk, __sk_common.skc_flags) & (1UL << SOCK_DONE) && next == READ(tcp, rcv_nxt);

    return next - at_end;
}

/* Nothing of a connection is wanted. */
static __always_inline void ignore(struct conn *conn, __u32 reason)
{
    conn->state = STATE_IGNORED;
    count(reason);
}

/* Nor of what a TLS library makes of its bytes. */
static __always_inline void refuse(struct conn *conn, __u32 reason)
{
    conn->unwanted = 1;
    ignore(conn, reason);
}

static __always_inline void note_speaker(struct conn *conn, struct task_struct *task)
{
    conn->speaker = READ(task, tgid);
    conn->speaker_exec = READ(task, self_exec_id);
}

/* Whether another process speaks than before, or the same one by another program. */
static __always_inline bool is_other_speaker(const struct conn *conn, struct task_struct *task)
{
    return conn->speaker != (__u32)READ(task, tgid) || conn->speaker_exec != (__u32)READ(task, self_exec_id);
}

/* Tells of a connection before its first data, from the scratch that its bytes come to later. False when user space
 * doesn't know it afterwards. */
static __always_inline bool tell_open(struct sock *sk, struct tcp_sock *tcp, struct conn *conn,
                                      struct scratch *scratch, const struct event_data *data)
{
    struct event_open *open = (struct event_open *)scratch->bytes;
    struct net *net = READ(sk, __sk_common.skc_net.net);

    __builtin_memset(open, 0, sizeof(*open));
    open->kind = EVENT_OPEN;
    open->role = conn->role;
    open->cookie = data->cookie;
    open->time_ns = data->time_ns;
    open->family = fill_ends(sk, open->local_ip, open->remote_ip, &open->local_port, &open->remote_port);
    fill_who(&open->self, current_task());
    if (open->self.pid == settings.own_pid) {
        refuse(conn, COUNTER_OWN);
        return false;
    }
    if (is_other_end(sk, open)) {
        refuse(conn, COUNTER_OTHER_END);
        return false;
    }
    if (!passes(open)) {
        refuse(conn, COUNTER_FILTERED);
        return false;
    }
    if (is_shed(conn, data->cookie)) {
        refuse(conn, COUNTER_SHED);
        return false;
    }
    open->netns = READ(net, ns.inum);
    open->from_start = conn->from_start;
    /* What was withheld so far, user space need not know of. */
    open->seq[SENT] = data->direction == SENT ? data->seq : READ(tcp, write_seq);
    open->seq[RECEIVED] = data->direction == RECEIVED ? data->seq : received_seq(sk, tcp);
    if (conn->from_start) {
        open->passed[SENT] = open->seq[SENT] - conn->seq[SENT];
        open->passed[RECEIVED] = open->seq[RECEIVED] - conn->seq[RECEIVED];
    }
    conn->withheld[SENT] = conn->withheld[RECEIVED] = 0;
    note_speaker(conn, current_task());
    conn->opened = put(open, sizeof(*open), EVENT_OPEN);
    return conn->opened;
}

/* Tells of a process that speaks on a connection which another one, or another program, spoke on before. */
static __always_inline void tell_speaker(struct conn *conn, struct task_struct *task, const struct event_data *data)
{
    struct event_speaker event;

    __builtin_memset(&event, 0, sizeof(event));
    event.kind = EVENT_SPEAKER;
    event.cookie = data->cookie;
    event.time_ns = data->time_ns;
    fill_who(&event.self, task);
    if (put(&event, sizeof(event), EVENT_SPEAKER))
        note_speaker(conn, task);
}

/* A direction has ended in order, at the number `seq`. */
static __always_inline void put_end(struct sock *sk, struct conn *conn, __u8 direction, __u32 seq)
{
    struct event_end end;

    if (!conn->opened || conn->ended[direction & 1])
        return;
    __builtin_memset(&end, 0, sizeof(end));
    end.kind = EVENT_END;
    end.direction = direction;
    end.seq = seq;
    end.cookie = cookie_of(sk, conn);
    end.time_ns = bpf_ktime_get_boot_ns();
    conn->ended[direction & 1] = put(&end, sizeof(end), EVENT_END);
}

static __always_inline void tell_end(struct sock *sk, struct conn *conn, __u8 direction)
{
    struct tcp_sock *tcp = tcp_of(sk);

    if (tcp)
        put_end(sk, conn, direction, direction == SENT ? READ(tcp, write_seq) : received_seq(sk, tcp));
}

/* Tells that nothing more is told of a connection, of which so many bytes were sent and received. */
static __always_inline void put_close(struct sock *sk, struct conn *conn, __u8 how, __u32 sent, __u32 received)
{
    struct event_close close;

    __builtin_memset(&close, 0, sizeof(close));
    close.kind = EVENT_CLOSE;
    close.how = how;
    close.cookie = cookie_of(sk, conn);
    close.time_ns = bpf_ktime_get_boot_ns();
    close.seq[SENT] = sent;
    close.seq[RECEIVED] = received;
    put(&close, sizeof(close), EVENT_CLOSE);
    conn->opened = 0;
}

static __always_inline void tell_close(struct sock *sk, struct tcp_sock *tcp, struct conn *conn, __u8 how)
{
    put_close(sk, conn, how, READ(tcp, write_seq) - conn->fin, received_seq(sk, tcp));
}

/* Data of a connection may be part of what a TLS library does, whether it is wanted itself or not. Gives the library's
 * number. */
static __always_inline __u8 note_tls(struct sock *sk, const struct conn *conn, const struct caller *caller,
                                     __u8 direction, __u32 seq, __u32 len)
{
    __u64 cookie = conn->unwanted ? TLS_UNWANTED : cookie_of(sk, conn);

    return tls_on_socket(caller, cookie, direction, seq, len);
}

/* Takes user space's verdict, if there is a new one. */
static __always_inline void heed_verdict(struct conn *conn, __u64 cookie)
{
    __u8 *verdict;

    if (conn->generation == live.generation)
        return;
    conn->generation = live.generation;
    verdict = bpf_map_lookup_elem(&verdicts, &cookie);
    if (!verdict)
        return;
    if (*verdict == VERDICT_IGNORE)
        conn->state = STATE_IGNORED;
    else
        conn->state = *verdict == VERDICT_TELL ? STATE_TOLD : STATE_LOOKING;
    bpf_map_delete_elem(&verdicts, &cookie);
}

/* Looks at the first bytes of data: whether user space is to be told of it, and of what follows. */
static __always_inline bool look(struct conn *conn, struct scratch *scratch, const struct place *place, __u32 len)
{
    __u8 direction = data_head(scratch)->direction & 1, missing;
    __u32 count_first;

    if (conn->tries[direction] < settings.tries_max) {
        count_first = gather(scratch, place, len < 4 ? len : 4, &missing);
        if (count_first) {
            conn->tries[direction] += 1;
            if (begins_protocol(scratch->bytes, count_first, 0)) {
                conn->state = STATE_TOLD;
                return true;
            }
        }
        if (conn->tries[SENT] >= settings.tries_max && conn->tries[RECEIVED] >= settings.tries_max)
            ignore(conn, COUNTER_UNKNOWN);
    }
    conn->withheld[direction] += len;
    count(COUNTER_WITHHELD);
    count_some(COUNTER_BYTES_WITHHELD, len);
    return false;
}

/* Tells of `len` bytes at `place` of a connection that user space knows; the scratch holds what was found out about them. */
static __always_inline void tell_data(struct conn *conn, const struct caller *caller, struct scratch *scratch,
                                      const struct place *place, __u32 len)
{
    struct event_data *head = data_head(scratch);
    __u8 direction = head->direction & 1, missing;
    __u64 size;

    if (is_other_speaker(conn, caller->task))
        tell_speaker(conn, caller->task, head);
    head->withheld = conn->withheld[direction];
    size = capture(scratch, place, len, &missing);
    head->captured = size;
    head->missing = missing;
    if (size > CAPTURE_MAX)
        return;
    if (!conn->looked && size >= TLS_RECORD_HEAD && scratch->bytes[0] == TLS_HANDSHAKE && scratch->bytes[1] == 3) {
        conn->looked = 1;
        if (!head->library)
            tls_look(TLS_LOOK_WHY);
    }
    if (put(head, sizeof(*head) + size, EVENT_DATA)) {
        conn->withheld[direction] = 0;
        count_some(COUNTER_BYTES, len);
        count_some(COUNTER_BYTES_CAPTURED, size);
    } else {
        count_some(COUNTER_BYTES_LOST, len);
    }
}

/* An application has sent or received `ret` bytes on a TCP socket, or failed to; the memory of the current task holds
 * them. */
static __always_inline int on_data(struct sock *sk, const struct caller *caller, int ret, __u8 direction, int flags)
{
    __u32 which = 2 * bpf_get_smp_processor_id() + direction;
    struct scratch *scratch;
    struct event_data *head;
    struct tcp_sock *tcp;
    struct place place;
    struct conn *conn;
    bool wanted, is_peek, alone;
    __u8 library;
    __u32 seq;

    if (ret < 0)
        return 0;
    conn = stream_conn(sk, caller);
    if (!conn) {
        count(COUNTER_NO_STORAGE);
        return 0;
    }
    tcp = tcp_of(sk);
    if (!tcp)
        return 0;
    seq = (direction == SENT ? READ(tcp, write_seq) : received_seq(sk, tcp)) - ret;
    is_peek = direction == RECEIVED && flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_OOB);
    alone = ret == 0 || is_peek || is_alone(conn, direction, seq + ret, ret);
    if (conn->state == STATE_IGNORED) {
        if (ret > 0 && alone)
            note_tls(sk, conn, caller, direction, seq, ret);
        return 0;
    }
    if (ret == 0) {
        /* The end was reached, unless nothing was asked for. */
        if (direction == RECEIVED && READ(sk, sk_shutdown) & RCV_SHUTDOWN)
            tell_end(sk, conn, RECEIVED);
        return 0;
    }
    if (is_peek) {
        count(COUNTER_PEEKED);
        return 0;
    }
    if (!alone) {
        count(COUNTER_UNPLACED);
        count_some(COUNTER_BYTES_UNPLACED, ret);
        return 0;
    }
    library = note_tls(sk, conn, caller, direction, seq, ret);
    scratch = bpf_map_lookup_elem(&scratches, &which);
    if (!scratch)
        return 0;
    if (READ(tcp, inet_conn.icsk_ulp_ops)) {
        ignore(conn, COUNTER_ULP);
        return 0;
    }
    head = data_head(scratch);
    head->kind = EVENT_DATA;
    head->direction = direction;
    head->library = library;
    head->cookie = cookie_of(sk, conn);
    heed_verdict(conn, head->cookie);
    if (conn->state == STATE_IGNORED)
        return 0;
    if (conn->opened && is_shed(conn, head->cookie)) {
        tell_close(sk, tcp, conn, CLOSE_SHED);
        refuse(conn, COUNTER_SHED);
        return 0;
    }
    find_place(&place, caller, ret);
    place.which = which;
    if (direction == RECEIVED && flags & MSG_TRUNC)
        place.missing = MISSING_DISCARDED;
    wanted = conn->state != STATE_LOOKING || look(conn, scratch, &place, ret);
    /* What a library makes of it may be wanted, for which the connection is to be known. */
    if (!wanted && (!library || conn->opened))
        return 0;
    head->time_ns = bpf_ktime_get_boot_ns();
    head->arrived_ns = direction == RECEIVED ? conn->arrived_ns : 0;
    head->len = ret;
    head->seq = seq;
    head->peer_seq = direction == SENT ? received_seq(sk, tcp) : READ(tcp, snd_una);
    if (!conn->opened && !tell_open(sk, tcp, conn, scratch, head)) {
        if (conn->unwanted)
            note_tls(sk, conn, caller, direction, seq, ret);
        if (conn->state != STATE_IGNORED && wanted) {
            count(COUNTER_DATA_LOST);
            count_some(COUNTER_BYTES_LOST, ret);
        }
        return 0;
    }
    if (!wanted)
        return 0;
    tell_data(conn, caller, scratch, &place, ret);
    return 0;
}

/* Data has come to a socket. */
static __always_inline int on_arrival(struct sock *sk)
{
    struct conn *conn;

#ifndef PLAIN_POINTERS
    /* What comes to a Unix socket is the first thing that is heard of it. */
    if (is_unix(sk) && sk->__sk_common.skc_state == TCP_ESTABLISHED)
        conn = new_conn(sk);
    else
#endif
        conn = known_conn(sk);
    if (conn && conn->state != STATE_IGNORED)
        conn->arrived_ns = bpf_ktime_get_boot_ns();
    return 0;
}

/* Notes which ends of a connection are on this host, and who holds the client's. */
static __always_inline void note_end(struct sock *sk, const struct conn *conn)
{
    struct ends ends;
    __u8 there = 1;
    __u8 family;

    __builtin_memset(&ends, 0, sizeof(ends));
    if (conn->role == ROLE_SERVER) {
        family = fill_ends(sk, ends.server_ip, ends.client_ip, &ends.server_port, &ends.client_port);
        ends.netns = ends_netns(sk, family, ends.server_ip);
        bpf_map_update_elem(&servers, &ends, &there, BPF_ANY);
    } else if (conn->who.pid) {
        family = fill_ends(sk, ends.client_ip, ends.server_ip, &ends.client_port, &ends.server_port);
        ends.netns = ends_netns(sk, family, ends.client_ip);
        bpf_map_update_elem(&clients, &ends, &conn->who, BPF_ANY);
    }
}

static __always_inline void on_established(struct sock *sk, int old)
{
    struct tcp_sock *tcp = tcp_of(sk);
    struct conn *conn = new_conn(sk);

    if (!conn || !tcp)
        return;
    conn->role = old == TCP_SYN_SENT ? ROLE_CLIENT : ROLE_SERVER;
    conn->seq[SENT] = READ(tcp, write_seq);
    conn->seq[RECEIVED] = READ(tcp, copied_seq);
    conn->from_start = 1;
    note_end(sk, conn);
}

/* A TCP socket goes from one state to another. */
static __always_inline int on_state(struct sock *sk, int old, int new)
{
    struct conn *conn;

    if (!is_stream(sk))
        return 0;
    if (new == TCP_SYN_SENT) {
        /* Later steps happen in whatever task the packets interrupt. */
        conn = new_conn(sk);
        if (conn)
            fill_who(&conn->who, current_task());
        return 0;
    }
    if (new == TCP_ESTABLISHED) {
        on_established(sk, old);
        return 0;
    }
    conn = known_conn(sk);
    if (!conn)
        return 0;
    if (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK) {
        tell_end(sk, conn, SENT);
        conn->fin = 1;
    } else if (new == TCP_CLOSE && (old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT)) {
        conn->reset = 1;
    }
    return 0;
}

/* Nobody has the socket open any more, and its connection is over. */
static __always_inline int on_destroy(struct sock *sk)
{
    struct conn *conn = known_conn(sk);
    struct tcp_sock *tcp = tcp_of(sk);

    if (conn && tcp && conn->opened)
        tell_close(sk, tcp, conn, conn->reset ? CLOSE_RESET : CLOSE_IN_ORDER);
    forget_conn(sk);
    return 0;
}
