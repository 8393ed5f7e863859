/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Unix stream sockets. Their bytes have no numbers in the kernel: they are counted here, from the first that is seen. Both
 * ends are always on this host, and know each other. */
#pragma once

#include "connection.h"

/* The same of a process that is not the current one. */
static __always_inline void fill_other(struct who *who, struct task_struct *task)
{
    who->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
    who->started_ns = BPF_CORE_READ(task, start_boottime);
    who->pid = BPF_CORE_READ(task, tgid);
    who->exec = BPF_CORE_READ(task, self_exec_id);
    BPF_CORE_READ_STR_INTO(&who->comm, task, comm);
}

/* Who is at the other end, if that is known: whoever was seen there, else who connected or listens, as the other end of a
 * socket is told (SO_PEERCRED). */
static __always_inline void find_peer(struct who *who, struct sock *sk, const struct conn *other)
{
    struct hlist_node *first;

    if (other && other->who.pid) {
        *who = other->who;
        return;
    }
    first = BPF_CORE_READ(sk, sk_peer_pid, tasks[PIDTYPE_TGID].first);
    if (first)
        fill_other(who, (void *)first - bpf_core_field_offset(struct task_struct, pid_links) -
                            PIDTYPE_TGID * sizeof(struct hlist_node));
}

static __always_inline struct unix_address *name_of(struct sock *sk)
{
    return BPF_CORE_READ((struct unix_sock *)sk, addr);
}

/* Which end this is, of a socket that was connected before the programs came: who accepted has the name of the listening
 * socket, and shares it with that. Who connected has none, as a rule, or shares his with nobody. */
static __always_inline __u8 role_by_name(struct sock *sk, struct sock *peer)
{
    struct unix_address *own = name_of(sk), *other = name_of(peer);

    if (!own || !other)
        return own ? ROLE_SERVER : ROLE_CLIENT;
    if (BPF_CORE_READ(own, refcnt.refs.counter) > BPF_CORE_READ(other, refcnt.refs.counter))
        return ROLE_SERVER;
    return ROLE_CLIENT;
}

/* Copies the name that a server's socket is bound to; its length. */
static __always_inline __u8 copy_name(char *to, struct sock *server)
{
    struct unix_address *address = name_of(server);
    __u32 len = BPF_CORE_READ(address, len) - sizeof(__u16);

    if (len > UNIX_NAME_MAX)
        len = UNIX_NAME_MAX;
    bpf_probe_read_kernel(to, len, &address->name[0].sun_path);
    return len;
}

/* Whether a connection is to be watched; the same as with addresses, which it has none of. */
static __always_inline bool passes_unix(const struct event_open *open)
{
    if (settings.filters & (FILTER_PORT | FILTER_ADDRESS))
        return false;
    return passes_who(&open->self) || (open->peer.pid && passes_who(&open->peer));
}

/* Why a connection is left out, 0: it is not. */
static __always_inline __u32 unix_unwanted(const struct event_open *open, const struct conn *conn)
{
    if (open->self.pid == settings.own_pid || open->peer.pid == settings.own_pid)
        return COUNTER_OWN;
    if (!passes_unix(open))
        return COUNTER_FILTERED;
    return is_shed(conn, open->cookie) ? COUNTER_SHED : 0;
}

/* Finds out which end this is, before anything is looked at: most of the cost of an end that nobody wants. False when it
 * is not watched. */
static __always_inline bool settle_unix(struct sock *sk, struct conn *conn)
{
    struct unix_sock *this = bpf_skc_to_unix_sock(sk);
    struct conn *other;
    struct sock *peer;

    if (!this)
        return false;
    peer = this->peer;
    /* The other end is gone, and its name with it. */
    if (!peer)
        return false;
    if (!name_of(sk) && !name_of(peer)) {
        refuse(conn, COUNTER_UNNAMED);
        return false;
    }
    other = bpf_sk_storage_get(&conns, peer, 0, 0);
    if (conn->role == ROLE_UNKNOWN && other && other->role == ROLE_CLIENT) {
        conn->role = ROLE_SERVER;
        conn->from_start = other->from_start;
    }
    if (conn->role == ROLE_UNKNOWN)
        conn->role = role_by_name(sk, peer);
    if (!conn->who.pid)
        fill_who(&conn->who, bpf_get_current_task_btf());
    if (!(settings.sides & 1 << conn->role)) {
        refuse(conn, COUNTER_OTHER_END);
        return false;
    }
    conn->settled = 1;
    return true;
}

/* Tells of a connection before its first data, from the scratch that its bytes come to later. False when user space
 * doesn't know it afterwards. */
static __always_inline bool tell_unix(struct sock *sk, struct conn *conn, struct scratch *scratch,
                                      const struct event_data *data)
{
    struct event_open *open = (struct event_open *)scratch->bytes;
    struct unix_sock *this = bpf_skc_to_unix_sock(sk);
    struct conn *other;
    struct sock *peer;
    __u32 unwanted;

    if (!this)
        return false;
    peer = this->peer;
    /* The other end is gone, and its name with it. */
    if (!peer)
        return false;
    __builtin_memset(open, 0, sizeof(*open));
    other = known_conn(peer);
    open->kind = EVENT_OPEN;
    open->role = conn->role;
    open->family = AF_UNIX;
    open->cookie = data->cookie;
    open->time_ns = data->time_ns;
    fill_who(&open->self, current_task());
    find_peer(&open->peer, sk, other);
    unwanted = unix_unwanted(open, conn);
    if (unwanted) {
        refuse(conn, unwanted);
        return false;
    }
    open->netns = sk->__sk_common.skc_net.net->ns.inum;
    open->from_start = conn->from_start;
    open->seq[SENT] = data->direction == SENT ? data->seq : conn->seq[SENT];
    open->seq[RECEIVED] = data->direction == RECEIVED ? data->seq : conn->seq[RECEIVED];
    if (conn->from_start) {
        open->passed[SENT] = open->seq[SENT];
        open->passed[RECEIVED] = open->seq[RECEIVED];
    }
    open->name_len = copy_name((char *)(open + 1), conn->role == ROLE_SERVER ? sk : peer);
    conn->withheld[SENT] = conn->withheld[RECEIVED] = 0;
    note_speaker(conn, current_task());
    conn->opened = put(open, sizeof(*open) + UNIX_NAME_MAX, EVENT_OPEN);
    return conn->opened;
}

/* How much of what this end sent the other one has received: all, if nothing waits there. */
static __always_inline __u32 acked_of(struct sock *sk, struct conn *conn)
{
    __u32 sent = conn->seq[SENT];

    /* The one that is left is the socket's own. */
    if (sk->sk_wmem_alloc.refs.counter <= 1)
        conn->acked = sent;
    return conn->acked;
}

/* The current task connects a socket. */
static __always_inline void on_unix_connect(struct conn *conn)
{
    if (!conn)
        return;
    conn->role = ROLE_CLIENT;
    conn->from_start = 1;
    fill_who(&conn->who, current_task());
}

/* Nobody has the socket open any more. */
static __always_inline void end_unix(struct sock *sk)
{
    struct conn *conn = known_conn(sk);

    if (conn && conn->opened)
        put_close(sk, conn, CLOSE_IN_ORDER, conn->seq[SENT], conn->seq[RECEIVED]);
}

/* A socket has received all that there is. Where no program sees sockets go, this is how it shows that the other end was
 * closed: nothing can be sent any more either. */
static __always_inline void on_unix_end(struct sock *sk, struct conn *conn)
{
    struct unix_sock *this;
    struct sock *peer;

    if (!(sk->sk_shutdown & RCV_SHUTDOWN))
        return;
    put_end(sk, conn, RECEIVED, conn->seq[RECEIVED]);
    if (!(sk->sk_shutdown & SEND_SHUTDOWN))
        return;
    end_unix(sk);
    this = bpf_skc_to_unix_sock(sk);
    peer = this ? this->peer : 0;
    if (peer)
        end_unix(peer);
}

/* An application has sent or received `ret` bytes on a Unix stream socket. */
static __always_inline int on_unix(struct sock *sk, const struct caller *caller, int ret, __u8 direction, int flags)
{
    __u32 which = 2 * bpf_get_smp_processor_id() + direction;
    struct conn *conn = new_conn(sk);
    struct scratch *scratch = bpf_map_lookup_elem(&scratches, &which);
    struct event_data *head;
    struct place place;
    bool wanted;

    if (!conn || !scratch) {
        count(COUNTER_NO_STORAGE);
        return 0;
    }
    if (ret == 0) {
        if (direction == RECEIVED)
            on_unix_end(sk, conn);
        return 0;
    }
    if (conn->state == STATE_IGNORED) {
        tls_on_socket(caller, conn->unwanted ? TLS_UNWANTED : cookie_of(sk, conn), direction, 0, ret);
        return 0;
    }
    if (direction == RECEIVED && flags & (MSG_PEEK | MSG_OOB)) {
        count(COUNTER_PEEKED);
        return 0;
    }
    if (!conn->settled && !settle_unix(sk, conn))
        return 0;
    head = data_head(scratch);
    head->kind = EVENT_DATA;
    head->direction = direction;
    head->cookie = cookie_of(sk, conn);
    /* Threads may use a socket at the same time. */
    head->seq = __sync_fetch_and_add(&conn->seq[direction & 1], ret);
    head->library = tls_on_socket(caller, head->cookie, direction, head->seq, ret);
    heed_verdict(conn, head->cookie);
    if (conn->state == STATE_IGNORED)
        return 0;
    if (conn->opened && is_shed(conn, head->cookie)) {
        put_close(sk, conn, CLOSE_SHED, conn->seq[SENT], conn->seq[RECEIVED]);
        refuse(conn, COUNTER_SHED);
        return 0;
    }
    find_place(&place, caller, ret);
    if (direction == RECEIVED && flags & MSG_TRUNC)
        place.missing = MISSING_DISCARDED;
    wanted = conn->state != STATE_LOOKING || look(conn, scratch, &place, ret);
    if (!wanted && (!head->library || conn->opened))
        return 0;
    head->time_ns = bpf_ktime_get_boot_ns();
    head->arrived_ns = direction == RECEIVED ? conn->arrived_ns : 0;
    head->len = ret;
    head->peer_seq = direction == SENT ? conn->seq[RECEIVED] : acked_of(sk, conn);
    if (!conn->opened && !tell_unix(sk, conn, scratch, head)) {
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
