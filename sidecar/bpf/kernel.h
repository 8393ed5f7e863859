/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* As much of the kernel's structures as is looked at. Where their fields lie is found out when the programs are loaded
 * (CO-RE), by the BTF of the kernel that runs: their order here means nothing. */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define SOCK_STREAM 1
#define RCV_SHUTDOWN 1
#define SEND_SHUTDOWN 2

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000

/* A bit of skc_flags: the other side's FIN has come, in order. */
#define SOCK_DONE 1

#define PF_IO_WORKER 0x10
#define PF_KTHREAD 0x200000

/* States of a TCP socket (include/net/tcp_states.h). */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9

#define TASK_COMM_LEN 16

/* Bytes of the name of a Unix socket, at most (unix(7)). */
#define UNIX_NAME_MAX 108

/* What a struct pid is the number of: a process (include/linux/pid_types.h). */
#define PIDTYPE_TGID 1

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};

struct net {
    struct ns_common ns;
};

typedef struct {
    struct net *net;
} possible_net_t;

struct in6_addr {
    union {
        __u8 u6_addr8[16];
        __be32 u6_addr32[4];
    } in6_u;
};

struct sock_common {
    __be32 skc_daddr;
    __be32 skc_rcv_saddr;
    __be16 skc_dport;
    __u16 skc_num;
    unsigned short skc_family;
    volatile unsigned char skc_state;
    unsigned long skc_flags;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
};

typedef struct {
    int counter;
} atomic_t;

typedef struct refcount_struct {
    atomic_t refs;
} refcount_t;

struct hlist_node {
    struct hlist_node *next, **pprev;
};

struct hlist_head {
    struct hlist_node *first;
};

struct pid {
    struct hlist_head tasks[4];
};

struct sock {
    struct sock_common __sk_common;
    __u16 sk_type;
    __u16 sk_protocol;
    __u8 sk_shutdown;
    refcount_t sk_wmem_alloc;
    struct pid *sk_peer_pid;
};

struct sockaddr_un {
    __u16 sun_family;
    char sun_path[UNIX_NAME_MAX];
};

struct unix_address {
    refcount_t refcnt;
    int len;
    struct sockaddr_un name[];
};

struct unix_sock {
    struct unix_address *addr;
    struct sock *peer;
};

struct socket {
    struct sock *sk;
};

struct sk_buff {
    unsigned int len;
    __u16 transport_header;
    unsigned char *head;
};

struct inode {
    __u16 i_mode;
    unsigned long i_ino;
};

struct file {
    struct inode *f_inode;
    void *private_data;
};

struct fdtable {
    struct file **fd;
};

struct files_struct {
    struct fdtable *fdt;
};

struct inet_connection_sock {
    const void *icsk_ulp_ops;
};

struct tcp_sock {
    struct inet_connection_sock inet_conn;
    __u32 write_seq;
    __u32 copied_seq;
    __u32 rcv_nxt;
    __u32 snd_una;
};

struct thread_info {
    unsigned long flags;
    __u32 status;
};

struct kernfs_node {
    const char *name;
    __u64 id;
};

struct cgroup_root {
    int hierarchy_id;
};

struct cgroup_subsys_state {
    struct cgroup *cgroup;
    struct cgroup_subsys_state *parent;
};

struct cgroup {
    struct cgroup_subsys_state self;
    struct kernfs_node *kn;
    struct cgroup_root *root;
};

struct css_set {
    struct cgroup *dfl_cgrp;
};

struct task_struct {
    struct thread_info thread_info;
    unsigned int flags;
    int pid;
    int tgid;
    char comm[TASK_COMM_LEN];
    struct task_struct *group_leader;
    __u64 start_boottime;
    __u64 self_exec_id;
    struct hlist_node pid_links[4];
    struct css_set *cgroups;
    struct files_struct *files;
    void *io_uring;
};

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__bpf_sk_storage_map {
    struct bpf_iter_meta *meta;
    struct sock *sk;
    void *value;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long r14, bx, r10, r9, r8, ax, cx, dx, si, di, orig_ax, sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
    __u64 regs[31];
    __u64 sp;
    __u64 orig_x0;
    __s32 syscallno;
};
#endif

#pragma clang attribute pop
