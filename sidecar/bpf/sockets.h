/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What is known of each socket: on the socket itself, or by its address where nothing can hang on it. */
#pragma once

#include "maps.h"
#include "pointers.h"

#ifdef PLAIN_POINTERS
/* TCP sockets, until they are destroyed; user space sets how many. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1024);
    __type(key, __u64);
    __type(value, struct conn);
} conns SEC(".maps");

/* UDP sockets, whose end nobody tells. What is known of them is found out again by any datagram. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct conn);
} datagram_conns SEC(".maps");

static const struct conn no_conn;
#else
struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct conn);
} conns SEC(".maps");
#endif

static __always_inline bool is_internet(struct sock *sk, __u16 protocol)
{
    __u16 family = READ(sk, __sk_common.skc_family);

    return (family == AF_INET || family == AF_INET6) && READ(sk, sk_protocol) == protocol;
}

static __always_inline bool is_stream(struct sock *sk)
{
    return is_internet(sk, IPPROTO_TCP);
}

static __always_inline bool is_datagram(struct sock *sk)
{
    return is_internet(sk, IPPROTO_UDP);
}

static __always_inline bool is_unix(struct sock *sk)
{
    return READ(sk, __sk_common.skc_family) == AF_UNIX && READ(sk, sk_type) == SOCK_STREAM;
}

#ifdef PLAIN_POINTERS
/* One number of 2^51: flows of datagrams, which have theirs in user space, begin above. */
static __always_inline __u64 new_cookie(void)
{
    __u64 high = bpf_get_prandom_u32() & 0x7ffff;

    return high << 32 | bpf_get_prandom_u32() | 1;
}

static __always_inline struct conn *make_conn(void *map, __u64 key)
{
    struct conn *conn = bpf_map_lookup_elem(map, &key);

    if (conn)
        return conn;
    bpf_map_update_elem(map, &key, &no_conn, BPF_NOEXIST);
    conn = bpf_map_lookup_elem(map, &key);
    if (conn)
        conn->cookie = new_cookie();
    return conn;
}

static __always_inline struct conn *known_conn(struct sock *sk)
{
    __u64 key = (__u64)sk;
    struct conn *conn = bpf_map_lookup_elem(&conns, &key);

    return conn ? conn : bpf_map_lookup_elem(&datagram_conns, &key);
}

static __always_inline struct conn *new_conn(struct sock *sk)
{
    return make_conn(&conns, (__u64)sk);
}

/* Of the socket of a call; another one than before may have its address. */
static __always_inline struct conn *conn_at(void *map, struct sock *sk, const struct caller *caller)
{
    struct conn *conn = make_conn(map, (__u64)sk);

    if (!conn || !caller->inode || conn->inode == caller->inode)
        return conn;
    if (conn->inode) {
        *conn = no_conn;
        conn->cookie = new_cookie();
    }
    conn->inode = caller->inode;
    return conn;
}

static __always_inline struct conn *stream_conn(struct sock *sk, const struct caller *caller)
{
    return conn_at(&conns, sk, caller);
}

static __always_inline struct conn *datagram_conn(struct sock *sk, const struct caller *caller)
{
    return conn_at(&datagram_conns, sk, caller);
}

static __always_inline void forget_conn(struct sock *sk)
{
    __u64 key = (__u64)sk;

    bpf_map_delete_elem(&conns, &key);
}

static __always_inline __u64 cookie_of(struct sock *sk, const struct conn *conn)
{
    return conn->cookie;
}

/* Whether the last `len` bytes of a direction, which stands at `end`, are those of the call that is over: no other one
 * has moved any since the data before. Who asks when the call is over can't tell them apart otherwise. */
static __always_inline bool is_alone(struct conn *conn, __u8 direction, __u32 end, __u32 len)
{
    bool alone = !conn->stood[direction & 1] || end - len == conn->next[direction & 1];

    conn->next[direction & 1] = end;
    conn->stood[direction & 1] = 1;
    return alone;
}
#else
static __always_inline struct conn *known_conn(struct sock *sk)
{
    return bpf_sk_storage_get(&conns, sk, 0, 0);
}

static __always_inline struct conn *new_conn(struct sock *sk)
{
    return bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline struct conn *stream_conn(struct sock *sk, const struct caller *caller)
{
    return new_conn(sk);
}

static __always_inline struct conn *datagram_conn(struct sock *sk, const struct caller *caller)
{
    return new_conn(sk);
}

/* The kernel does so. */
static __always_inline void forget_conn(struct sock *sk)
{
}

static __always_inline __u64 cookie_of(struct sock *sk, const struct conn *conn)
{
    return bpf_get_socket_cookie(sk);
}

/* These programs run within the call. */
static __always_inline bool is_alone(struct conn *conn, __u8 direction, __u32 end, __u32 len)
{
    return true;
}
#endif
